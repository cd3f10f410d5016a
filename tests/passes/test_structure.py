"""Rewrites of indices, shapes, broadcasts, containers and branches."""

from __future__ import annotations

import numpy as np
import pytest

from ad_compiler.ir.core import Function, Module
from ad_compiler.passes.dce import dce
from ad_compiler.passes.simplify import simplify
from tests.passes.support import check, unchanged


def tidy(function: Function, module: Module) -> bool:
    """simplify, and what it leaves unread gone."""
    changed = simplify(function, module)
    return dce(function, module) or changed


def rewrites(before: str, after: str, signature: str) -> None:
    """The body `before` becomes `after`; every op is of the reverse sweep."""
    check(tidy, _program(before, signature), _program(after, signature))


def stays(body: str, signature: str) -> None:
    unchanged(tidy, _program(body, signature))


def _program(body: str, signature: str) -> str:
    lines = [line.strip() for line in body.strip().splitlines()]
    marked = [line if line.startswith("return") else f"{line}  # reverse" for line in lines]
    return f"func f({signature})\n" + "".join(f"  {line}\n" for line in marked)


@pytest.mark.parametrize(
    ("signature", "before", "after"),
    [
        ("%x: f64[n]", "%y = copy %x\nreturn %y", "return %x"),
        ("%x: f64[n, m]", "%t = transpose %x\n%y = transpose %t\nreturn %y", "return %x"),
        (
            "%x: f64[n, m, k]",
            "%t = transpose[axes=(1, 2, 0)] %x\n%y = transpose[axes=(2, 0, 1)] %t\nreturn %y",
            "return %x",
        ),
        ("%x: f64[n], %y: f64[n]", "%a = unbroadcast %x, %y\nreturn %a", "return %x"),
        ("%x: f64[n], %y: f64[n]", "%a = broadcast_like %x, %y\nreturn %a", "return %x"),
        ("%x: f64[n, m], %y: f64[n, m]", "%a = reshape_like %x, %y\nreturn %a", "return %x"),
        ("%x: f64[n]", "%a = ravel %x\nreturn %a", "return %x"),
        ("%x: f64[n]", "%a = astype[dtype='float64'] %x\nreturn %a", "return %x"),
        ("%x: f64", "%a = sum %x\nreturn %a", "return %x"),
        ("%x: f64", "%a = to_float %x\nreturn %a", "return %x"),
        ("%x: f64", "%a = zeros_like %x\nreturn %a", "return 0.0"),
        ("%x: f64[n]", "%a = multiply %x, 3.0\nreturn %a", "%a = multiply 3.0, %x\nreturn %a"),
        ("%x: f64[n], %y: f64[n]", "%z = zeros_like %x\n%a = add %z, %y\nreturn %a", "return %y"),
        (
            "%x: f64[n], %y: f64[n]",
            "%s: f64[n] = sin %x\n%z = zeros_like %s\n%a = add %y, %z\nreturn %a",
            "return %y",
        ),
    ],
)
def test_identities(signature: str, before: str, after: str) -> None:
    rewrites(before, after, signature)


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("%x: f64[n, m]", "%t = transpose[axes=(1, 0)] %x\n%y = transpose %t\nreturn %y"),
        ("%x: f64[n], %y: f64[m]", "%a = unbroadcast %x, %y\nreturn %a"),
        ("%x: f64[n, m]", "%a = ravel %x\nreturn %a"),
        ("%x: i64[n]", "%a = astype[dtype='float64'] %x\nreturn %a"),
        ("%x: f64[n]", "%a = sum %x\nreturn %a"),
        ("%x: f64[n], %y: f64[m?]", "%z = zeros_like %x\n%a = add %z, %y\nreturn %a"),
        ("%x: f64[n], %y: i64[n]", "%z = zeros_like %x\n%a = add %z, %y\nreturn %a"),
        ("%x: f64[n]", "%a = zeros_like %x\nreturn %a"),
    ],
)
def test_what_is_no_identity(signature: str, body: str) -> None:
    stays(body, signature)


# -- scatter -------------------------------------------------------------------------------------------


def test_a_scatter_that_is_added_becomes_add_at() -> None:
    rewrites(
        """
        %a = scatter[index=($0,)] %ct, %x, %i
        %b = add %acc, %a
        %c = scatter[index=(1:,)] %part, %x
        %d = add %c, %b
        return %d
        """.replace("%c = scatter[index=(1:,)] %part, %x", "%c = scatter[index=(0,)] %ct, %x"),
        """
        %b = add_at[index=($0,)] %acc, %ct, %i
        %d = add_at[index=(0,)] %b, %ct
        return %d
        """,
        "%x: f64[n], %acc: f64[n], %ct: f64, %i: i64",
    )


def test_subtracted_and_negated_scatters() -> None:
    rewrites(
        "%a = scatter[index=(0,)] %ct, %x\n%b = negative %a\n%c = add %acc, %b\nreturn %c",
        "%0 = negative %ct\n%c = add_at[index=(0,)] %acc, %0\nreturn %c",
        "%x: f64[n], %acc: f64[n], %ct: f64",
    )
    rewrites(
        "%a = scatter[index=(0,)] %ct, %x\n%c = subtract %acc, %a\nreturn %c",
        "%0 = negative %ct\n%c = add_at[index=(0,)] %acc, %0\nreturn %c",
        "%x: f64[n], %acc: f64[n], %ct: f64",
    )


