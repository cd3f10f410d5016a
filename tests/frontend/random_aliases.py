"""Random programs about aliases: many names for few arrays, views, lists of arrays, writes through all of them.

`program(seed)` is the text of a function `f(x, Y, n)`.  It is meant to be hostile: most of what it does nobody
would write, and a good part of it has to be refused.  What is accepted has to be right.
"""

from __future__ import annotations

import random

VECTORS = ("a", "b", "c", "u", "v")
MATRICES = ("M", "N")
NUMBERS = ("s", "t", "r")

BEGIN = """
a = x * 1.0
b = x * 2.0
c = x
u, v = x + 1.0, x - 1.0
M = Y * 1.0
N = Y.copy()
s, t, r = 0.5, -1.0, x[0]
xs = [s, r]
ys = [1.0, 2.0]
vs = [x * 3.0, {second}]
ws = vs
p = (a, b)
d = {{'k': u, 'q': b}}

def h(e, f):
    e[0] = f[1]
    f += e

def put(i, value):
    a[i] = value

def g(e, z):
    if z > 0:
        return e
    return e * z
"""
ENDS = (
    "return s, t, r, a, b, c, u, v, M, N, xs, ys, vs, ws, p, d",
    "return s, t, r, a.copy(), M.copy(), N + 0, sum(xs), sum([q.sum() for q in vs])",
    "return s + t, a, M",
)


def program(seed: int) -> str:
    return Writer(seed).program()


