"""Random statements without control flow: assignments, writes into arrays, lists and dicts."""

from __future__ import annotations

import random

from tests.random_programs.expressions import SCALAR, Expressions, Name, Type, array


class Statements:
    """Writes statements into `lines`; a subclass says which there are (`statement`)."""

    def __init__(self, rng: random.Random, kind: str, features: frozenset[str]) -> None:
        self.rng = rng
        self.kind = kind
        self.features = features
        self.draw = Expressions(rng, self.features)
        self.lines: list[str] = []
        self.depth = 1
        self.loops = 0
        self.counter = 0
        self.result: Type = SCALAR
        self.has_pair = False

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def fresh(self, prefix: str) -> str:
        self.counter += 1
        return f"{prefix}{self.counter}"

    def statement(self) -> None:
        raise NotImplementedError

    def block(self, count: int) -> None:
        for _ in range(count):
            self.statement()

    def some(self) -> int:
        """How many statements a block gets: fewer the deeper it is."""
        return self.rng.choice([1, 2, 3]) if self.depth == 1 else self.rng.choice([1, 1, 2])

    def inside(self, count: int, *names: Name) -> None:
        """An indented block with extra names; what it defines is forgotten after it."""
        kept = len(self.draw.scope)
        self.draw.scope = self.draw.scope + list(names)
        lists = [name for name in self.draw.scope if name.type.kind == "list"]
        sizes = [name.type for name in lists]
        self.depth += 1
        self.block(count)
        self.depth -= 1
        del self.draw.scope[kept:]
        for name, type in zip(lists, sizes, strict=True):  # what is appended here may not be there afterwards
            name.type = type

    def tame(self, text: str) -> str:
        """In a loop most values go through something bounded, so that they do not grow."""
        if self.loops and self.rng.random() < 0.75:
            return self.rng.choice(["np.sin({})", "np.tanh({})", "0.5 * np.cos({})"]).format(text)
        return text

    def target(self, type: Type, prefix: str) -> str:
        """A name to assign to: a new one, or an old one of the type, which is rebound."""
        old = self.draw.names(lambda other: other == type)
        if old and (self.loops or self.rng.random() < 0.5):
            return self.rng.choice(old).name
        return self.fresh(prefix)

    def define(self, name: str, type: Type) -> None:
        if all(known.name != name for known in self.draw.scope):
            self.draw.scope.append(Name(name, type))

    def assign_scalar(self) -> None:
        text = self.tame(self.draw.scalar(2))
        name = self.target(SCALAR, "s")
        self.line(f"{name} = {text}")
        self.define(name, SCALAR)

    def augment_scalar(self) -> None:
        scalars = self.draw.names(lambda type: type.kind == "scalar")
        if not scalars:
            return self.assign_scalar()
        name = self.rng.choice(scalars).name
        operator, text = self.rng.choice(["+=", "-=", "*="]), self.tame(self.draw.scalar(1))
        return self.line(f"{name} {operator} {text}")

    def some_shape(self) -> tuple[int, ...]:
        shapes = [name.type.shape for name in self.draw.names(lambda type: type.kind == "array")]
        return self.rng.choice([*shapes, (3,)])

    def assign_array(self) -> None:
        shape = self.some_shape()
        text = self.draw.array(shape, 2)
        if "views" not in self.features or not self.loops:
            text = self.tame(text)
        elif self.loops:
            text = f"np.sin({text})"
        if self.features.isdisjoint({"writes"}) or "(" in text or "+" in text:
            name = self.target(array(*shape), "u")
            self.line(f"{name} = {text}")
            self.define(name, array(*shape))
        else:
            self.alias()

    def alias(self) -> None:
        """Another name for an array, or for a part of it."""
        arrays = self.draw.names(lambda type: type.kind == "array")
        if not arrays:
            return self.assign_scalar()
        base = self.rng.choice(arrays)
        shape = base.type.shape
        forms = [(base.name, shape)]
        smaller = [(1,), (2,), (3,), (4,), shape[::-1]] if len(shape) == 2 else [(shape[0],), (shape[0] - 1,)]
        for wanted in smaller:
            if 0 not in wanted:
                forms += [(text, wanted) for text in self.draw.parts(base, wanted)]
        if len(shape) == 2 and self.rng.random() < 0.3:
            forms.append((f"{base.name}.reshape(-1)", (shape[0] * shape[1],)))
        forms.sort()
        text, wanted = self.rng.choice(forms)
        name = self.fresh("view")
        self.line(f"{name} = {text}")
        return self.define(name, array(*wanted))

    def augment_array(self) -> None:
        arrays = self.draw.names(lambda type: type.kind == "array")
        if not arrays:
            return self.assign_scalar()
        name = self.rng.choice(arrays)
        text = self.draw.partner(name.type.shape, 1)
        return self.line(f"{name.name} {self.rng.choice(['+=', '-=', '*='])} {self.tame(text)}")

    def write(self) -> None:
        """An element or a part of an array is assigned or augmented."""
        arrays = self.draw.names(lambda type: type.kind == "array")
        if not arrays:
            return self.assign_scalar()
        base = self.rng.choice(arrays)
        operator = self.rng.choice(["=", "=", "+=", "*=", "-="])
        if self.rng.random() < 0.12:
            rows = sorted(self.rng.sample(range(base.type.shape[0]), min(2, base.type.shape[0])))
            inside = self.rng.choice([str(rows), f"{base.name} > {self.draw.constant()}"])
            return self.line(f"{base.name}[{inside}] {operator} {self.tame(self.draw.scalar(1))}")
        if self.rng.random() < 0.45:
            target, text = self.draw.element(base), self.draw.scalar(1)
        else:
            shape = base.type.shape
            smaller = [(n,) for n in range(1, max(shape) + 1)] + ([(shape[0] - 1, *shape[1:])] if shape[0] > 1 else [])
            parts = sorted(
                (part, wanted) for wanted in smaller for part in self.draw.parts(base, wanted) if ".T" not in part
            )
            whole = [(f"{base.name}[:]", shape)]
            target, wanted = self.rng.choice(parts + whole)
            text = self.draw.partner(wanted, 1)
        return self.line(f"{target} {operator} {self.tame(text)}")

    def write_by_helper(self) -> None:
        writers = [helper for helper in self.draw.helpers if helper.result is None]
        arrays = self.draw.names(lambda type: type == array(3))
        if not writers or not arrays:
            return self.write()
        return self.line(f"relax({self.rng.choice(arrays).name}, {self.draw.scalar(1)})")

    def make_list(self) -> None:
        if "comprehensions" in self.features and self.rng.random() < 0.4:
            counter = Name("k", Type("int", size=3))
            self.draw.scope.append(counter)
            text, size = f"[{self.draw.scalar(1)} for k in range(3)]", 3
            self.draw.scope.remove(counter)
            element = SCALAR
        else:
            element = array(3) if "arrays" in self.features and self.rng.random() < 0.3 else SCALAR
            size = self.rng.randint(0 if "append" in self.features else 1, 3)
            text = f"[{', '.join(self.draw.of(element, 1) for _ in range(size))}]"
        name = self.fresh("xs")
        self.line(f"{name} = {text}")
        self.draw.scope.append(Name(name, Type("list", element=element, size=size)))

    def change_list(self) -> None:
        lists = self.draw.names(lambda type: type.kind == "list")
        if not lists:
            return self.make_list()
        name = self.rng.choice(lists)
        element = name.type.element or SCALAR
        if name.type.size and self.rng.random() < 0.4:
            position = self.rng.choice([0, -1])
            operator = self.rng.choice(["=", "+="]) if element == SCALAR else "="
            return self.line(f"{name.name}[{position}] {operator} {self.tame(self.draw.of(element, 1))}")
        if self.rng.random() < 0.15 and name.type.size > 1 and not self.loops and self.depth == 1 and element == SCALAR:
            target = self.fresh("s")
            self.line(f"{target} = {name.name}.pop()")
            name.type = Type("list", element=element, size=name.type.size - 1)
            return self.define(target, SCALAR)
        self.line(f"{name.name}.append({self.tame(self.draw.of(element, 1))})")
        name.type = Type("list", element=element, size=name.type.size + 1)
        return None

    def make_dict(self) -> None:
        dicts = self.draw.names(lambda type: type.kind == "dict")
        if dicts and self.rng.random() < 0.6:
            name = self.rng.choice(dicts).name
            return self.line(f'{name}["a"] {self.rng.choice(["=", "+=", "*="])} {self.tame(self.draw.scalar(1))}')
        name = self.fresh("d")
        self.line(f'{name} = {{"a": {self.draw.scalar(1)}, "b": {self.draw.scalar(1)}}}')
        self.draw.scope.append(Name(name, Type("dict")))
        return None

    def swap_arrays(self) -> None:
        """Two names of arrays of one shape change places."""
        first = self.rng.choice(self.draw.names(lambda type: type.kind == "array"))
        others = [name for name in self.draw.names(lambda type: type == first.type) if name is not first]
        if not others:
            return self.write()
        second = self.rng.choice(others).name
        return self.line(f"{first.name}, {second} = {second}, {first.name}")

    def two_results(self) -> None:
        """A helper that returns a tuple, unpacked."""
        names = [self.target(SCALAR, "s"), self.fresh("s")]
        arguments = f"{self.draw.scalar(1)}, {self.draw.scalar(1)}"
        self.line(f"{names[0]}, {names[1]} = pair({arguments})")
        for name in names:
            self.define(name, SCALAR)

    def swap(self) -> None:
        first, second = self.rng.sample(self.draw.names(lambda type: type.kind == "scalar"), 2)
        right = (
            f"{second.name}, {first.name}"
            if self.rng.random() < 0.5
            else f"{second.name}, {self.tame(self.draw.scalar(1))}"
        )
        self.line(f"{first.name}, {second.name} = {right}")
