"""What all tests share: `golden` compares text with a file, and `--bless` refreshes the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("AD_COMPILER_CACHE", "off")  # what is tested is the compiler, not what it made before

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="write golden files anew instead of comparing with them")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str | Path], None]:
    """`golden(text, path)`: the text must be that of the file, named from tests/ (or by an absolute path)."""

    def compare(text: str, path: str | Path) -> None:
        file = HERE / path
        if request.config.getoption("--bless"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            return
        assert file.exists(), f"{file} is missing: run pytest --bless and review what it writes"
        assert text == file.read_text(encoding="utf-8"), f"{file} differs: review, then pytest --bless"

    return compare
