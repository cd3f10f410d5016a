"""What is written in place, and where the copies go."""

from __future__ import annotations

import numpy as np

A = np.arange(12.0).reshape(3, 4)
X = np.array([1.0, -2.0, 3.0, 0.5])


def test_a_parameter_is_copied_once_before_the_loop(emits) -> None:
    emits(
        """
func f(%A: f64[n], %k: i64) -> f64[n]
  %A.2: f64[n] = for 0, %k, 1, %A
    do(%i: i64, %A.0: f64[n])
      %A.1 = setitem[index=($0,)] %A.0, 0.5, %i
      yield %A.1
  return %A.2
""",
        """
def f(A, k):
    A = A.copy()                                # the caller's arrays stay as they are
    for i in range(k):
        A[i] = 0.5
    return A
""",
        (X, 3),
        (X, 0),
    )


def test_a_parameter_is_copied_where_it_is_written(emits) -> None:
    """Only on the path that writes; what is returned is never the caller's array."""
    emits(
        """
func f(%A: f64[n], %x: f64) -> f64[n]
  %0: bool = less %x, 0.0
  %B: f64[n] = if %0
    then
      %B.1 = setitem[index=(0,)] %A, %x
      yield %B.1
    else
      yield %A
  return %B
""",
        """
def f(A, x):
    if x < 0.0:
        B = A.copy()                            # the caller's arrays stay as they are
        B[0] = x
    else:
        B = A
    return B.copy()
""",
        (X, 1.0),
        (X, -1.0),
    )


def test_writes_through_views_are_one_statement(emits) -> None:
    emits(
        """
func f(%A: f64[n, m], %i: i64, %x: f64, %v: f64[n]) -> f64[n, m]
  %A.0 = multiply %A, 2.0
  %row = getitem[index=($0,)] %A.0, %i
  %row.1 = setitem[index=(1,)] %row, %x
  %A.1 = setitem[index=($0,)] %A.0, %row.1, %i
  %row.2 = getitem[index=($0,)] %A.1, %i
  %row.3 = add_at[index=(1:,)] %row.2, %x
  %A.2 = setitem[index=($0,)] %A.1, %row.3, %i
  %0 = transpose %A.2
  %1 = setitem[index=(0,)] %0, %v
  %A.3 = transpose %1
  %2 = getitem[index=(0,)] %A.3
  %3 = multiply %2, 3.0
  %A.4 = setitem[index=(0,)] %A.3, %3
  %4 = add %A.4, 1.0
  %A.5 = setitem[index=(...,)] %A.4, %4
  return %A.5
""",
        """
def f(A, i, x, v):
    A = A * 2.0
    A[i][1] = x
    A[i][1:] += x
    A.T[0] = v
    A[0] *= 3.0
    A += 1.0
    return A
""",
        (A, 2, 7.0, np.ones(3)),
    )


def test_the_view_that_outlives_a_write_is_copied(emits) -> None:
    """The row, not the matrix; inside the loop the matrix is written in place."""
    emits(
        """
func f(%A: f64[n, m], %k: i64) -> tuple(f64[n, m], f64[m])
  %A.0 = tanh %A
  %s.2: f64[m], %A.2: f64[n, m] = for 0, %k, 1, %A.0, %A.0
    do(%i: i64, %s: f64[n, m], %A.3: f64[n, m])
      %row = getitem[index=(0,)] %A.3
      %A.4 = setitem[index=(0,)] %A.3, 0.0
      %A.5 = setitem[index=(1,)] %A.4, %row
      yield %s, %A.5
  %0 = getitem[index=(0,)] %s.2
  return %A.2, %0
""".replace("%s.2: f64[m]", "%s.2: f64[n, m]"),
        None,
        (A, 2),
        (A, 0),
    )


