"""`import ad_compiler` against `import numpy`, each in fresh interpreters with their bytecode at hand."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RUNS = 7
AT_MOST = 2.0  # times `import numpy`


def seconds(statement: str, cache: Path) -> float:
    """The shortest of several runs of a fresh interpreter: the least disturbed one.  The first writes bytecode."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(cache)

    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
        return time.perf_counter() - start

    once()
    return min(once() for _ in range(RUNS))


def test_import_costs_about_what_numpy_costs(record_property: Any, tmp_path: Path) -> None:
    bare, numpy, ours = (seconds(statement, tmp_path) for statement in ("pass", "import numpy", "import ad_compiler"))
    ratio = (ours - bare) / (numpy - bare)
    record_property("import_ratio", round(ratio, 2))
    print(f"numpy {1e3 * (numpy - bare):.0f} ms, ad_compiler {1e3 * (ours - bare):.0f} ms: {ratio:.2f}x")
    assert ratio < AT_MOST
