"""Tests of SymPy as a second opinion."""
