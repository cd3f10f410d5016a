"""A whole random program, as source text, and arguments for it: parameters, helpers, control flow."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.random_programs.expressions import SCALAR, Expressions, Helper, Name, Type, array
from tests.random_programs.statements import Statements

KINDS: dict[str, frozenset[str]] = {
    "scalar": frozenset({"branches", "loops", "whiles", "helpers", "closures"}),
    "arrays": frozenset({"arrays", "branches", "loops", "helpers"}),
    "functional": frozenset(
        {"arrays", "branches", "loops", "whiles", "helpers", "closures", "lists", "comprehensions"} | {"recursion"}
    ),
    "inplace": frozenset({"arrays", "branches", "loops", "writes", "views"}),
    "containers": frozenset({"arrays", "branches", "loops", "lists", "append", "dicts", "helpers"}),
    "mixed": frozenset(
        {"arrays", "branches", "loops", "whiles", "helpers", "closures", "lists", "append", "dicts"}
        | {"writes", "views", "returns", "recursion"}
    ),
}


@dataclass(frozen=True)
class Program:
    seed: int
    kind: str
    source: str
    args: tuple[Any, ...]


def program(seed: int, kind: str | None = None) -> Program:
    """The program of this seed.  Kinds take turns, unless one is asked for."""
    kind = kind or list(KINDS)[seed % len(KINDS)]
    return Generator(random.Random(f"{kind} {seed}"), kind, KINDS[kind]).program(seed)


class Generator(Statements):
    """Writes one program."""

    # -- the whole ------------------------------------------------------------------------------------

    def program(self, seed: int) -> Program:
        head = [f"# random program, kind {self.kind}, seed {seed}", "import math", "", "import numpy as np", ""]
        helpers = self.helpers() if "helpers" in self.features else []
        parameters = self.parameters()
        self.draw.scope = list(parameters)
        if "arrays" in self.features and self.rng.random() < 0.2:
            self.result = array(3)
        if "closures" in self.features and self.rng.random() < 0.5:
            self.closure()
        self.block(self.rng.randint(2, 7))
        self.line(f"return {self.final()}")
        text = [*head, *helpers, "", f"def f({', '.join(name.name for name in parameters)}):", *self.lines]
        return Program(seed, self.kind, "\n".join(text) + "\n", tuple(self.value(name.type) for name in parameters))

    def parameters(self) -> list[Name]:
        scalars = [Name(name, SCALAR) for name in ("x", "y")[: self.rng.randint(1, 2)]]
        if "arrays" not in self.features:
            return scalars
        arrays = [
            Name("v", array(3)),
            Name("w", array(self.rng.choice([3, 4]))),
            Name("A", array(3, self.rng.choice([3, 4]))),
        ]
        chosen = scalars + self.rng.sample(arrays, self.rng.randint(1, 3))
        if "dicts" in self.features and self.rng.random() < 0.4:
            chosen.append(Name("p", Type("dict")))
        if "append" in self.features and self.rng.random() < 0.3:
            chosen.append(Name("xs", Type("list", element=SCALAR, size=2)))
        return chosen

    def value(self, type: Type) -> Any:
        numbers = np.random.default_rng(self.rng.randrange(10**6))
        if type.kind == "dict":
            return {"a": float(numbers.uniform(-1.2, 1.2)), "b": float(numbers.uniform(-1.2, 1.2))}
        if type.kind == "list":
            return [float(number) for number in numbers.uniform(-1.2, 1.2, type.size)]
        return float(numbers.uniform(-1.2, 1.2)) if type == SCALAR else numbers.uniform(-1.2, 1.2, type.shape)

    def final(self) -> str:
        """A result that depends on most of what the program made."""
        terms = []
        for name in self.draw.names(lambda type: True):
            kind, element = name.type.kind, name.type.element
            if kind == "scalar":
                terms.append(self.rng.choice([name.name, f"np.sin({name.name})", f"{name.name} ** 2"]))
            elif kind == "array":
                terms.append(
                    self.rng.choice(
                        [f"np.sum({name.name})", f"np.sum({name.name} ** 2)", f"np.mean(np.cos({name.name}))"]
                    )
                )
            elif kind == "list" and element == SCALAR:
                terms.append(f"sum({name.name})")
            elif kind == "list" and name.type.size:
                terms.append(f"np.sum({name.name}[-1])")
            elif kind == "dict":
                terms.append(f'{name.name}["a"]')
        self.rng.shuffle(terms)
        total = " + ".join(terms[:6]) or "1.0"
        if self.result == SCALAR:
            return total
        return f"{self.draw.array(self.result.shape, 1)} * ({total})"

    # -- helpers --------------------------------------------------------------------------------------

    def helpers(self) -> list[str]:
        """Some module-level functions, of scalars and arrays; where writing is allowed, one that writes."""
        text: list[str] = []
        shapes = [SCALAR] + ([array(3)] if "arrays" in self.features else [])
        for number in range(self.rng.randint(0, 2)):
            types = tuple(self.rng.choice(shapes) for _ in range(self.rng.randint(1, 2)))
            result = self.rng.choice(shapes)
            inner = Generator(self.rng, self.kind, self.features & {"arrays", "branches", "writes"})
            names = [Name("pqr"[k], type) for k, type in enumerate(types)]
            inner.draw.scope = list(names)
            inner.result = result
            inner.features -= {"writes"} if self.rng.random() < 0.7 else set()
            inner.block(self.rng.randint(0, 2))
            if "branches" in self.features and self.rng.random() < 0.3:
                inner.line(f"if {inner.draw.condition()}:")
                inner.line(f"    return {inner.draw.of(result, 1)}")
            inner.line(f"return {inner.draw.of(result)}")
            text += ["", f"def helper_{number}({', '.join(name.name for name in names)}):", *inner.lines, ""]
            self.draw.helpers.append(Helper(f"helper_{number}", types, result))
        if "writes" in self.features and self.rng.random() < 0.5:
            text += ["", "def relax(u, s):", "    u[0] = u[0] * 0.5 + s", "    u[1:] *= np.cos(s)", ""]
            self.draw.helpers.append(Helper("relax", (array(3), SCALAR), None))
        if self.rng.random() < 0.3:
            text += ["", "def pair(a, b):", f"    return {self.rng.choice(['a * b', 'np.sin(a)'])}, a + 0.5 * b", ""]
            self.has_pair = True
        if "recursion" in self.features and self.rng.random() < 0.3:
            text += ["", "def down(t, n=3):", "    if n == 0 or t > 2.0:", "        return t"]
            text += ["    return 0.5 * np.sin(down(t * 0.9, n - 1)) + t", ""]
            self.draw.helpers.append(Helper("down", (SCALAR,), SCALAR))
        return text

    def closure(self) -> None:
        body = Expressions(self.rng, self.features)
        body.scope = [*self.draw.names(lambda type: type.kind in ("scalar", "array")), Name("t", SCALAR)]
        if self.rng.random() < 0.5:
            self.line(f"local = lambda t: {body.scalar(2)}")
        else:
            self.line("def local(t):")
            self.line(f"    return {body.scalar(2)}")
        self.draw.helpers.append(Helper("local", (SCALAR,), SCALAR))

    # -- control, and the choice of a statement ----------------------------------------------------------

    def statement(self) -> None:
        options = [self.assign_scalar] * 3 + [self.augment_scalar] * 2
        if "arrays" in self.features:
            options += [self.assign_array] * 4
        if "writes" in self.features:
            options += [self.write] * 5 + [self.augment_array] * 2 + [self.write_by_helper]
        if "views" in self.features:
            options += [self.alias] * 3
            if self.draw.names(lambda type: type.kind == "array"):
                options += [self.swap_arrays]
        if self.has_pair:
            options += [self.two_results]
        if "lists" in self.features:
            options += [self.make_list] * 2
        if "append" in self.features:
            options += [self.change_list] * 3
        if "dicts" in self.features:
            options += [self.make_dict]
        if self.depth < 3:
            if "branches" in self.features:
                options += [self.branch] * 2
            if "loops" in self.features:
                options += [self.for_loop] * 3
            if "whiles" in self.features:
                options += [self.while_loop]
        if self.loops and self.depth >= 2 and "branches" in self.features:
            options += [self.leave]
        if len(self.draw.names(lambda type: type.kind == "scalar")) > 1:
            options += [self.swap]
        self.rng.choice(options)()

    def branch(self) -> None:
        shared = self.fresh("s") if self.rng.random() < 0.3 else None
        heads = [f"if {self.draw.condition()}:"]
        if self.rng.random() < 0.25:
            heads.append(f"elif {self.draw.condition()}:")
        if shared or self.rng.random() < 0.6:
            heads.append("else:")
        for head in heads:
            self.line(head)
            self.inside(self.some())
            if shared:
                self.line(f"    {shared} = {self.draw.scalar(2)}")
        if shared:
            self.define(shared, SCALAR)

    def for_loop(self) -> None:
        self.loops += 1
        arrays = self.draw.names(lambda type: type.kind == "array")
        roll = self.rng.random()
        if arrays and roll < 0.35:
            self.loop_over_array(self.rng.choice(arrays))
        elif roll < 0.45 and self.draw.names(lambda type: type.kind == "list" and type.element == SCALAR):
            base = self.rng.choice(self.draw.names(lambda type: type.kind == "list" and type.element == SCALAR))
            entry = self.fresh("e")
            self.line(f"for {entry} in {base.name}:")
            kept = self.features
            self.features = self.features - {"append"}  # a list that grows while it is walked never ends
            self.inside(self.some(), Name(entry, SCALAR))
            self.features = kept
        else:
            index = self.fresh("i")
            trips = self.rng.choice([0, 1, 2, 3, 3, 4])
            form = f"range({trips})"
            if trips > 1 and self.rng.random() < 0.3:
                form = self.rng.choice([f"range(1, {trips})", f"range({trips - 1}, -1, -1)", f"range(0, {trips}, 2)"])
            self.line(f"for {index} in {form}:")
            self.inside(self.some(), Name(index, Type("int", size=trips)))
        self.loops -= 1

    def loop_over_array(self, base: Name) -> None:
        shape = base.type.shape
        entry = self.fresh("row" if len(shape) == 2 else "e")
        inner = SCALAR if len(shape) == 1 else array(*shape[1:])
        roll = self.rng.random()
        if roll < 0.35:
            index = self.fresh("i")
            self.line(f"for {index}, {entry} in enumerate({base.name}):")
            self.inside(self.some(), Name(entry, inner), Name(index, Type("int", size=shape[0])))
        elif roll < 0.5:
            other = self.fresh("e")
            partner = self.draw.array((shape[0],), 1)
            self.line(f"for {entry}, {other} in zip({base.name}, {partner}):")
            self.inside(self.some(), Name(entry, inner), Name(other, SCALAR))
        else:
            self.line(f"for {entry} in {base.name}:")
            self.inside(self.some(), Name(entry, inner))

    def while_loop(self) -> None:
        self.loops += 1
        counter = self.fresh("n")
        extra = f" and {self.draw.condition()}" if self.rng.random() < 0.4 else ""
        self.line(f"{counter} = 0")
        trips = self.rng.randint(1, 4)
        self.line(f"while {counter} < {trips}{extra}:")
        self.line(f"    {counter} += 1")
        self.inside(self.some(), Name(counter, Type("int", size=trips + 1)))
        self.loops -= 1

    def leave(self) -> None:
        """`if …: break`, `continue` or, rarely, `return`."""
        way = self.rng.choice(["break", "continue"])
        if "returns" in self.features and self.rng.random() < 0.2:
            way = f"return {self.draw.of(self.result, 1)}"
        self.line(f"if {self.draw.condition()}:")
        self.line(f"    {way}")