class Writer:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.loop_variables: list[str] = []
        self.names = 0

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def fresh(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    # -- expressions

    def index(self, length: int = 4) -> str:
        options = [str(self.random.randrange(-length, length))]
        if self.loop_variables:
            options += [self.pick(*self.loop_variables)] * 2
        return self.pick(*options)

    def vector_name(self) -> str:
        return self.pick(*VECTORS)

    def number(self, depth: int = 0) -> str:
        kind = self.random.randrange(12)
        if kind < 3:
            return self.pick(*NUMBERS)
        if kind < 6:
            return f"{self.vector_name()}[{self.index()}]"
        if kind == 6:
            return f"{self.pick(*MATRICES)}[{self.index(3)}, {self.index(4)}]"
        if kind == 7:
            return f"{self.vector_name()}.sum()"
        if kind == 8:
            return f"xs[{self.pick('0', '-1', '1')}]"
        if kind == 9 and self.loop_variables:
            return self.pick(*self.loop_variables)
        if kind == 10 and depth < 2:
            return f"({self.number(depth + 1)} {self.pick('+', '-', '*')} {self.number(depth + 1)})"
        return str(round(self.random.uniform(-2, 2), 2))

    def vector(self, depth: int = 0) -> str:
        kind = self.random.randrange(13)
        simple = [
            f"{self.pick(*MATRICES)}[{self.index(3)}]",
            f"{self.vector_name()}[::-1]",
            f"{self.vector_name()}.copy()",
            f"np.sin({self.vector_name()})",
            f"vs[{self.pick('0', '-1')}]",
            f"({self.vector_name()} * {self.number(1)})",
            f"p[{self.pick('0', '1')}]",
            f"d['{self.pick('k', 'q')}']",
        ]
        if kind < 4:
            return self.vector_name()
        if kind < 12:
            return simple[kind - 4]
        if depth < 2:
            return f"({self.vector(depth + 1)} {self.pick('+', '-')} {self.vector(depth + 1)})"
        return f"({self.vector_name()} + 1.0)"

    def condition(self) -> str:
        kind = self.random.randrange(5)
        if kind == 0 and self.loop_variables:
            return f"{self.pick(*self.loop_variables)} % 2 == {self.pick('0', '1')}"
        if kind == 1:
            return f"{self.number(1)} > {self.number(1)} and {self.number(1)} < 3"
        return "len(xs) > 3" if kind == 2 else f"{self.number(1)} {self.pick('>', '<')} {self.number(1)}"

    # -- statements

    def simple(self) -> list[str]:
        one, two = self.vector_name(), self.vector_name()
        matrix, other = self.pick(*MATRICES), self.pick(*MATRICES)
        ends = self.pick("0", "-1")
        options = [
            [f"{self.pick(*NUMBERS)} = {self.number()}"],
            [f"{self.pick(*NUMBERS)} += {self.number()}"],
            [f"{one} = {self.vector()}"],
            [f"{one} = {two}"],
            [f"{one}[{self.index()}] = {self.number()}"],
            [f"{one}[{self.index()}] += {self.number()}"],
            [f"{one} += {self.vector()}"],
            [f"{one} *= {self.number()}"],
            [f"{one}[1:3] = {two}[{self.pick('0:2', '1:3', '2:4')}]"],
            [f"{one}[1:] += {two}[:-1]"],
            [f"{one}, {two} = {two}, {one}"],
            [f"{matrix}[{self.index(3)}] = {self.vector()}"],
            [f"{matrix}[{self.index(3)}, {self.index(4)}] = {self.number()}"],
            [f"{matrix}[:, {self.index(4)}] *= {self.number()}"],
            [f"w = {one}[1:3]", f"w[{self.pick('0', '1')}] = {self.number()}"],
            [f"w = {one}[::2]", f"w {self.pick('+=', '*=')} {self.number()}"],
            [f"T = {matrix}.T", f"T[{self.index(4)}, {self.index(3)}] = {self.number()}"],
            [f"xs.append({self.number()})"],
            [f"xs[{self.pick('0', '-1', '1')}] = {self.number()}"],
            [f"vs.append({self.vector()})"],
            [f"vs[{ends}][{self.index()}] = {self.number()}"],
            [f"{one} = vs[{ends}]"],
            [f"vs[{ends}] = {self.vector()}"],
            [f"h({one}, {two})"],
            [f"put({self.index()}, {self.number()})"],
            [f"{one} = g({two}, {self.number()})"],
            [f"p = ({one}, {two})"],
            [f"p[{self.pick('0', '1')}][{self.index()}] = {self.number()}"],
            [f"d['{self.pick('k', 'q')}'] = {self.vector()}"],
            [f"d['{self.pick('k', 'q')}'] += {self.vector()}"],
            [f"ys = {self.pick('xs', 'list(xs)', 'xs[:]', '[q * 2 for q in xs]')}"],
            [
                f"ws = {self.pick('vs', 'list(vs)', 'vs[:]', '[q.copy() for q in vs]')}",
                f"ws[{ends}][0] = {self.number()}",
            ],
            ["M, N = N, M"],
            [f"{matrix} = {other}{self.pick('', '.copy()', ' * 2.0')}"],
        ]
        return self.random.choice(options)

    def block(self, depth: int) -> list[str]:
        return [line for _ in range(self.random.randrange(1, 4)) for line in self.statement(depth)]

    def statement(self, depth: int) -> list[str]:
        kind = self.random.randrange(10)
        if depth <= 0 or kind < 6:
            return self.simple()
        if kind == 6:
            lines = [f"if {self.condition()}:", *_in(self.block(depth - 1))]
            return [*lines, "else:", *_in(self.block(depth - 1))] if self.random.random() < 0.6 else lines
        return self.counted(depth) if kind < 9 else self.walk(depth)

    def counted(self, depth: int) -> list[str]:
        i = self.fresh("i")
        self.loop_variables.append(i)
        body = self.block(depth - 1)
        if self.random.random() < 0.15:
            leave = self.pick("break", "continue", "return s + t, a, M")
            body += [f"if {self.condition()}:", f"    {leave}", *self.simple()]
        self.loop_variables.pop()
        return [f"for {i} in range({self.pick('n', '3', 'n - 1')}):", *_in(body)]

    def walk(self, depth: int) -> list[str]:
        kind = self.random.randrange(4)
        if kind == 0:
            write = f"row[{self.index()}] {self.pick('=', '+=', '*=')} {self.number()}"
            more = self.block(depth - 1) if self.random.random() < 0.4 else []
            return [f"for row in {self.pick(*MATRICES)}:", *_in([write, *more])]
        if kind == 1:
            index = self.index()
            body = self.pick(f"q[{index}] = {self.number()}", f"s += q[{index}]", "q *= 0.5", "a = a + q")
            return ["for q in vs:", f"    {body}"]
        if kind == 2:
            k = self.fresh("k")
            return [f"{k} = 0", f"while {k} < n:", *_in([f"{k} += 1", *self.block(depth - 1)])]
        return [
            "for j, q in enumerate(xs):",
            "    " + self.pick("s = s * 0.5 + q * j", "xs[j] = q * 0.5 + s", "a[0] += q"),
        ]

    def program(self) -> str:
        begin = BEGIN.format(second=self.pick("a", "x * 4.0")).strip("\n").split("\n")
        body = [line for _ in range(self.random.randrange(3, 9)) for line in self.statement(3)]
        lines = _in([*begin, *body, self.pick(*ENDS)])
        return "\n".join(["import numpy as np", "", "", "def f(x, Y, n):", *lines, ""])


def _in(lines: list[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines]
