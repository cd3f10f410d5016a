"""`import ad_compiler` against `import numpy`, each in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

RUNS = 7
AT_MOST = 1.6  # times `import numpy`


def seconds(statement: str) -> float:
    """The shortest of several runs of a fresh interpreter: the least disturbed one."""

    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return time.perf_counter() - start

    return min(once() for _ in range(RUNS))


def test_import_costs_about_what_numpy_costs(record_property: Any) -> None:
    bare, numpy, ours = seconds("pass"), seconds("import numpy"), seconds("import ad_compiler")
    ratio = (ours - bare) / (numpy - bare)
    record_property("import_ratio", round(ratio, 2))
    print(f"numpy {1e3 * (numpy - bare):.0f} ms, ad_compiler {1e3 * (ours - bare):.0f} ms: {ratio:.2f}x")
    assert ratio < AT_MOST
