"""The libraries that a name in a program may lead to, and importing them safely.

    import_library : dotted name, file being read -> module

Nothing but these is ever imported on behalf of a file, and never a file beside it: a `numpy.py` in the same
folder is not NumPy.
"""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
import threading
import types
from typing import Any

LIBRARIES = frozenset(
    ("numpy", "scipy", "math", "cmath", "builtins", "functools", "itertools", "operator", "collections")
    + ("dataclasses", "typing", "copy", "random", "warnings", "ad_compiler")
)
_C_NAMES = {"_functools": "functools", "_operator": "operator", "_collections": "collections", "_random": "random"}
_lock = threading.Lock()


class NotALibraryError(LookupError):
    """The name leads out of the libraries, or nowhere."""


def root_of(obj: Any) -> str:
    """The top-level package that an object says it comes from; "" when it does not say."""
    name = obj.__name__ if isinstance(obj, types.ModuleType) else getattr(obj, "__module__", None)
    root = name.partition(".")[0] if isinstance(name, str) else ""
    return _C_NAMES.get(root, root)


def import_library(name: str, filename: str = "") -> types.ModuleType:
    """The module `name`, which must be in one of `LIBRARIES`; no file beside `filename` stands in for it."""
    root = name.partition(".")[0]
    if root not in LIBRARIES:
        raise NotALibraryError(f"`{root}` is not among the libraries that are known")
    module = sys.modules.get(name)
    if module is None:
        with _lock:
            module = _import_elsewhere(name, filename)
    if _stands_beside(sys.modules[root], filename):
        raise NotALibraryError(f"`{root}` is a file beside this one, not the library")
    return module


def member(module: types.ModuleType, name: str, filename: str = "") -> Any:
    """`module.name`, importing a submodule where it is one; only what belongs to the libraries."""
    if hasattr(module, name):
        found = getattr(module, name)
    else:
        try:
            found = import_library(f"{module.__name__}.{name}", filename)
        except NotALibraryError:
            raise NotALibraryError(f"`{module.__name__}` has no `{name}`") from None
    if isinstance(found, types.ModuleType) and root_of(found) not in LIBRARIES:
        raise NotALibraryError(f"`{module.__name__}.{name}` is the module `{found.__name__}`, which is not known")
    return found


def _import_elsewhere(name: str, filename: str) -> types.ModuleType:
    """Import without the working folder and the file's own on the path."""
    beside = {_folder(filename), os.path.realpath(os.getcwd())} - _installed()
    kept = sys.path[:]
    sys.path[:] = [entry for entry in kept if os.path.realpath(entry or ".") not in beside]
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotALibraryError(f"`{name}` cannot be imported: {error}") from None
    finally:
        sys.path[:] = kept


def _stands_beside(module: types.ModuleType, filename: str) -> bool:
    """Whether a loaded root package is a file in the folder of the file being read."""
    origin = getattr(module, "__file__", None)
    if not filename or not origin:
        return False
    home = os.path.dirname(os.path.realpath(origin))
    folder = os.path.dirname(home) if hasattr(module, "__path__") else home
    return folder == _folder(filename) and folder not in _installed() and module.__name__ != "ad_compiler"


def _folder(filename: str) -> str:
    return os.path.dirname(os.path.realpath(filename))


def _installed() -> set[str]:
    """The folders in which libraries are installed."""
    return {os.path.realpath(path) for path in sysconfig.get_paths().values()}
