"""inline: a call of a function that does not call itself becomes its body.

    %y = call[callee='g'] %x        ->        %y = sin %x
    func g(%a): %b = sin %a; return %b

Recursive functions stay; so do calls with a rule of the user's, which a later derivative still asks for.
"""

from __future__ import annotations

from collections.abc import Sequence

from ad_compiler.ir.clone import clone
from ad_compiler.ir.core import Function, Module, Op, Value, walk
from ad_compiler.ir.rewrite import Scope, sweep

CUSTOM = ("custom_jvp", "custom_vjp")


def inline(module: Module, *, last: bool = False) -> bool:
    """Inline every call that may be, in every function; drop the functions that nothing calls any more.

    `last` says that no further derivative is taken, so that rules of the user's are not asked for any more.
    """
    if last:
        for function in module.functions.values():
            for op in walk(function.body):
                for key in (*CUSTOM, "positions"):
                    op.attributes.pop(key, None)
    recursive = {name for name, function in module.functions.items() if name in _reachable(module, function, ())}
    before = list(module.functions)
    changed = False
    for function in module.functions.values():
        changed |= _inline(function, module, recursive)
    alive = {module.main} | _reachable(module, module.functions[module.main])
    module.functions = {name: function for name, function in module.functions.items() if name in alive}
    return changed or before != list(module.functions)


def _inline(function: Function, module: Module, recursive: set[str]) -> bool:
    def visit(op: Op, scope: Scope) -> Sequence[Value] | None:
        if op.name != "call" or op.attributes["callee"] in recursive or any(key in op.attributes for key in CUSTOM):
            return None
        callee = module.functions[op.attributes["callee"]]
        values = dict(zip(callee.body.parameters, op.operands, strict=True))
        body = clone(callee.body, values, keep_parameters=True)
        for inner in walk(body):
            inner.phase = inner.phase or op.phase
        scope.before.extend(body.ops[:-1])
        return body.ops[-1].operands

    changed = False
    while sweep(function.body, visit):  # what was inlined may call in its turn
        changed = True
        if not any(op.name == "call" for op in walk(function.body)):
            break
    return changed


def _reachable(module: Module, function: Function, custom: tuple[str, ...] = CUSTOM) -> set[str]:
    """The functions that `function` calls, or (with `custom`) would when differentiated, directly or not."""
    found: set[str] = set()
    work = [function]
    while work:
        for op in walk(work.pop().body):
            if op.name == "call":
                rules = [op.attributes[key] for key in custom if key in op.attributes]
                names = [op.attributes["callee"]]
                for rule in rules:
                    names.extend([rule] if isinstance(rule, str) else rule)
                for name in names:
                    if name not in found:
                        found.add(name)
                        work.append(module.functions[name])
    return found