def test_an_add_at_into_zeros_too() -> None:
    rewrites(
        "%z = zeros_like %x\n%a = add_at[index=(0,)] %z, %ct\n%b = add %acc, %a\nreturn %b",
        "%b = add_at[index=(0,)] %acc, %ct\nreturn %b",
        "%x: f64[n], %acc: f64[n], %ct: f64",
    )


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        # another shape: the sum broadcasts
        (
            "%x: f64[n], %acc: f64[m?], %ct: f64",
            "%a = scatter[index=(0,)] %ct, %x\n%b = add %acc, %a\nreturn %b",
        ),
        # the sum is wider than the accumulator
        (
            "%x: f64[n], %acc: f32[n], %ct: f64",
            "%a = scatter[index=(0,)] %ct, %x\n%b = add %acc, %a\nreturn %b",
        ),
        (
            "%x: f64[n], %acc: f32[n], %ct: f64",
            "%a = scatter[index=(0,)] %ct, %x\n%b = subtract %acc, %a\nreturn %b",
        ),
        (
            "%x: f64[n], %acc: f64[n], %ct: f64",
            "%a = scatter[index=(0,)] %ct, %x\n%b = subtract %acc, %a\n%c = multiply %a, %b\nreturn %c",
        ),
        (
            "%x: f64[n], %ct: f64",
            "%a = scatter[index=(0,)] %ct, %x\n%b = negative %a\n%c = where True, %a, %b\nreturn %c",
        ),
        # read again elsewhere
        (
            "%x: f64[n], %acc: f64[n], %ct: f64",
            "%a = scatter[index=(0,)] %ct, %x\n%b = add %acc, %a\n%c = multiply %a, %b\nreturn %c",
        ),
    ],
)
def test_scatters_that_stay(signature: str, body: str) -> None:
    stays(body, signature)


# -- reading back --------------------------------------------------------------------------------------


def test_what_was_written_is_read_without_looking() -> None:
    rewrites(
        "%a = setitem[index=(1:, $0)] %x, %v, %i\n%b = getitem[index=(1:, $0)] %a, %i\n%c = sin %b\nreturn %a, %c",
        "%a = setitem[index=(1:, $0)] %x, %v, %i\n%c = sin %v\nreturn %a, %c",
        "%x: f64[n, m], %v: f64[n-1], %i: i64",
    )


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        # broadcast into the slot
        (
            "%x: f64[n], %v: f64",
            "%a = setitem[index=(:,)] %x, %v\n%b = getitem[index=(:,)] %a\nreturn %b",
        ),
        # converted on the way
        (
            "%x: f32[n], %v: f64",
            "%a = setitem[index=(0,)] %x, %v\n%b = getitem[index=(0,)] %a\nreturn %b",
        ),
        # another place, as far as we know
        (
            "%x: f64[n], %v: f64, %i: i64, %j: i64",
            "%a = setitem[index=($0,)] %x, %v, %i\n%b = getitem[index=($0,)] %a, %j\nreturn %b",
        ),
        # an index array may name an element twice
        (
            "%x: f64[n], %v: f64[k], %i: i64[k]",
            "%a = setitem[index=($0,)] %x, %v, %i\n%b = getitem[index=($0,)] %a, %i\nreturn %b",
        ),
    ],
)
def test_reads_that_stay(signature: str, body: str) -> None:
    stays(body, signature)


# -- broadcasts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signature", "before", "after"),
    [
        (  # a number beside an array
            "%ct: f64, %x: f64[n]",
            "%s = spread %ct, %x\n%a = multiply %s, %x\nreturn %a",
            "%a = multiply %ct, %x\nreturn %a",
        ),
        (  # leading axes
            "%ct: f64[m], %x: f64[n, m]",
            "%s = spread[axis=0] %ct, %x\n%a = multiply %x, %s\nreturn %a",
            "%a = multiply %x, %ct\nreturn %a",
        ),
        (  # other axes
            "%ct: f64[n], %x: f64[n, m]",
            "%s = spread[axis=1] %ct, %x\n%a = multiply %x, %s\nreturn %a",
            "%0 = expand_dims[axis=1] %ct\n%a = multiply %x, %0\nreturn %a",
        ),
        (
            "%ct: f64[n, 1], %x: f64[n, m]",
            "%s = spread[axis=1, keepdims=True] %ct, %x\n%a = subtract %x, %s\nreturn %a",
            "%a = subtract %x, %ct\nreturn %a",
        ),
        (  # compute on the number
            "%ct: f64, %k: f64, %x: f64[n]",
            "%s = spread %ct, %x\n%a = divide %s, %k\n%b = negative %a\nreturn %b",
            "%0 = divide %ct, %k\n%1 = negative %0\n%b = spread %1, %x\nreturn %b",
        ),
        (
            "%ct: f64[m], %x: f64[n, m]",
            "%s = broadcast_like %ct, %x\n%a = where True, %x, %s\nreturn %a",
            "%a = where True, %x, %ct\nreturn %a",
        ),
    ],
)
def test_broadcasts_that_an_operation_does_itself(signature: str, before: str, after: str) -> None:
    rewrites(before, after, signature)


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("%ct: f64, %x: f64[n], %y: f64[m?]", "%s = spread %ct, %x\n%a = multiply %s, %y\nreturn %a"),
        # in which dtype to compute would be another question
        ("%ct: f64, %x: f32[n]", "%s = broadcast_like %ct, %x\n%a = multiply %s, %x\nreturn %a"),
        # how many axes there are is not known
        ("%ct: f64[*c], %x: f64[*x]", "%s = spread[axis=0] %ct, %x\n%a = multiply %s, %x\nreturn %a"),
        ("%ct: f64, %x: f64[n]", "%s = spread %ct, %x\n%a = clip %s, None, %x\nreturn %a"),
        # spread over different things
        (
            "%ct: f64, %x: f64[n], %y: f64[m?]",
            "%s = spread %ct, %x\n%t = spread %ct, %y\n%a = multiply %s, %t\nreturn %a",
        ),
    ],
)
def test_broadcasts_that_stay(signature: str, body: str) -> None:
    stays(body, signature)


