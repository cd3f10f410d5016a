"""SymPy as a second opinion: what primitives mean as formulas, and checking derivatives with that."""
