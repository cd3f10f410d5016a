"""Random expressions of a wanted type over the names in scope: smooth and bounded enough to difference."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Type:
    """What a name holds: "scalar", "array" (of `shape`), "int", "list" (of `element`), "function"."""

    kind: str
    shape: Shape = ()
    element: Type | None = None
    size: int = 0  # of a list: the least length; of an int: all values lie in range(size)


SCALAR = Type("scalar")


def array(*shape: int) -> Type:
    return Type("array", shape)


@dataclass
class Name:
    name: str
    type: Type


@dataclass
class Helper:
    """A function that can be called: parameter types and the type of the result (None: it writes only)."""

    name: str
    parameters: tuple[Type, ...]
    result: Type | None


UNARY = ("np.sin({})", "np.cos({})", "np.tanh({})", "np.exp(-{}**2)", "np.sqrt(1.0 + {}**2)", "np.arctan({})", "-{}",
         "{} ** 2", "1.0 / (1.5 + {}**2)", "np.log(1.2 + {}**2)", "0.5 * {}", "({} - 0.3) ** 3 * 0.2")  # fmt: skip
MATH = ("math.sin({})", "math.exp(-{} * {})", "math.atan({})", "math.cos({})")
BINARY = ("{} + {}", "{} - {}", "{} * {}", "{} / (2.0 + np.cos({}))", "0.7 * {} - 0.2 * {}", "np.sin({}) * {}")


class Expressions:
    """Draws expressions; `scope` is the list of names that may be read, innermost last."""

    def __init__(self, rng: random.Random, features: frozenset[str]) -> None:
        self.rng = rng
        self.features = features
        self.scope: list[Name] = []
        self.helpers: list[Helper] = []

    def names(self, fits: Callable[[Type], bool]) -> list[Name]:
        return [name for name in self.scope if fits(name.type)]

    def maybe(self, probability: float) -> bool:
        return self.rng.random() < probability

    def constant(self) -> str:
        return str(round(self.rng.uniform(-1.5, 1.5), 2))

    def of(self, type: Type, depth: int = 2) -> str:
        return self.scalar(depth) if type.kind == "scalar" else self.array(type.shape, depth)

    def atom(self, text: str) -> str:
        """The text as an operand: in parentheses where it needs them."""
        simple = text.replace("_", "").replace(".", "").isalnum()
        closed = text.endswith((")", "]")) and text[0].isalpha() and _one_primary(text)
        return text if simple or closed else f"({text})"

    def fill(self, template: str, *operands: str) -> str:
        """The template with its operands, in parentheses where they need them."""
        parts = template.split("{}")
        text = parts[0]
        for operand, after in zip(operands, parts[1:], strict=True):
            alone = text.endswith("(") and after.startswith(")")
            text += (operand if alone else self.atom(operand)) + after
        return text

    # -- scalars ---------------------------------------------------------------------------------------

    def scalar(self, depth: int = 2) -> str:
        options: list[Callable[[int], str]] = [self.scalar_leaf] * 2
        if depth > 0:
            options += [self.scalar_unary] * 2 + [self.scalar_binary] * 4
            if self.names(lambda type: type.kind == "array"):
                options += [self.reduction] * 3
            if self.fitting_helpers(SCALAR):
                options += [self.helper_call] * 2
            if "branches" in self.features:
                options.append(self.choice)
            if "lists" in self.features and self.names(lambda type: type.kind == "list"):
                options += [self.list_reduction] * 2
        return self.rng.choice(options)(depth)

    def scalar_leaf(self, depth: int = 0) -> str:
        candidates = [name.name for name in self.names(lambda type: type.kind == "scalar")] * 2
        for name in self.names(lambda type: type.kind == "array" and 0 not in type.shape):
            candidates.append(self.element(name))
        for name in self.names(lambda type: type.kind == "list" and type.element == SCALAR and type.size > 0):
            candidates.append(f"{name.name}[{self.rng.choice([0, -1, self.rng.randrange(name.type.size)])}]")
        for name in self.names(lambda type: type.kind == "int"):
            candidates.append(f"0.3 * {name.name}")
        if not candidates or self.maybe(0.12):
            return self.constant()
        return self.rng.choice(candidates)

    def element(self, name: Name) -> str:
        """One element of an array, by constants or by loop variables that fit."""
        indices = [self.index(length) for length in name.type.shape]
        if len(indices) == 2 and self.maybe(0.2):
            return f"{name.name}[{indices[0]}][{indices[1]}]"
        return f"{name.name}[{', '.join(indices)}]"

    def index(self, length: int) -> str:
        variables = [name.name for name in self.names(lambda type: type.kind == "int" and 0 < type.size <= length)]
        if variables and self.maybe(0.6):
            return self.rng.choice(variables)
        return str(self.rng.randrange(-1 if length > 1 else 0, length))

    def scalar_unary(self, depth: int) -> str:
        template = self.rng.choice(UNARY if self.maybe(0.8) else MATH)
        return self.fill(template, *[self.scalar(depth - 1)] * template.count("{}"))

    def scalar_binary(self, depth: int) -> str:
        template = self.rng.choice(BINARY)
        return self.fill(template, self.scalar(depth - 1), self.scalar(depth - 1))

    def reduction(self, depth: int) -> str:
        name = self.rng.choice(self.names(lambda type: type.kind == "array"))
        text = self.array(name.type.shape, depth - 1)
        forms = ["np.sum({})", "np.mean({})", "np.sum({0} * {0})", "np.max({})", "np.linalg.norm({} + 2.0)"]
        if text.isidentifier():
            forms += ["{}.sum()", "{}.mean()"]
        if len(name.type.shape) == 1:
            forms += [f"np.dot({{}}, {self.array(name.type.shape, depth - 1)})", "{0} @ {0}"]
        form = self.rng.choice(forms)
        return form.format(self.atom(text) if "@" in form or "*" in form else text)

    def choice(self, depth: int) -> str:
        return f"{self.scalar(depth - 1)} if {self.condition()} else {self.scalar(depth - 1)}"

    def list_reduction(self, depth: int) -> str:
        name = self.rng.choice(self.names(lambda type: type.kind == "list"))
        if name.type.element != SCALAR:
            return f"np.sum({name.name}[0])" if name.type.size else f"0.1 * len({name.name})"
        return self.rng.choice([
            f"sum({name.name})", f"0.1 * len({name.name})", f"sum([np.sin(e) for e in {name.name}])",
            f"sum(e * e for e in {name.name})",
        ])  # fmt: skip

    def fitting_helpers(self, result: Type) -> list[Helper]:
        def possible(type: Type) -> bool:
            return type.kind == "scalar" or bool(self.names(lambda other: other == type))

        return [h for h in self.helpers if h.result == result and all(map(possible, h.parameters))]

    def helper_call(self, depth: int, result: Type = SCALAR) -> str:
        helper = self.rng.choice(self.fitting_helpers(result))
        return f"{helper.name}({', '.join(self.argument(type, depth) for type in helper.parameters)})"

    def argument(self, type: Type, depth: int) -> str:
        if type.kind == "scalar":
            return self.scalar(depth - 1)
        return self.rng.choice(self.names(lambda other: other == type)).name

    def condition(self) -> str:
        """A condition on data or on a counter."""
        counters = self.names(lambda type: type.kind == "int")
        if counters and self.maybe(0.5):
            counter = self.rng.choice(counters).name
            return self.rng.choice([f"{counter} % 2 == 0", f"{counter} > 1", f"{counter} < 2"])
        left, right = self.scalar_leaf(), self.constant()
        if left.strip("-").replace(".", "").isdigit():
            left = self.scalar_leaf()
        text = f"{left} {self.rng.choice('<>')} {right}"
        if self.maybe(0.2):
            text = f"({text} {self.rng.choice(['and', 'or'])} {self.scalar_leaf()} > {self.constant()})"
        return f"not {left} > {right}" if self.maybe(0.05) else text

    # -- arrays ----------------------------------------------------------------------------------------

    def array(self, shape: Shape, depth: int = 2) -> str:
        options: list[Callable[[Shape, int], str]] = [self.array_leaf] * 3
        if depth > 0:
            options += [self.array_unary] * 3 + [self.array_binary] * 5 + [self.array_special] * 3
            if self.fitting_helpers(Type("array", shape)):
                options += [lambda shape, depth: self.helper_call(depth, Type("array", shape))] * 2
        return self.rng.choice(options)(shape, depth)

    def array_leaf(self, shape: Shape, depth: int = 0) -> str:
        candidates = [name.name for name in self.names(lambda type: type == Type("array", shape))] * 2
        for name in self.names(lambda type: type.kind == "array"):
            candidates += self.parts(name, shape)
        for name in self.names(
            lambda type: type.kind == "list" and type.element == Type("array", shape) and type.size > 0
        ):
            candidates.append(f"{name.name}[{self.rng.choice([0, -1])}]")
        if not candidates or self.maybe(0.05):
            return self.creation(shape)
        return self.rng.choice(candidates)

    def creation(self, shape: Shape) -> str:
        size = str(shape[0]) if len(shape) == 1 else str(shape)
        if len(shape) == 1 and self.maybe(0.4):
            return f"np.array([{', '.join(self.scalar(1) for _ in range(shape[0]))}])"
        return self.rng.choice(
            [f"np.ones({size})", f"np.full({size}, {self.scalar_leaf()})", f"np.zeros({size}) + {self.scalar_leaf()}"]
        )

    def parts(self, name: Name, shape: Shape) -> list[str]:
        """Ways to take an array of `shape` out of this one by basic indexing."""
        have, text = name.type.shape, name.name
        found = []
        if len(have) == 1 and len(shape) == 1:
            n, k = have[0], shape[0]
            if k == n:
                found.append(f"{text}[::-1]")
            if 0 < k < n:
                start = self.rng.randrange(n - k + 1)
                found.append(f"{text}[{start}:{start + k}]")
                found.append(f"{text}[{n - k}:]" if self.maybe(0.5) else f"{text}[:{k}]")
                if n - k == 1:
                    found.append(f"{text}[1:]" if self.maybe(0.5) else f"{text}[:-1]")
            if k == (n + 1) // 2:
                found.append(f"{text}[::2]")
        if len(have) == 2 and len(shape) == 1:
            if have[1] == shape[0]:
                found.append(f"{text}[{self.index(have[0])}]")
            if have[0] == shape[0]:
                found.append(f"{text}[:, {self.index(have[1])}]")
        if len(have) == 2 and len(shape) == 2:
            if have[::-1] == shape:
                found.append(f"{text}.T")
            if have[0] - shape[0] == 1 and have[1] == shape[1]:
                found.append(self.rng.choice([f"{text}[1:]", f"{text}[:-1, :]"]))
        return found

    def array_unary(self, shape: Shape, depth: int) -> str:
        template = self.rng.choice(UNARY)
        return self.fill(template, *[self.array(shape, depth - 1)] * template.count("{}"))

    def array_binary(self, shape: Shape, depth: int) -> str:
        template = self.rng.choice(BINARY)
        left, right = self.array(shape, depth - 1), self.partner(shape, depth - 1)
        if self.maybe(0.3):
            left, right = right, left
        return self.fill(template, left, right)

    def partner(self, shape: Shape, depth: int) -> str:
        """An operand that broadcasts to `shape`."""
        roll = self.rng.random()
        if roll < 0.25:
            return self.scalar(depth)
        if roll < 0.45 and len(shape) == 2:
            if self.maybe(0.5):
                return self.array((shape[1],), depth)
            return f"{self.atom(self.array((shape[0],), depth))}[:, None]"
        return self.array(shape, depth)

    def array_special(self, shape: Shape, depth: int) -> str:
        first, second = self.array(shape, depth - 1), self.array(shape, depth - 1)
        chosen = self.partner(shape, depth - 1)
        forms = [
            f"np.where({self.atom(first)} > {self.constant()}, {second}, {chosen})",
            f"np.maximum({first}, {second})",
            f"np.cumsum({first}, axis=0)",
            f"np.roll({first}, 1, axis=0)",
        ]
        if len(shape) == 1:
            n = shape[0]
            wide = sorted(
                {name.type.shape for name in self.names(lambda type: type.kind == "array" and len(type.shape) == 2)}
            )
            for rows, columns in wide:
                if rows == n:
                    forms += [
                        self.fill("{} @ {}", self.array((rows, columns), depth - 1), self.array((columns,), depth - 1))
                    ]
                    forms += [f"np.sum({self.array((rows, columns), depth - 1)}, axis=1)"]
                if columns == n:
                    forms += [f"np.mean({self.array((rows, columns), depth - 1)}, axis=0)"]
            if n > 1:
                forms.append(f"np.concatenate([{self.array((n - 1,), 0)}, {self.array((1,), 0)}])")
            picked = [self.rng.randrange(n) for _ in range(n)]
            forms.append(f"{self.atom(first)}[{picked}]")
            if "lists" in self.features:
                forms.append(f"np.array([np.sin(e) for e in {first}])")
        else:
            forms.append(f"np.outer({self.array((shape[0],), 0)}, {self.array((shape[1],), 0)})")
            forms.append(f"{self.atom(first)} / (3.0 + np.sum({self.atom(second)} ** 2, axis=1, keepdims=True))")
            if shape[0] == shape[1]:
                forms.append(f"{self.atom(first)} @ {self.atom(second)}")
        return self.rng.choice(forms)


def _one_primary(text: str) -> bool:
    """Whether the text is one name followed by calls, indices and attributes only."""
    depth = 0
    for character in text:
        depth += character in "([{"
        depth -= character in ")]}"
        if depth == 0 and character in " +-*/@<>":
            return False
    return True
