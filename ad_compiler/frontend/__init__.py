"""From Python to SSA: `read` finds the source, `resolve` says what names mean, `lower` writes the program."""
