"""Calls of our own functions inside a differentiated function: derivatives, rules of the user's, hooks.

The frontend asks `InnerCalls` about every object it does not know.  What comes back is SSA: a derivative is
transformed while its caller is lowered, and becomes a call that the `inline` pass opens.

    grad(g)(x)          the adjoint of g, which may be a closure
    f(x), f custom      call[callee=f, custom_jvp=rule] or call[callee=f, custom_vjp=(fwd, bwd)]
    backward(x, rule)   hook: x, with `rule` for the reverse sweep
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ad_compiler import api
from ad_compiler.compiled import Argnums, Differentiated, positions_of
from ad_compiler.custom import CustomFunction, backward, registered
from ad_compiler.diagnostics.diagnostic import Error
from ad_compiler.frontend import calls, recursion, structure
from ad_compiler.frontend.context import Lowering, Refused
from ad_compiler.frontend.names import parameter_names
from ad_compiler.frontend.read import from_function
from ad_compiler.frontend.values import Closure, Group, Meaning, Static
from ad_compiler.ir.core import Block, Function, Module, Value, walk, yielded
from ad_compiler.ir.trees import Fixed, Leaf, Tree, TupleTree, count, leaves, map_leaves
from ad_compiler.ir.types import freshen, may_vary
from ad_compiler.pipeline import Request, Stages, check_differentiable, differentiate

Keywords = dict[str, Meaning]
DERIVATIVES: dict[Any, str] = {api.grad: "grad", api.value_and_grad: "value_and_grad"}
REFUSED = (api.vjp, api.jacobian, api.hessian, api.hvp)


@dataclass(frozen=True, slots=True, eq=False)
class Derivative:
    """`grad(g)` where g is a function met while lowering, or again such a derivative."""

    of: Meaning
    mode: str
    argnums: Argnums
    has_aux: bool


class InnerCalls:
    """The callback of one lowering."""

    def __init__(self) -> None:
        self.rules: dict[Any, dict[str, Any]] = {}  # of custom functions, by what they were called with

    def __call__(
        self, low: Lowering, obj: Any, arguments: Sequence[Meaning], keywords: Keywords
    ) -> Meaning | None:
        try:
            return self._call(low, obj, arguments, keywords)
        except Error as error:
            low.findings.extend(error.diagnostics)
            raise Refused from None

    def _call(
        self, low: Lowering, obj: Any, arguments: Sequence[Meaning], keywords: Keywords
    ) -> Meaning | None:
        if isinstance(obj, Derivative | Differentiated):
            return _call_derivative(low, Static(obj), list(arguments), keywords)
        if isinstance(obj, CustomFunction):
            return self._call_custom(low, obj, list(arguments), keywords)
        if not callable(obj) or getattr(obj, "__hash__", None) is None:
            return None
        if obj in DERIVATIVES:
            return _derivative(low, DERIVATIVES[obj], arguments, keywords)
        if obj is api.jvp:
            return _call_jvp(low, arguments)
        if obj in REFUSED:
            low.refuse(
                "ADC111",
                f"`{obj.__name__}` inside a differentiated function is not supported",
                help="`grad`, `value_and_grad` and `jvp` are",
            )
        if obj is backward:
            return _hook(low, arguments)
        rule = registered(obj)
        return None if rule is None else self._call_custom(low, rule, list(arguments), keywords)

    # -- functions with a rule of the user's ----------------------------------------------------

    def _call_custom(
        self, low: Lowering, custom: CustomFunction, arguments: list[Meaning], keywords: Keywords
    ) -> Meaning:
        if custom.jvp_rule is None and custom.vjp_rules is None:
            low.refuse(
                "ADC201",
                f"`{custom.__name__}` was declared to have a rule of its own, and has none yet",
                help="give it one with `defjvp` or `defvjp`",
            )
        meanings = _in_order(low, custom, arguments, keywords)
        flat: list[Value] = []
        trees = [structure.generalised_tree(structure.hand_out(low, one, flat)) for one in meanings]
        key = (id(custom), tuple(map(structure.form, trees)))
        if key not in self.rules:
            self.rules[key] = {}
            self.rules[key].update(self._lower_custom(low, custom, trees, self.rules[key]))
        found = self.rules[key]
        outputs = found["outputs"]
        attributes = {name: value for name, value in found.items() if name != "outputs"}
        types = [freshen(leaf.payload) for leaf in leaves(outputs)]
        results = low.builder.emit("call", flat, types=types, **attributes)
        return structure.given(low, outputs, iter(results))

    def _lower_custom(
        self, low: Lowering, custom: CustomFunction, trees: list[Tree], known: dict[str, Any]
    ) -> dict[str, Any]:
        """The attributes of a call, and the tree of its result; the functions are added to the module."""
        name = _unique(low, custom.__name__)
        if _has_source(custom):
            main = _lower_function(low, custom.function, trees, name)
        else:
            main = _opaque_function(low, custom.function, trees, name)
        known |= {"callee": main.name, "outputs": structure.generalised_tree(_tree(main))}
        if custom.vjp_rules is not None:
            fwd, bwd = custom.vjp_rules
            forward = _lower_function(low, fwd, trees, f"{name}_fwd")
            if not (isinstance(forward.outputs, TupleTree) and len(forward.outputs.items) == 2):
                low.refuse("ADC208", f"the forward rule of `{name}` must return `(out, residuals)`")
            out, kept = (structure.generalised_tree(item) for item in forward.outputs.items)
            backward_rule = _lower_function(low, bwd, [kept, out], f"{name}_bwd")
            positions = _cotangent_positions(low, name, trees, _tree(backward_rule))
            return {"custom_vjp": (forward.name, backward_rule.name), "positions": positions}
        known["custom_jvp"] = f"{name}_rule"
        tangents = [map_leaves(tree, lambda leaf: leaf if may_vary(leaf.payload) else Fixed(0.0)) for tree in trees]
        rule = _lower_function(
            low, custom.jvp_rule, [TupleTree(tuple(trees)), TupleTree(tuple(tangents))], f"{name}_rule"
        )
        if count(_tree(rule)) != 2 * count(_tree(main)):
            low.refuse("ADC208", f"the rule of `{name}` must return `(out, out_dot)`, both of the result's structure")
        return {"custom_jvp": rule.name}


def _tree(function: Function) -> Tree:
    assert function.outputs is not None
    return function.outputs


def _in_order(low: Lowering, custom: CustomFunction, arguments: list[Meaning], keywords: Keywords) -> list[Meaning]:
    if not _has_source(custom):
        return [*arguments, *keywords.values()]
    closure = _closure(low, custom.function)
    return list(calls.bind(low, closure, arguments, keywords).values())


def _has_source(custom: CustomFunction) -> bool:
    return registered(custom.function) is not custom


def _closure(low: Lowering, function: Any) -> Closure:
    definition = from_function(function)
    return Closure(definition, None, calls.live_defaults(low, definition))


def _lower_function(low: Lowering, function: Any, trees: Sequence[Tree], name: str) -> Function:
    """A plain function, lowered for arguments of these trees, as a function of the module."""
    closure = _closure(low, function)
    names = parameter_names(closure.definition.node.args)
    if len(names) != len(trees):
        low.refuse("ADC208", f"`{closure.definition.name}` takes {len(names)} arguments, and is given {len(trees)}")
    by_name: dict[Any, Tree] = dict(zip(names, trees, strict=True))
    with recursion.isolated(low) as body:
        made = recursion.lower_function(low, closure, by_name, {one: one for one in names}, name, body)
    if made is None:
        low.refuse("ADC101", f"`{closure.definition.name}` raises an exception on every path")
    low.module.functions[name] = made
    return made


def _opaque_function(low: Lowering, function: Any, trees: Sequence[Tree], name: str) -> Function:
    """A function without source, called as it is."""
    module, path = _import_of(low, function)
    parameters = [Value(leaf.payload, "x") for tree in trees for leaf in leaves(tree)]
    body = Block(parameters)
    statement = f"import {module}"
    if statement not in low.module.imports and module != "numpy":
        low.module.imports = (*low.module.imports, statement)
    slots = ", ".join(f"_{k}_" for k in range(len(parameters)))
    with recursion.isolated(low) as block:
        block.parameters = parameters
        (result,) = low.builder.emit(
            "opaque", parameters, types=[parameters[0].type], template=f"{path}({slots})", pure=True
        )
        low.builder.terminate("return", [result])
        body = block
    made = Function(name, body, [], Leaf(parameters[0].type))
    low.module.functions[name] = made
    return made


def _import_of(low: Lowering, function: Any) -> tuple[str, str]:
    """The module that a function without source is found in, and how it is written there."""
    name = getattr(function, "__name__", "")
    for module in (getattr(function, "__module__", None), "math", "numpy", "scipy.special"):
        found = sys.modules.get(module) if module else None
        if module and found is not None and getattr(found, name, None) is function:
            return module, f"{'np' if module == 'numpy' else module}.{name}"
    low.refuse("ADC107", f"`{name or function!r}` is in no module under its name, so that emitted code cannot call it")


def _cotangent_positions(low: Lowering, name: str, trees: Sequence[Tree], outputs: Tree) -> tuple[int, ...]:
    """Which argument leaves the backward rule gives cotangents for."""
    if not isinstance(outputs, TupleTree) or len(outputs.items) != len(trees):
        expected = f"a tuple of {len(trees)}, one for each argument"
        low.refuse("ADC208", f"the backward rule of `{name}` must return {expected}")
    found: list[int] = []
    at = 0
    for tree, bar in zip(trees, outputs.items, strict=True):
        size = count(tree)
        if count(bar) == size:
            found.extend(range(at, at + size))
        elif count(bar):
            low.refuse("ADC208", f"the backward rule of `{name}` returns a cotangent of another structure")
        at += size
    return tuple(found)


# -- derivatives ---------------------------------------------------------------------------------------------


def _derivative(low: Lowering, mode: str, arguments: Sequence[Meaning], keywords: Keywords) -> Meaning:
    """The meaning of `grad(g, argnums, has_aux)`."""
    given = dict(zip(("f", "argnums", "has_aux"), arguments, strict=False)) | keywords
    argnums, has_aux = _constant(low, given.get("argnums"), 0), _constant(low, given.get("has_aux"), False)
    return Static(Derivative(given["f"], mode, argnums, bool(has_aux)))


def _constant(low: Lowering, meaning: Meaning | None, default: Any) -> Any:
    if meaning is None:
        return default
    if isinstance(meaning, Group):
        return tuple(_constant(low, item, None) for item in meaning.items)
    if not isinstance(meaning, Static):
        low.refuse("ADC118", "`argnums` and `has_aux` must be known when compiling")
    return meaning.value


def _chain(low: Lowering, meaning: Meaning) -> tuple[Closure, list[tuple[str, Argnums, bool]]]:
    """The function of the user's at the bottom, and the derivatives on top of it, innermost first."""
    chain: list[tuple[str, Argnums, bool]] = []
    while isinstance(meaning, Static) and isinstance(meaning.value, Derivative | Differentiated):
        one = meaning.value
        if isinstance(one, Derivative):
            chain.insert(0, (one.mode, one.argnums, one.has_aux))
            meaning = one.of
        else:
            chain.insert(0, (one.mode, one.argnums or 0, one.has_aux))
            meaning = Static(one.function)
    if isinstance(meaning, Closure):
        return meaning, chain
    if not isinstance(meaning, Static):
        low.refuse("ADC118", "which function is differentiated here must be known when compiling")
    return _closure(low, meaning.value), chain


