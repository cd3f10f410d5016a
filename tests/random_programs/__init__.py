"""Random programs: readable Python and NumPy functions made up from a seed, each derivative judged.

    python -m tests.random_programs --count 1000 --seed 0

`generate` writes a program, `judge` says whether its derivatives are right, wrong, refused or crashed,
`shrink` makes a failing program small.  The same seed gives the same program, always.
"""