def test_sums_over_broadcasts_in_a_row() -> None:
    check(
        tidy,
        """
        func f(%k: f64, %u: f64[*u], %s: f64[*s], %ct: f64[*c]) -> f64[*u]
          %a = unbroadcast %ct, %s                          # reverse
          %b = multiply %k, %a                              # reverse
          %c = negative %b                                  # reverse
          %d = unbroadcast %c, %u                           # reverse
          return %d
        """,
        """
        func f(%k: f64, %u: f64[*u], %s: f64[*s], %ct: f64[*c]) -> f64[*u]
          %0 = multiply %k, %ct                             # reverse
          %1 = negative %0                                  # reverse
          %d = unbroadcast %1, %u                           # reverse
          return %d
        """,
        2.0,
        np.ones((1,)),
        np.ones((3,)),
        np.arange(6.0).reshape(2, 3),
    )


def test_a_product_of_arrays_between_two_sums_stays() -> None:
    body = "%a = unbroadcast %ct, %s\n%b = multiply %s, %a\n%d = unbroadcast %b, %u\nreturn %d"
    stays(body, "%u: f64[*u], %s: f64[*s], %ct: f64[*c]")
    body = "%a = unbroadcast %ct, %s\n%b = divide 1.0, %a\n%d = unbroadcast %b, %u\nreturn %d"
    stays(body, "%u: f64[*u], %s: f64[*s], %ct: f64[*c]")


# -- containers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("%t = tuple %x, %y\n%a = tuple_get[position=1] %t\nreturn %a", "return %y"),
        ("%t = list %x, %y\n%a = list_get %t, 0\nreturn %a", "return %x"),
        ("%t = list %x, %y\n%a = list_get %t, -1\nreturn %a", "return %y"),
        ("%t = list %x, %y\n%a = list_len %t\nreturn %a", "return 2"),
        (
            "%t = list %x, %y\n%u = zeros_like %t\n%v = append %u, %y\n%z = zeros_like %v\n%a = list_len %z\nreturn %a",
            "%t = list %x, %y\n%u = zeros_like %t\n%v = append %u, %y\n%a = list_len %v\nreturn %a",
        ),
        ("%t = list %x\n%u = append %t, %y\n%a = list_get %u, -1\nreturn %a", "return %y"),
        ("%t = list %x\n%u = append %t, %y\n%v, %a = pop %u\nreturn %v, %a", "%t = list %x\nreturn %t, %y"),
    ],
)
def test_containers(before: str, after: str) -> None:
    rewrites(before, after, "%x: f64, %y: f64")


def test_an_index_that_is_out_of_range_stays() -> None:
    stays("%t = list %x, %y\n%a = list_get %t, 2\nreturn %a", "%x: f64, %y: f64")


# -- branches ------------------------------------------------------------------------------------------


def test_a_branch_on_a_constant() -> None:
    check(
        tidy,
        """
        func f(%x: f64)
          %a, %b = if True
            then
              %c = sin %x
              %d = exp %c
              yield %d, %c
            else
              yield %x, %x
          %e = add %a, %b
          return %e
        """,
        """
        func f(%x: f64)
          %c = sin %x
          %d = exp %c
          %e = add %d, %c
          return %e
        """,
    )


def test_the_same_number_on_both_sides() -> None:
    check(
        tidy,
        """
        func f(%x: f64)
          %p = less %x, 1.0
          %a, %b = if %p
            then
              yield 0.0, 0.0
            else
              yield 0.0, -0.0
          return %a, %b
        """,
        """
        func f(%x: f64)
          %p = less %x, 1.0
          %b = if %p
            then
              yield 0.0
            else
              yield -0.0
          return 0.0, %b
        """,
    )
