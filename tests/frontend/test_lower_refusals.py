"""What lowering refuses: with which code, at which place, and all of it at once."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from ad_compiler.diagnostics.diagnostic import LanguageError, span_text
from ad_compiler.frontend.lower import lower
from ad_compiler.frontend.read import from_text
from ad_compiler.ir.trees import Leaf
from ad_compiler.ir.types import unknown
from ad_compiler.specialise import signature_of

X = np.array([0.5, -1.2, 2.0, 0.7])
VALUES = {"x": X, "y": X, "A": np.ones((3, 4)), "s": 1.5, "n": 3, "k": np.array([1, 2])}

# body of `def f(x, y, A, s, n, k, u)`, the code, and the source text that it points at
REFUSED = {
    "unknown name": ("return missing(x)", "ADC102", "missing"),
    "a deleted name": ("del s\nreturn s", "ADC103", "s"),
    "name never bound": ("return later\nlater = 1", "ADC103", "later"),
    "write to a global": ("global G\nG = s\nreturn G", "ADC113", "G"),
    "unknown method": ("return x.frobnicate()", "ADC116", "x.frobnicate"),
    "unknown function": ("return np.fft.fft(x)", "ADC111", "np.fft.fft(x)"),
    "too many arguments": ("g = lambda t: t\nreturn g(s, s)", "ADC117", "g(s, s)"),
    "unknown keyword": ("return np.sum(x, initial=2.0)", "ADC117", "np.sum(x, initial=2.0)"),
    "unpacking the wrong number": ("a, b = (s, s, s)\nreturn a", "ADC117", "a, b"),
    "index out of range": ("t = (s, s)\nreturn t[2]", "ADC117", "t[2]"),
    "a missing key": ("d = {'a': s}\nreturn d['b']", "ADC117", "d['b']"),
    "a computed key": ("d = {'a': s}\nreturn d[n]", "ADC118", "d[n]"),
    "a computed axis": ("return np.sum(A, axis=n)", "ADC118", "np.sum(A, axis=n)"),
    "a class inside": ("class C:\n    pass\nreturn s", "ADC101", "class C:"),
    "try": ("try:\n    s = 1 / s\nexcept ZeroDivisionError:\n    pass\nreturn s", "ADC101", None),
    "a set": ("return len({s, 1.0})", "ADC101", "{s, 1.0}"),
    "a float as an index": ("return x[s]", "ADC119", "x[s]"),
    "a float as a bound": ("t = 0.0\nfor i in range(s):\n    t += i\nreturn t", "ADC119", None),
    "floats into integers in place": ("k += s\nreturn k", "ADC119", "k += s"),
    "a tuple changed": ("t = (s, s)\nt[0] = 1.0\nreturn t", "ADC117", "t[0]"),
    "another structure on each path": (
        "if s > 0:\n    t = (s, s)\nelse:\n    t = (s, s, s)\nreturn t[0]",
        "ADC114",
        "t[0]",
    ),
    "keys that differ": ("d = {'a': s}\nif s > 0:\n    d['b'] = s\nreturn d['a']", "ADC114", "d['a']"),
    "none on one path": ("if s > 0:\n    return s", "ADC114", None),
    "growing structure": ("t = ()\nfor i in range(n):\n    t = (t, s)\nreturn s", "ADC114", None),
    "a function returned": ("return lambda t: t * s", "ADC101", None),
    "a list that grows as it is walked": (
        "v = []\nfor i in range(n):\n    v.append(s)\nfor e in v:\n    v.append(e)\nreturn v[0]",
        "ADC101",
        None,
    ),
    "an iterator walked over twice": (
        "z, t = zip(x, y), 0.0\nfor a, b in z:\n    t += a * b\nfor a, b in z:\n    t += a\nreturn t",
        "ADC101",
        None,
    ),
    "a generator kept": ("g = (v * s for v in x)\ns = 2.0\nreturn sum(g)", "ADC101", "(v * s for v in x)"),
    "a list that shrinks as it is walked": ("v = [s, s, s]\nfor e in v:\n    v.pop()\nreturn v", "ADC101", None),
    "ravel of what may be strided": ("r = y.ravel()\nr[0] = 5.0\nreturn y", "ADC104", None),
    "a copy or not": ("r = x.astype(float, copy=False)\nr[0] = 5.0\nreturn x", "ADC104", None),
    # aliases: never guess
    "write through a name for either array": (
        "a, b = x * 1.0, y * 1.0\nfor i in range(n):\n    c = a\n    a = b\nc[0] = 1.0\nreturn a + b",
        "ADC104",
        "a + b",
    ),
    "write to what a name may stand for": (
        "a, c = x * 1.0, y * 1.0\nfor i in range(n):\n    c = a\na[0] = 1.0\nreturn c",
        "ADC104",
        None,
    ),
    "an array in a list, then written": (
        "v, b = [], x * 1.0\nfor i in range(n):\n    v.append(b)\nb[0] = 9.0\nreturn v[0]",
        "ADC104",
        None,
    ),
    "one array twice in a list, one written": (
        "v, b = [], x * 1.0\nfor i in range(n):\n    v.append(b)\nv[0][0] = 9.0\nreturn v[1]",
        "ADC104",
        None,
    ),
    "a number or an array, with an alias": ("v = u\nv += 1.0\nreturn u", "ADC104", "v += 1.0"),
    "a view of an argument that may be a copy": ("r = A.reshape(-1)\nr[0] = 5.0\nreturn A", "ADC104", None),
    "an element or a row": ("v = u[0]\nu[0] = 5.0\nreturn v", "ADC104", None),
    "a recursive function that writes": (
        "def g(a, m):\n    if m == 0:\n        return a[0]\n    a[m] = 0.0\n    return g(a, m - 1)\nreturn g(1 * x, n)",
        "ADC106",
        None,
    ),
    "endless recursion": ("def g(t):\n    return g(t + 1)\nreturn g(s)", "ADC101", None),
    "an index whose kind is unknown": ("v = A[k]\nw = A[n:][u]\nA[0, 0] = 1.0\nreturn v, w", "ADC104", None),
}  # fmt: skip


def refusal(body: str, **more: object) -> LanguageError:
    source = "import numpy as np\nG = 1.0\n\ndef f(x, y, A, s, n, k, u):\n" + textwrap.indent(body, "    ") + "\n"
    memo: dict = {}
    arguments = {name: signature_of(value, memo) for name, value in VALUES.items()} | {"u": Leaf(unknown())}
    with pytest.raises(LanguageError) as caught:
        lower(from_text(source, "f.py").definitions["f"], arguments)
    return caught.value


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    body, code, text = REFUSED[name]
    error = refusal(body)
    assert error.code == code, str(error)
    assert error.function and error.lineno and error.source_line
    if text is not None:
        assert error.diagnostics[0].span is not None
        assert span_text(error.diagnostics[0].span) == text


def test_all_findings_at_once() -> None:
    error = refusal(
        """
a = missing(x)
b = a + also_missing
if unknown_test:
    c = np.fft.fft(y)
for i in nowhere:
    d = x.frobnicate()
e = a * b
return np.nothing(e) + gone
"""
    )
    found = [(one.code, one.span.line if one.span else None) for one in error.diagnostics]
    assert found == [
        ("ADC102", 6), ("ADC102", 7), ("ADC102", 8), ("ADC111", 9), ("ADC102", 10), ("ADC116", 11),
        ("ADC102", 13), ("ADC102", 13),
    ]  # fmt: skip


def test_one_problem_is_reported_once() -> None:
    error = refusal("t = 0.0\nfor i in range(n):\n    for j in range(n):\n        t += np.fft.fft(x)\nreturn t")
    assert len(error.diagnostics) == 1


def test_a_label_says_where_the_write_was() -> None:
    error = refusal(REFUSED["an array in a list, then written"][0])
    (span, text), *_ = error.diagnostics[0].labels
    assert span_text(span) == "b[0]"
    assert "write" in text
