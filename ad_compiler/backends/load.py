"""Text -> namespace: run emitted source so that tracebacks, `inspect.getsource` and pdb see it.

The text is put into `linecache` under a file name that says what it is and that two equal texts share.
"""

from __future__ import annotations

import hashlib
import linecache
from typing import Any


def filename_of(text: str, name: str = "emitted") -> str:
    """`<ad_compiler f_grad 1a2b3c4d5e6f>`: the same for the same text, run after run."""
    return f"<ad_compiler {name} {hashlib.sha256(text.encode()).hexdigest()[:12]}>"


def load(text: str, filename: str | None = None, namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """The names that the text defines.  `namespace` holds the objects that it takes from around it."""
    filename = filename or filename_of(text)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    result: dict[str, Any] = {"__name__": "ad_compiler.emitted", "__file__": filename} | (namespace or {})
    exec(compile(text, filename, "exec"), result)
    return result
