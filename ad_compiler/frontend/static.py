"""What the names of a module's text mean, found without running any of it.

`StaticScope` knows imports of our libraries, constants assigned once, and functions.  Whatever else a module
binds is unknown, with the reason: it is a class, it is bound twice, it is bound inside an `if`.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ad_compiler.frontend.constants import NotConstantError, evaluate
from ad_compiler.frontend.libraries import LIBRARIES, NotALibraryError, import_library, member
from ad_compiler.frontend.resolve import (
    PythonObject,
    Resolved,
    StaticConstant,
    UnknownName,
    UserFunction,
    attribute,
    classify,
)

if TYPE_CHECKING:
    from ad_compiler.frontend.read import Definition

_TRANSPARENT = {
    "functools.cache", "functools.lru_cache", "typing.no_type_check", "typing.final", "builtins.staticmethod",
    "ad_compiler.differentiate", "numba.njit", "numba.jit",
}  # fmt: skip


@dataclass(slots=True)
class _Binding:
    """One place where a module binds a name; `kind` says how, `node` where."""

    kind: str  # "import", "from", "constant", "function", "class", or a reason
    node: ast.AST
    target: tuple[str, str | None] = ("", None)  # import: module, None; from: module, name


class StaticScope:
    """The names of a module's text.  Nothing of the text is run; only our libraries are imported."""

    def __init__(self, tree: ast.Module, filename: str) -> None:
        self.filename = filename
        self.definitions: dict[str, Definition] = {}
        self._bindings: dict[str, list[_Binding]] = {}
        self._star_libraries: list[str] = []
        self._star_others: list[str] = []
        self._evaluating: set[str] = set()
        for statement in tree.body:
            self._collect(statement, "")
        for node in ast.walk(tree):
            if isinstance(node, ast.Global):
                for name in node.names:
                    self._bind(name, "it is assigned inside a function (`global`)", node)

    # -- meanings

    def lookup(self, name: str) -> Resolved | None:
        bindings = self._bindings.get(name)
        if not bindings:
            return self._star(name)
        if len(bindings) > 1:
            lines = ", ".join(str(line) for line in sorted({binding.node.lineno for binding in bindings}))  # type: ignore[attr-defined]
            return UnknownName(f"it is bound more than once (lines {lines})")
        return self._meaning(name, bindings[0])

    def _meaning(self, name: str, binding: _Binding) -> Resolved:
        module, inside = binding.target
        if binding.kind in ("import", "from"):
            return self._imported(module, inside)
        if binding.kind == "constant":
            return self._constant(name, binding.node)
        if binding.kind == "function":
            assert isinstance(binding.node, ast.FunctionDef | ast.Lambda)
            opaque = self.opaque_decorator(binding.node)
            if opaque is not None:
                text = ast.unparse(opaque)
                return UnknownName(f"it is decorated with `{text}`, which may change what it computes")
            return UserFunction(self.definitions[name])
        return UnknownName(binding.kind)

    def _imported(self, module: str, inside: str | None) -> Resolved:
        root = module.partition(".")[0]
        if root not in LIBRARIES:
            where = module if inside is None else f"{module}` as `{inside}"
            return UnknownName(f"it is imported from `{where}`, and a file's imports are not followed")
        try:
            found = import_library(module, self.filename)
            return classify(found if inside is None else member(found, inside, self.filename))
        except NotALibraryError as error:
            return UnknownName(str(error))

    def _constant(self, name: str, node: ast.AST) -> Resolved:
        if name in self._evaluating:
            return UnknownName("it is defined by itself")
        self._evaluating.add(name)
        try:
            return StaticConstant(evaluate(node, self._part))  # type: ignore[arg-type]
        except NotConstantError as error:
            return UnknownName(str(error))
        finally:
            self._evaluating.discard(name)

    def _part(self, node: ast.expr) -> Any:
        """The object that a name or a dotted name inside a constant stands for."""
        found = self.dotted(node)
        if isinstance(found, StaticConstant):
            return found.value
        if isinstance(found, PythonObject):
            return found.obj
        reason = f": {found.reason}" if isinstance(found, UnknownName) else ""
        raise NotConstantError(f"it is computed from `{ast.unparse(node)}`, which is not known{reason}")

    def dotted(self, node: ast.expr) -> Resolved | None:
        """The meaning of `a` or `a.b.c`; None for anything else, and for a name that is not there."""
        if isinstance(node, ast.Name):
            return self.lookup(node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return None if base is None else attribute(base, node.attr)
        return None

    def _star(self, name: str) -> Resolved | None:
        """A name bound nowhere in the text: from `import *`, a builtin, or none."""
        if self._star_others:
            module = self._star_others[0]
            return UnknownName(f"it may come from `from {module} import *`, which is not followed")
        for module in reversed(self._star_libraries):
            library = import_library(module, self.filename)
            public = getattr(library, "__all__", None) or [one for one in dir(library) if one[0] != "_"]
            if name in public:
                return self._imported(module, name)
        return classify(getattr(builtins, name)) if hasattr(builtins, name) else None

    # -- decorators

    def opaque_decorator(self, node: ast.FunctionDef | ast.Lambda) -> ast.expr | None:
        """The first decorator that is not known to leave the function's meaning alone."""
        decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
        return next((one for one in decorators if self.static_name(_callee(one)) not in _TRANSPARENT), None)

    def differentiate_options(self, node: ast.FunctionDef | ast.Lambda) -> dict[str, Any] | None:
        """The literal options of our `@differentiate` on this function; None when it has none."""
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else []:
            if self.static_name(_callee(decorator)) == "ad_compiler.differentiate":
                keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
                return {k.arg: _literal(k.value) for k in keywords if k.arg is not None}
        return None

    def static_name(self, node: ast.expr) -> str:
        """Where a dotted name comes from, by the text alone: "ad_compiler.grad"; "" when unknown."""
        if isinstance(node, ast.Attribute):
            base = self.static_name(node.value)
            return f"{base}.{node.attr}" if base else ""
        if not isinstance(node, ast.Name):
            return ""
        bindings = self._bindings.get(node.id, [])
        if not bindings:
            return f"builtins.{node.id}" if hasattr(builtins, node.id) and not self._star_others else ""
        if len(bindings) > 1 or bindings[0].kind not in ("import", "from"):
            return ""
        module, inside = bindings[0].target
        return module if inside is None else f"{module}.{inside}"

    # -- collecting

    def _bind(self, name: str, kind: str, node: ast.AST, target: tuple[str, str | None] = ("", None)) -> None:
        self._bindings.setdefault(name, []).append(_Binding(kind, node, target))

    def _collect(self, statement: ast.stmt, inside: str) -> None:
        """Record what a statement binds; `inside` is the reason why all of it is uncertain, if it is."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                # `import a.b` binds a; `import a.b as c` binds a.b
                module = alias.name if alias.asname else alias.name.split(".")[0]
                if not inside and not alias.asname and self._is_import_of(module):
                    continue  # `import scipy.linalg, scipy.special`: the same name twice, the same thing
                self._bind(alias.asname or module, inside or "import", statement, (module, None))
        elif isinstance(statement, ast.ImportFrom):
            self._collect_from(statement, inside)
        elif isinstance(statement, ast.FunctionDef):
            self._bind(statement.name, inside or "function", statement)
        elif isinstance(statement, ast.AsyncFunctionDef):
            self._bind(statement.name, inside or "it is a coroutine", statement)
        elif isinstance(statement, ast.ClassDef):
            self._bind(statement.name, inside or "it is a class", statement)
        elif not inside and isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            self._collect_assignment(statement.targets[0], statement.value, statement)
        elif not inside and isinstance(statement, ast.AnnAssign):
            if statement.value is not None:
                self._collect_assignment(statement.target, statement.value, statement)
        else:
            self._collect_other(statement, inside)

    def _collect_from(self, statement: ast.ImportFrom, inside: str) -> None:
        module = "." * statement.level + (statement.module or "")
        for alias in statement.names:
            if alias.name != "*":
                self._bind(alias.asname or alias.name, inside or "from", statement, (module, alias.name))
            elif module.partition(".")[0] in LIBRARIES and not inside:
                self._star_libraries.append(module)
            elif module != "__future__":
                self._star_others.append(module)

    def _collect_assignment(self, target: ast.expr, value: ast.expr, statement: ast.stmt) -> None:
        if isinstance(target, ast.Name):
            made = isinstance(value, ast.Lambda) and value is getattr(statement, "value", None)
            self._bind(target.id, "function" if made else "constant", value)
        elif _matching_tuples(target, value):
            for part, part_value in zip(target.elts, value.elts, strict=True):  # type: ignore[attr-defined]
                self._collect_assignment(part, part_value, statement)
            return
        else:
            self._bind_all(target, "it is assigned in a way that is not followed")
        self._bind_walrus(value)

    def _collect_other(self, statement: ast.stmt, inside: str) -> None:
        """Loops, branches, `with`, `del`, `x += 1`: what they bind is not known."""
        line = statement.lineno
        why = inside or f"it is bound inside the `{_keyword(statement)}` on line {line}"
        for field in ast.iter_fields(statement):
            for child in field[1] if isinstance(field[1], list) else [field[1]]:
                if isinstance(child, ast.stmt):
                    self._collect(child, why)
                elif isinstance(child, ast.ExceptHandler | ast.match_case):
                    for name in _captured(child):
                        self._bind(name, why, statement)
                    for one in child.body:
                        self._collect(one, why)
                elif isinstance(child, ast.AST):
                    self._bind_all(child, why)

    def _bind_all(self, node: ast.AST, why: str) -> None:
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store | ast.Del):
                self._bind(one.id, why, one)

    def _bind_walrus(self, node: ast.AST) -> None:
        for one in ast.walk(node):
            if isinstance(one, ast.NamedExpr):
                self._bind(one.target.id, "it is bound inside an expression", one)

    def _is_import_of(self, module: str) -> bool:
        bindings = self._bindings.get(module, [])
        return len(bindings) == 1 and bindings[0].kind == "import" and bindings[0].target == (module, None)


def _callee(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _matching_tuples(target: ast.expr, value: ast.expr) -> bool:
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
        return False
    starred = any(isinstance(one, ast.Starred) for one in target.elts + value.elts)
    return not starred and len(target.elts) == len(value.elts)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _captured(node: ast.AST) -> list[str]:
    """The names that an `except … as e` or a `case` pattern binds."""
    fields = ("name", "rest")
    names = [getattr(one, field, None) for one in ast.walk(node) for field in fields]
    return [name for name in names if isinstance(name, str)]


def _keyword(statement: ast.stmt) -> str:
    words = {"AugAssign": "augmented assignment", "Delete": "del", "TryStar": "try", "Expr": "expression"}
    return words.get(type(statement).__name__, type(statement).__name__.lower())