def test_elements_of_a_tape_are_copied(emits) -> None:
    text = emits(
        """
func f(%A: f64[n], %k: i64) -> f64[n]
  %tape = list
  %A.0 = multiply %A, 1.0
  %tape.1: list[f64[n]], %A.1: f64[n] = for 0, %k, 1, %tape, %A.0
    do(%i: i64, %tape.2: list[f64[n]], %A.2: f64[n])
      %tape.3 = append %tape.2, %A.2
      %A.3 = add_at[index=($0,)] %A.2, 0.5, %i
      yield %tape.3, %A.3
  %B: f64[n], %tape.4: list[f64[n]] = for[reversed=True] 0, %k, 1, %A.1, %tape.1
    do(%j: i64, %B.1: f64[n], %tape.5: list[f64[n]])
      %tape.6, %old = pop %tape.5
      %B.2 = multiply %B.1, %old
      yield %B.2, %tape.6
  return %B
""",
        None,
        (X, 3),
    )
    assert "tape.append(A.copy())" in text
    assert text.count(".copy()") == 1


def test_repeated_indices_add_up(emits) -> None:
    emits(
        """
func f(%A: f64[n], %v: f64[m], %index: i64[m]) -> f64[n]
  %B = multiply %A, 1.0
  %B.1 = add_at[index=($0,)] %B, %v, %index
  %B.2 = add_at[index=(1:,)] %B.1, 1.0
  return %B.2
""",
        """
def f(A, v, index):
    B = A * 1.0
    np.add.at(B, index, v)
    B[1:] += 1.0
    return B
""",
        (X, np.array([1.0, 2.0, 3.0]), np.array([0, 2, 0])),
    )


def test_swapped_arrays(emits) -> None:
    """The two may be one for all we know: the one that is written is copied."""
    text = emits(
        """
func f(%A: f64[n], %B: f64[n], %k: i64) -> tuple(f64[n], f64[n])
  %A.2: f64[n], %B.2: f64[n] = for 0, %k, 1, %A, %B
    do(%i: i64, %A.0: f64[n], %B.0: f64[n])
      %A.1 = setitem[index=($0,)] %A.0, 1.0, %i
      yield %B.0, %A.1
  return %A.2, %B.2
""",
        None,
        (X, 2 * X, 3),
        (X, 2 * X, 0),
    )
    assert "A, B = B, A" in text


def test_results_are_fresh(emits) -> None:
    """The gradient of sum(a * b) is b itself, and b belongs to the caller."""
    emits(
        """
func f(%a: f64[n], %b: f64[n], %c: f64[*]) -> tuple(f64[n], f64[n], f64[*], list[f64[n]])
  %xs = list %a
  return %b, %b, %c, %xs
""",
        """
def f(a, b, c):
    xs = [a]
    return b.copy(), b.copy(), np.positive(c), [part.copy() for part in xs]
""",
        (X, 2 * X, 3.0),
        (X, 2 * X, A),
    )


def test_accumulation_is_in_place_only_on_what_is_ours(emits) -> None:
    """`x_bar` starts as the caller's array: the first sum makes a new one."""
    emits(
        """
func f(%b: f64[n], %c: f64[n]) -> tuple(f64[n], f64[n])
  %x_bar = multiply %b, 2.0 # reverse
  %x_bar.1 = add %x_bar, %c # reverse
  %b_bar.1 = add %b, %c # reverse
  %b_bar.2 = subtract %b_bar.1, %c # reverse
  return %x_bar.1, %b_bar.2
""",
        """
def f(b, c):
    # reverse sweep
    x_bar = b * 2.0
    x_bar += c
    b_bar = b + c
    b_bar -= c
    return x_bar, b_bar
""",
        (X, 3 * X),
    )


def test_a_shape_is_read_of_what_is_there(emits) -> None:
    """The old array is not kept, under another name, for its shape."""
    text = emits(
        """
func f(%A: f64[n], %k: i64) -> tuple(f64[n], f64[n])
  %A.0 = multiply %A, 1.0
  %A.2: f64[n] = for 0, %k, 1, %A.0
    do(%i: i64, %A.3: f64[n])
      %A.1 = setitem[index=($0,)] %A.3, 1.0, %i
      yield %A.1
  %B = zeros_like %A.0
  return %A.2, %B
""",
        None,
        (X, 2),
    )
    assert "B = np.zeros_like(A)" in text
    assert "A_1" not in text
