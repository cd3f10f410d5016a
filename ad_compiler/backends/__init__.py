"""SSA -> Python source -> callable.

`numpy.emit` is the way in: `prepare` (identities dropped, writes fused) · `analysis.ownership` (copies, writes
in place) · `schedule` (what is a statement, what is folded into one) · `names` (values -> variables) ·
`statements`, `expressions` (-> Python `ast`) · `comments` · `write` (astor -> text) · `load` (text -> callable).
"""
