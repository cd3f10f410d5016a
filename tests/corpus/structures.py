"""Parameters as nested lists, dicts, dataclasses, named tuples."""

from collections import namedtuple
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tests.corpus import example

W = np.array([[0.4, -0.3], [0.2, 0.9]])
B = np.array([0.1, -0.2])
X = np.array([0.7, 1.4])


@dataclass
class Layer:
    W: np.ndarray
    b: np.ndarray


@dataclass
class Model:
    layers: list
    scale: float


@dataclass(frozen=True)
class Oscillator:
    stiffness: float
    damping: float = 0.1


class Point(NamedTuple):
    x: float
    y: float


Spring = namedtuple("Spring", "k rest")  # noqa: PYI024


@dataclass
class State:
    position: float
    velocity: float
    history: list = field(default_factory=list)


@example([[W, B], [W.T, B * 2]], X)
def list_of_lists(params, x):
    h = x
    for W, b in params:
        h = np.tanh(W @ h + b)
    return np.sum(h)


@example([(W, B), (W.T, B * 2)], X, wrt="params")
def indexed_pairs(params, x):
    h = x
    for i in range(len(params)):
        h = np.tanh(params[i][0] @ h + params[i][1])
    return np.sum(h**2)


@example({"first": (W, B), "second": {"W": W.T, "b": [0.3, 0.4]}}, X)
def mixed_nesting(params, x):
    W, b = params["first"]
    h = np.tanh(W @ x + b)
    second = params["second"]
    out = second["W"] @ h
    return out[0] * second["b"][0] + out[1] * second["b"][1]


@example(Layer(W, B), X)
def dataclass_argument(layer, x):
    return np.sum(np.tanh(layer.W @ x + layer.b))


@example(Model([Layer(W, B), Layer(W.T, B)], 1.5), X)
def nested_dataclasses(model, x):
    h = x
    for layer in model.layers:
        h = np.tanh(layer.W @ h + layer.b)
    return model.scale * np.sum(h)


@example(Oscillator(2.0, 0.3), 1.0)
def frozen_dataclass(oscillator, x):
    v = 0.0
    for _ in range(10):
        a = -oscillator.stiffness * x - oscillator.damping * v
        v = v + 0.05 * a
        x = x + 0.05 * v
    return x**2 + v**2


@example(Point(0.3, 1.2))
def named_tuple_argument(p):
    return p.x**2 * p.y + p[1]


@example(Point(0.3, 1.2), Spring(2.0, 0.5))
def named_tuples_unpacked(p, spring):
    x, y = p
    return 0.5 * spring.k * (np.hypot(x, y) - spring.rest) ** 2


@example(0.3, 1.2)
def dataclass_built_inside(stiffness, x):
    oscillator = Oscillator(stiffness)
    q = Point(x, y=x * stiffness)
    return oscillator.stiffness * q.x**2 + oscillator.damping * q.y


@example(0.3, 1.2)
def attributes_written(x, v):
    s = State(x, v)
    for _ in range(5):
        s.velocity -= 0.1 * s.position
        s.position = s.position + 0.1 * s.velocity
    return s.position**2 + s.velocity


@example(0.3, 1.2)
def result_is_a_record(x, y):
    return Point(x * y, x + y)


@example([W, B, 0.7])
def leaves_of_several_kinds(params):
    W, b, s = params
    return np.sum(W @ b) * s


@example([1.0, [2.0, [3.0, [4.0]]]])
def deep_nesting(tree):
    a, (b, (c, (d,))) = tree
    return a * b + c * d**2


@example((0.5, 1.5), [0.2, 0.7])
def unused_parts(pair, values):
    return pair[0] * values[1]


@example({"w": W, "unused": B}, X)
def unused_entry(params, x):
    return np.sum(params["w"] @ x)


@example({"w": W, "count": 3, "name": "linear"}, X, wrt="x")
def data_beside_numbers(params, x):
    y = params["w"] @ x
    for _ in range(params["count"]):
        y = y * 0.9
    return np.sum(y) if params["name"] == "linear" else y[0]