def _call_derivative(low: Lowering, meaning: Meaning, arguments: list[Meaning], keywords: Keywords) -> Meaning:
    closure, chain = _chain(low, meaning)
    module, flat = _lowered(low, closure, arguments, keywords)
    for mode, argnums, has_aux in chain:
        module = _differentiated(module, closure, mode, argnums, has_aux)
    return _call_module(low, module, flat)


def _call_jvp(low: Lowering, arguments: Sequence[Meaning]) -> Meaning:
    """`jvp(g, primals, tangents)`."""
    meaning, primals, tangents = arguments
    if not isinstance(primals, Group) or not isinstance(tangents, Group):
        low.refuse("ADC118", "the primals and the tangents of `jvp` must be written as tuples here")
    closure, chain = _chain(low, meaning)
    module, flat = _lowered(low, closure, list(primals.items), {})
    for mode, argnums, has_aux in chain:
        module = _differentiated(module, closure, mode, argnums, has_aux)
    names = parameter_names(closure.definition.node.args)
    wrt = []
    for name, tangent in zip(names, tangents.items, strict=False):
        if not (isinstance(tangent, Static) and tangent.value is None):
            wrt.append(name)
            structure.hand_out(low, tangent, flat)
    module = differentiate(module, Request("jvp", tuple(wrt)), f"{module.main}_jvp")
    return _call_module(low, Stages().settle(module, "jvp"), flat)


