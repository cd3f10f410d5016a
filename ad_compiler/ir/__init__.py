"""Structured SSA: the grammar (`core`, `types`, `trees`), and functions over it, one file an idea."""
