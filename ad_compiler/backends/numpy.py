"""SSA -> the text of a Python module that needs NumPy only: `emit(module)`.

    header · imports · helpers · functions, each: prepared, its copies placed, scheduled, named, written

What is expected of the module is what the verifier checks, and that recursive calls name functions in it.
"""

from __future__ import annotations

import ast
import builtins
import inspect

from ad_compiler.analysis.ownership import take_ownership
from ad_compiler.backends.expressions import helpers
from ad_compiler.backends.names import assign_names
from ad_compiler.backends.prepare import prepare
from ad_compiler.backends.schedule import schedule
from ad_compiler.backends.signature import Signature
from ad_compiler.backends.statements import Statements
from ad_compiler.backends.write import write
from ad_compiler.ir.core import Function, Module, Op, Value, walk


def emit(module: Module, *, header: str = "") -> str:
    """The whole text: imports, helpers, functions.  `header` is a comment to stand before it."""
    needs: dict[str, None] = {}
    functions = [emit_function(function, module, needs) for function in module.functions.values()]
    imports = ["import numpy as np", *(need for need in needs if need.startswith("import ")), *module.imports]
    parts = ["\n".join(sorted(dict.fromkeys(imports), key=_order))]
    parts += [inspect.getsource(helpers()[need]).rstrip() for need in with_their_needs(needs)]
    parts += [text.rstrip("\n") for text in functions]
    comment = "".join(f"# {line}\n" if line else "#\n" for line in header.splitlines())
    return comment + "\n\n\n".join(parts) + "\n"


def _order(statement: str) -> tuple[bool, str]:
    """Plain imports of the standard library before others."""
    return (statement not in ("import builtins", "import math") and "__future__" not in statement, statement)


def with_their_needs(needs: dict[str, None]) -> list[str]:
    """The helpers and those that they call, callees first."""
    from ad_compiler.primitives.runtime import HELPER_NEEDS

    found: dict[str, None] = {}
    known = helpers()

    def add(need: str) -> None:
        if need in found or need not in known:
            return
        for other in HELPER_NEEDS.get(need, ()):
            add(other)
        found[need] = None

    for need in sorted(needs):
        add(need)
    return list(found)


def emit_function(function: Function, module: Module, needs: dict[str, None]) -> str:
    """The text of one function; the helpers and imports that it needs go into `needs`."""
    made = prepare(function)
    name_parts(made)
    ownership = take_ownership(made)
    plan = schedule(made, ownership)
    signature = Signature(made)
    ops = plan.layout.ops
    names = assign_names(plan, reserved_names(module, ops, signature), fixed_names(signature, ops))
    tree = Statements(module, plan, names, needs, signature).function(made)
    return write(unhide(tree, {parameter.name for parameter in signature.parameters}, needs))


def unhide(tree: ast.FunctionDef, parameters: set[str], needs: dict[str, None]) -> ast.FunctionDef:
    """What a parameter hides gets another name: a builtin is written `builtins.range`, `np` is written `numpy`."""
    spelled: dict[str, tuple[str, str]] = {}
    for hidden in sorted(parameters):
        if hidden == "np":
            alias = "numpy" if "numpy" not in parameters else "numpy_module"
            spelled[hidden] = (alias, "import numpy" if alias == "numpy" else f"import numpy as {alias}")
        elif hidden == "math":
            spelled[hidden] = ("math_module", "import math as math_module")
        elif hidden in dir(builtins):
            spelled[hidden] = (f"builtins.{hidden}", "import builtins")
    if spelled:
        _Unhide(spelled, needs).visit(tree)
    return tree


class _Unhide(ast.NodeTransformer):
    def __init__(self, spelled: dict[str, tuple[str, str]], needs: dict[str, None]) -> None:
        self.spelled = spelled
        self.needs = needs

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.spelled or getattr(node, "local", False) or not isinstance(node.ctx, ast.Load):
            return node
        text, need = self.spelled[node.id]
        self.needs[need] = None
        return ast.parse(text, mode="eval").body


def name_parts(function: Function) -> None:
    signature = Signature(function)
    signature.name_parts()
    for op in walk(function.body):
        if op.name == "closure":
            Signature.of_closure(op, signature).name_parts()


def fixed_names(signature: Signature, ops: list[Op]) -> dict[Value, str]:
    fixed = signature.fixed()
    for op in ops:
        if op.name == "closure":
            fixed |= Signature.of_closure(op, signature).fixed()
    return fixed


def reserved_names(module: Module, ops: list[Op], signature: Signature) -> set[str]:
    """Names that mean something else in the function: functions, helpers, what the user's templates read."""
    found = {*module.functions, *helpers(), *signature.reserved()}
    for statement in module.imports:
        found |= {
            alias.asname or alias.name.split(".")[0]
            for node in ast.walk(ast.parse(statement))
            for alias in getattr(node, "names", ())
        }
    for op in ops:
        if op.name == "captured":
            found.add(op.attributes["name"])
        if "template" in op.attributes:
            tree = ast.parse(op.attributes["template"])
            found |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if op.name == "closure":
            found |= set(Signature.of_closure(op, signature).reserved())
    return found