def _lowered(
    low: Lowering, closure: Closure, arguments: list[Meaning], keywords: Keywords
) -> tuple[Module, list[Value]]:
    """The module of the function for these arguments, and their leaves."""
    bound = calls.bind(low, closure, arguments, keywords)
    passed: dict[Any, Meaning] = {**bound, **recursion.captured_variables(low, closure, bound)}
    flat: list[Value] = []
    trees: dict[Any, Tree] = {}
    for key, meaning in passed.items():
        trees[key] = Fixed(meaning) if recursion.is_function(meaning) else structure.hand_out(low, meaning, flat)
    names = {key: key if isinstance(key, str) else key.name for key in passed}
    with recursion.isolated(low) as body:
        made = recursion.lower_function(low, closure, trees, names, closure.definition.name, body)
    if made is None:
        low.refuse("ADC101", f"`{closure.definition.name}` raises an exception on every path")
    functions = {made.name: made, **{k: f for k, f in low.module.functions.items() if k != made.name}}
    return Stages().settle(Module(made.name, functions, low.module.imports), "lowering"), flat


def _differentiated(module: Module, closure: Closure, mode: str, argnums: Argnums, has_aux: bool) -> Module:
    names = parameter_names(closure.definition.node.args)
    chosen = [names[k] for k in positions_of(argnums, names, closure.definition.name)]
    trees = {parameter.name: parameter.tree for parameter in module.functions[module.main].parameters}
    for name in chosen:
        check_differentiable(name, names.index(name), trees.get(name, Fixed(None)))
    request = Request(mode, tuple(chosen), isinstance(argnums, int | str), has_aux)
    return Stages().settle(differentiate(module, request, f"{module.main}_{mode}"), mode)


