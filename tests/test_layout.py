"""The rooms of the package import downward only: each file against the table of allowed imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ad_compiler"

BELOW = {"backends", "passes", "transforms", "analysis", "frontend", "primitives", "ir", "diagnostics"}

# room -> the rooms it may import beside itself.  A file at the top of the package is a room of its own.
MAY_IMPORT: dict[str, set[str]] = {
    "diagnostics": set(),
    "version": set(),
    "ir": {"diagnostics"},
    "primitives": {"ir", "diagnostics"},
    "frontend": {"ir", "primitives", "diagnostics"},
    "analysis": {"ir", "primitives"},
    "transforms": {"ir", "primitives", "analysis", "diagnostics"},
    "passes": {"ir", "primitives", "analysis"},
    "backends": {"ir", "primitives", "analysis", "diagnostics"},
    "symbolic": {"ir", "primitives", "transforms", "backends", "frontend", "diagnostics", "specialise", "pipeline"},
    "cache": {"diagnostics", "version"},
    "specialise": BELOW,
    "pipeline": BELOW | {"specialise", "cache", "version"},
    "compiled": {"pipeline", "specialise", "custom", "diagnostics", "frontend", "ir"},
    "inner": {"api", "compiled", "custom", "pipeline", "diagnostics", "frontend", "ir"},
    "api": {"compiled", "pipeline", "specialise", "diagnostics", "symbolic", "primitives", "ir", "frontend"},
    "decorator": {"api", "compiled", "diagnostics"},
    "custom": {"diagnostics", "primitives", "ir", "frontend"},
    "cli": {"api", "pipeline", "symbolic", "diagnostics", "frontend", "ir", "cache", "version"},
    "__init__": {"api", "custom", "decorator", "diagnostics", "primitives", "symbolic", "version"},
    "__main__": {"cli"},
}
# the one knot: a derivative that is called inside a differentiated function is itself compiled by the pipeline
LATE = {("pipeline", "inner")}
FILES = sorted(path for path in PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(path: Path, *, late: bool = True) -> Iterator[tuple[str, int]]:
    """The rooms that a file imports, with the line; with `late`, imports inside functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if late else tree.body:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            if node.module == "ad_compiler":
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif node.module and node.module.startswith("ad_compiler."):
                yield node.module.split(".")[1], node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("ad_compiler."):
                    yield alias.name.split(".")[1], node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_downward(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT, f"the room `{room}` is not in the table"
    allowed = MAY_IMPORT[room] | {room}
    at_once = {name for name, _ in imported_rooms(path, late=False)}
    allowed |= {name for importer, name in LATE if importer == room and name not in at_once}
    rooms = [(line, name) for name, line in imported_rooms(path) if name in MAY_IMPORT]
    upward = [(line, name) for line, name in rooms if name not in allowed]
    assert not upward, f"{path.name} imports upward: {upward}"


def test_the_table_has_no_cycles() -> None:
    """Sorting the rooms by what they may import works: so there is a downward."""
    placed: set[str] = set()
    while placed != set(MAY_IMPORT):
        ready = {room for room, allowed in MAY_IMPORT.items() if room not in placed and allowed <= placed}
        assert ready, f"a cycle among {set(MAY_IMPORT) - placed}"
        placed |= ready


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_opens_with_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree), f"{path.name} has no docstring"
