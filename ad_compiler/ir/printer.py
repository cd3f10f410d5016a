"""The text form of a program: `show(module | function | block) -> str`, which `parser.parse` reads back.

    func power(%x: f64, %n: i64) -> f64
      %a: f64 = for 0, %n, 1, 1.0                     # line 4
        do(%i: i64, %a.1: f64)
          %a.2: f64 = multiply %a.1, %x               # line 5
          yield %a.2
      return %a

Constants stand where they are read.  A symbol that occurs once prints as `?` (a length) or `*` (a shape);
one that occurs again gets a number or keeps its label, so that equal symbols stay equal.  A length that is
not known to differ from 1 carries a `?` after its label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ad_compiler.ir import trees
from ad_compiler.ir.core import Block, Function, Module, Op, Parameter, SliceItem, Slot, Value, walk
from ad_compiler.ir.types import Dim, ListType, Opaque, Symbol, Tensor, TupleType, Type, Undefined

COMMENT_COLUMN = 52
ARRAY_ELEMENTS = 1000  # of a constant array; a larger one is named only
REGION_LABELS = {"if": ("then", "else"), "while": ("cond", "do")}
TREES = (trees.Leaf, trees.Fixed, trees.TupleTree, trees.ListTree, trees.DictTree, trees.RecordTree)
TYPES = (Tensor, ListType, TupleType, Opaque, Undefined)


def show(program: Module | Function | Block) -> str:
    """The program as text, one op a line."""
    if isinstance(program, Module):
        symbols = SymbolNames(program.functions.values())
        texts = [_show_function(function, symbols) for function in program.functions.values()]
        return "\n".join([*_module_header(program), *texts])
    if isinstance(program, Function):
        return _show_function(program, SymbolNames([program]))
    symbols = SymbolNames([Function("", program)])
    return "\n".join(_block_lines(program, ValueNames(), symbols, 0)) + "\n"


def _module_header(module: Module) -> list[str]:
    """`main` and `imports`, where they are not what one function alone already says."""
    lines = [f"import {statement!r}" for statement in module.imports]
    if next(iter(module.functions), None) != module.main:
        lines.append(f"main {module.main}")
    return lines


class ValueNames:
    """Names for the values of one function: the hint, numbered when it is taken; a number without a hint."""

    def __init__(self) -> None:
        self.names: dict[Value, str] = {}
        self.taken: set[str] = set()
        self.next: Counter[str] = Counter()

    def of(self, value: Value) -> str:
        name = self.names.get(value)
        if name is None:
            name = self.names[value] = self._fresh(_identifier(value.hint))
            self.taken.add(name)
        return name

    def _fresh(self, hint: str) -> str:
        if hint and hint not in self.taken:
            return hint
        while True:
            name = f"{hint}.{self.next[hint] + 1}" if hint else str(self.next[hint])
            self.next[hint] += 1
            if name not in self.taken:
                return name


def _identifier(hint: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in hint)


class SymbolNames:
    """Labels for the symbols of a program, each its own."""

    def __init__(self, functions: Any) -> None:
        self.count: Counter[Symbol] = Counter()
        for type in _all_types(functions):
            self.count.update(_symbols(type))
        self.labels: dict[Symbol, str] = {}
        self.taken: set[str] = set()
        self.anonymous = 0

    def of(self, symbol: Symbol) -> str:
        label = self.labels.get(symbol)
        if label is None:
            label = self.labels[symbol] = self._fresh(symbol)
            self.taken.add(label)
        return label

    def _fresh(self, symbol: Symbol) -> str:
        label = symbol.label.rstrip("?*")
        if not label and symbol.many:
            label = "n"
        if not label:
            if self.count[symbol] < 2:
                return ""
            self.anonymous += 1
            return str(self.anonymous)
        name, number = label, 0
        while name in self.taken:
            number += 1
            name = f"{label}.{number}"
        return name

    def dim(self, dim: Dim) -> str:
        if dim.symbol is None:
            return str(dim.offset)
        label = self.of(dim.symbol)
        if label[:1].isdigit() or not label:
            label = "?" + label
        elif not dim.symbol.many:
            label += "?"
        return f"{label}{dim.offset:+d}" if dim.offset else label

    def type(self, type: Type) -> str:
        if isinstance(type, Tensor):
            if type.shape == ():
                return type.dtype
            if isinstance(type.shape, Symbol):
                return f"{type.dtype}[*{self.of(type.shape)}]"
            return f"{type.dtype}[{', '.join(map(self.dim, type.shape))}]"
        if isinstance(type, ListType):
            return f"list[{self.type(type.element)}]"
        if isinstance(type, TupleType):
            return f"tuple[{', '.join(map(self.type, type.elements))}]"
        if isinstance(type, Opaque):
            return f"opaque({type.label})"
        return "undef"


def _all_types(functions: Any) -> Iterator[Type]:
    """Every type that is printed."""
    for function in functions:
        yield from (value.type for value in function.body.parameters)
        for tree in [function.outputs] if function.outputs is not None else []:
            yield from (leaf.payload for leaf in trees.leaves(tree) if isinstance(leaf.payload, TYPES))
        for op in walk(function.body):
            yield from (value.type for value in op.results if op.name != "constant")
            yield from (value.type for region in op.regions for value in region.parameters)


def _symbols(type: Type) -> Iterator[Symbol]:
    if isinstance(type, Tensor):
        shape = (Dim(type.shape),) if isinstance(type.shape, Symbol) else type.shape
        yield from (dim.symbol for dim in shape if dim.symbol is not None)
    elif isinstance(type, ListType):
        yield from _symbols(type.element)
    elif isinstance(type, TupleType):
        for element in type.elements:
            yield from _symbols(element)


def _show_function(function: Function, symbols: SymbolNames) -> str:
    names = ValueNames()
    flat = iter(function.body.parameters)
    shown = [_show_parameter(parameter, flat, names, symbols) for parameter in function.parameters]
    shown += [f"%{names.of(value)}: {symbols.type(value.type)}" for value in flat]
    arrow = "" if function.outputs is None else f" -> {_show_outputs(function, symbols)}"
    head = f"func {function.name}({', '.join(shown)}){arrow}"
    if function.span is not None:
        head = f"{head.ljust(COMMENT_COLUMN - 2)}  # line {function.span.line}"
    lines = [head]
    if function.docstring is not None:
        lines.append(f"  doc {function.docstring!r}")
    lines += _block_lines(function.body, names, symbols, 1)
    return "\n".join(lines) + "\n"


def _show_parameter(parameter: Parameter, flat: Iterator[Value], names: ValueNames, symbols: SymbolNames) -> str:
    def leaf(_: trees.Leaf) -> str:
        value = next(flat)
        return f"%{names.of(value)}: {symbols.type(value.type)}"

    text = show_tree(parameter.tree, leaf, symbols)
    if not text.startswith(f"%{parameter.name}:"):
        text = f"{parameter.name} = {text}"
    prefix = {"keyword": "keyword ", "star": "*", "kwargs": "**"}.get(parameter.kind, "")
    default = "" if parameter.default is None else f" default {parameter.default!r}"
    annotation = "" if parameter.annotation is None else f" annotation {parameter.annotation!r}"
    return prefix + text + default + annotation


def _show_outputs(function: Function, symbols: SymbolNames) -> str:
    returned = function.body.ops[-1].operands if function.body.ops else []
    types = iter([value.type for value in returned])

    def leaf(one: trees.Leaf) -> str:
        actual = next(types, None)
        type = one.payload if isinstance(one.payload, TYPES) else actual
        return "_" if type is None else symbols.type(type)

    return show_tree(function.outputs, leaf, symbols)


def show_tree(tree: Any, leaf: Any, symbols: SymbolNames) -> str:
    if isinstance(tree, trees.Leaf):
        return leaf(tree)
    if isinstance(tree, trees.Fixed):
        return f"fixed({show_value(tree.value, symbols)})"
    items = [show_tree(item, leaf, symbols) for item in tree.items]
    if isinstance(tree, trees.TupleTree):
        return f"tuple({', '.join(items)})"
    if isinstance(tree, trees.ListTree):
        return f"list({', '.join(items)})"
    keyed = ", ".join(f"{show_value(key, symbols)}: {item}" for key, item in zip(tree.keys, items, strict=True))
    if isinstance(tree, trees.DictTree):
        return f"dict({keyed})"
    return f"record {getattr(tree.cls, '__name__', tree.cls)}({keyed})"


def _block_lines(block: Block, names: ValueNames, symbols: SymbolNames, depth: int) -> list[str]:
    """The ops of the block, its regions indented below the op they belong to."""
    lines: list[str] = []
    stack: list[tuple[Iterator[Any], int]] = [(iter(block.ops), depth)]
    while stack:
        ops, depth = stack[-1]
        item = next(ops, None)
        if item is None:
            stack.pop()
        elif isinstance(item, Op):
            if item.name == "constant":
                continue
            lines.append(_op_line(item, names, symbols, depth))
            labels = REGION_LABELS.get(item.name, ("do",) * len(item.regions))
            stack.append((iter(list(zip(labels, item.regions, strict=True))), depth + 1))
        else:
            label, region = item
            shown = [f"%{names.of(value)}: {symbols.type(value.type)}" for value in region.parameters]
            head = f"{label}({', '.join(shown)})" if shown or label in ("do", "cond") else label
            lines.append("  " * depth + head)
            stack.append((iter(region.ops), depth + 1))
    return lines


def _op_line(op: Op, names: ValueNames, symbols: SymbolNames, depth: int) -> str:
    operands = [_show_operand(value, names, symbols) for value in op.operands]
    results = [f"%{names.of(value)}: {symbols.type(value.type)}" for value in op.results]
    attributes = ", ".join(f"{key}={show_value(value, symbols)}" for key, value in op.attributes.items())
    head = f"{op.name}[{attributes}]" if attributes else op.name
    text = "  " * depth + (f"{', '.join(results)} = " if results else "") + head
    text += f" {', '.join(operands)}" if operands else ""
    notes = ([f"line {op.span.line}"] if op.span is not None else []) + ([op.phase] if op.phase else [])
    return f"{text.ljust(COMMENT_COLUMN - 2)}  # {', '.join(notes)}" if notes else text


def _show_operand(value: Value, names: ValueNames, symbols: SymbolNames) -> str:
    if value.op is not None and value.op.name == "constant":
        return show_value(value.op.attributes["value"], symbols)
    return "%" + names.of(value)


def show_value(value: Any, symbols: SymbolNames | None = None) -> str:
    """A number, string, index or structure, as a literal that the parser reads."""
    symbols = symbols or SymbolNames([])
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return repr(value)  # repr of an infinity is `inf`, and of a nan `nan`
    if kind is complex:
        return f"complex({value.real!r}, {value.imag!r})"
    if value is Ellipsis:
        return "..."
    if isinstance(value, Slot):
        return f"${value.position}"
    if isinstance(value, SliceItem):
        start, stop, step = ["" if part is None else show_value(part) for part in (value.start, value.stop, value.step)]
        return f"{start}:{stop}" + (f":{step}" if step else "")
    if kind in (tuple, list):
        items = ", ".join(show_value(item, symbols) for item in value)
        return f"({items}{',' if len(value) == 1 else ''})" if kind is tuple else f"[{items}]"
    if kind is dict:
        return "{" + ", ".join(f"{show_value(k, symbols)}: {show_value(v, symbols)}" for k, v in value.items()) + "}"
    if isinstance(value, TREES):
        return "tree " + show_tree(value, lambda leaf: _show_leaf(leaf, symbols), symbols)
    if isinstance(value, TYPES):
        return f"type {symbols.type(value)}"
    return _show_object(value)


def _show_leaf(leaf: trees.Leaf, symbols: SymbolNames) -> str:
    return "leaf()" if leaf.payload is None else f"leaf({show_value(leaf.payload, symbols)})"


def _show_object(value: Any) -> str:
    """A NumPy scalar, a class, or anything else, which the parser can only name again."""
    module = type(value).__module__
    if module == "numpy" and hasattr(value, "dtype") and getattr(value, "shape", None) == ():
        return f"numpy({value.dtype.name!r}, {show_value(value.item())})"
    if module == "numpy" and type(value).__name__ == "ndarray" and value.size <= ARRAY_ELEMENTS:
        return f"array({show_value(value.tolist())}, {value.dtype.name!r})"
    if isinstance(value, type) and value.__module__ in ("builtins", "numpy"):
        return f"class({value.__module__}.{value.__name__})"
    name = getattr(value, "__qualname__", None) or repr(value)
    return f"object({name!r})"
