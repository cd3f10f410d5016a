"""`check` on the corpus: every look that decides says yes.  A fifth of it here; the numbers are all in test_corpus."""

from __future__ import annotations

import copy
import inspect

import pytest

import ad_compiler
from ad_compiler.symbolic import check as checking
from tests import corpus

EXAMPLES = [example for example in corpus.load() if example.refused is None and example.smooth]


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES[::5], ids=lambda example: example.name)
def test_nothing_is_wrong(example: corpus.Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "BUDGET", 1.0)
    names = list(inspect.signature(example.function).parameters)
    report = ad_compiler.check(example.function, *copy.deepcopy(example.args), wrt=[names[k] for k in example.wrt])
    assert report.ok, str(report)


@pytest.mark.parametrize("name", ["star_arguments", "result_is_a_record", "clip_and_masks", "quadratic_root"])
def test_shapes_of_calls_and_results(name: str) -> None:
    example = next(example for example in corpus.load() if example.function.__name__ == name)
    report = ad_compiler.check(example.function, *copy.deepcopy(example.args))
    assert report.ok, str(report)
    assert report.proved
