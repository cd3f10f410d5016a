"""Dicts of parameters, of results, of options."""

import numpy as np

from tests.corpus import example

P = {"a": 0.7, "b": np.array([0.3, -0.9])}


@example(P)
def read_by_key(p):
    return p["a"] ** 2 + np.sum(p["b"] * p["a"])


@example(0.4, 0.9)
def literal_dict(x, y):
    d = {"x": x, "y": y}
    d["z"] = d["x"] * d["y"]
    d["x"] = d["z"] + 1.0
    return d["x"] * d["z"]


@example(0.4, 0.9)
def augmented_entries(x, y):
    d = {"total": 0.0, "count": 0}
    for k in range(4):
        d["total"] += x * k + y**2
        d["count"] += 1
    return d["total"] / d["count"]


@example(P)
def iterate_over_items(p):
    total = 0.0
    for name, value in p.items():
        total = total + np.sum(value**2) * len(name)
    return total


@example(P)
def iterate_over_keys_and_values(p):
    total = 1.0
    for key in p:
        total = total * (1.0 + np.sum(p[key]))
    for value in p.values():
        total = total + np.sum(np.sin(value))
    return total


@example(
    {"layers": [{"W": np.eye(2) * 0.4, "b": np.ones(2) * 0.1}, {"W": np.ones((2, 2)), "b": np.zeros(2)}]},
    np.array([0.3, -0.8]),
)
def nested_dicts(params, x):
    h = x
    for layer in params["layers"]:
        h = np.tanh(layer["W"] @ h + layer["b"])
    return np.sum(h)


@example(0.4, {"scale": 2.0, "power": 3}, wrt="x")
def options_dict(x, options):
    return options["scale"] * x ** options["power"] + options.get("shift", 0.5) * x


@example(0.4)
def membership_and_defaults(x):
    d = {"a": x}
    y = d.get("a", 1.0) * d.get("b", 2.0)
    if "a" in d and "c" not in d:
        y = y * x
    return y


@example(P)
def dict_entry_of_array_written(p):
    q = {"b": p["b"].copy()}
    q["b"][0] = p["a"] * p["b"][1]
    q["b"] += 1.0
    return np.sum(q["b"] ** 2)


@example(0.4, 1.1)
def dict_aliases(x, y):
    d = {"u": x}
    e = d
    e["u"] = x * y
    return d["u"] ** 2


@example(P)
def dict_comprehension(p):
    scaled = {name: value * 2.0 for name, value in p.items()}
    return np.sum(scaled["b"] * scaled["a"])


@example(P, 3)
def gradient_step_on_dict(p, steps):
    a, b = p["a"], p["b"]
    for _ in range(steps):
        g = {"a": 2 * a, "b": 2 * (b - a)}
        a = a - 0.1 * g["a"]
        b = b - 0.1 * g["b"]
    return a**2 + np.sum((b - a) ** 2)


@example(0.4, 1.1)
def integer_and_tuple_keys(x, y):
    d = {0: x, 1: y, (0, 1): x * y}
    return d[0] * d[(0, 1)] + d[1]


@example({"w": 0.5, "inner": {"u": 1.5, "v": 0.2}})
def update_and_copy(p):
    q = dict(p["inner"])
    q.update(v=p["w"] * q["u"])
    r = {**q, "u": 2.0}
    return q["v"] * r["v"] + r["u"] * p["inner"]["v"]