def _call_module(low: Lowering, module: Module, flat: Sequence[Value]) -> Meaning:
    """Take the module's functions over, and call its main function."""
    names: dict[str, str] = {}
    for name in module.functions:
        if low.module.functions.get(name) is not module.functions[name]:
            names[name] = _unique(low, name)
    for name, function in module.functions.items():
        if name in names:
            function.name = names[name]
            low.module.functions[names[name]] = function
    for name in names.values():
        _rename_calls(low.module.functions[name], names)
    main = module.functions[module.main]
    types = [value.type for value in yielded(main.body)]
    results = low.builder.emit("call", flat, types=types, callee=main.name)
    return structure.given(low, _tree(main), iter(results))


def _rename_calls(function: Function, names: dict[str, str]) -> None:
    for op in walk(function.body):
        if op.name == "call":
            op.attributes["callee"] = names.get(op.attributes["callee"], op.attributes["callee"])


def _unique(low: Lowering, name: str) -> str:
    taken = {low.module.main, *low.module.functions}
    unique, k = name, 1
    while unique in taken:
        k += 1
        unique = f"{name}_{k}"
    return unique


# -- hooks ---------------------------------------------------------------------------------------------------


def _hook(low: Lowering, arguments: Sequence[Meaning]) -> Meaning:
    """`backward(x, rule)`."""
    if len(arguments) != 2:
        low.refuse("ADC117", "`backward` is called as `backward(x, rule)`")
    value = low.value(arguments[0])
    rule = arguments[1]
    bar = Value(value.type, _cotangent_name(rule))
    block = Block([bar])
    with low.on(block, low.state.copy()):
        result = low.value(calls.call(low, rule, [low.wrap(bar, bar.hint)], {}))
        low.builder.terminate("yield", [result])
    (same,) = low.builder.emit("hook", [value], types=[value.type], regions=[block])
    return low.wrap(same)


def _cotangent_name(rule: Meaning) -> str:
    if isinstance(rule, Closure):
        names = parameter_names(rule.definition.node.args)
        return names[0] if names else ""
    return ""
