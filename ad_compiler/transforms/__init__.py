"""SSA to SSA with a new meaning: the tangent program (`jvp`) and the adjoint program (`vjp`)."""
