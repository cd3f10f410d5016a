"""Emitted text, kept on disk between processes.

    load  : key -> text | None        None: not there, or not to be trusted; then it is compiled again
    store : key, text -> None

The folder is `AD_COMPILER_CACHE` (`off` turns the cache off), else `ad_compiler` in the user's cache folder.
Nothing here raises for a folder that cannot be used; `info()` says why it cannot.

What is promised: an entry is text with a SHA-256 over key and text, never a pickle; file names are hashes only;
the folder is ours and 0700, files are ours and 0600, else they are refused; no symbolic link is followed; an
entry appears whole or not at all.  The sum is no signature: who can write as the user can do more anyway.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import itertools
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"ad_compiler cache 1\n"
MOST_BYTES = 64_000_000  # of all entries; the least recently used go first
LARGEST = 4_000_000  # of one entry
CHECK_EVERY = 32  # stores between two looks at the total size

_ENTRY = re.compile(r"[0-9a-f]{64}\.txt")
_LEFT_OVER = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{16}\.tmp")
_POSIX = hasattr(os, "getuid") and hasattr(os, "O_NOFOLLOW") and os.open in os.supports_dir_fd
_stores = itertools.count()


class _UnusableError(Exception):
    """The folder is not to be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Info:
    folder: Path | None
    entries: int
    bytes: int
    problem: str | None  # why the folder is not used, if it is not


def load(key: str) -> str | None:
    """The text stored for exactly this key."""
    name = _name(key)
    with contextlib.suppress(_UnusableError, OSError, ValueError), _opened(create=False) as folder:
        data = _read(folder, name)
        text = _verified(data, key)
        if text is None:
            os.unlink(name, dir_fd=folder)
            return None
        with contextlib.suppress(OSError):
            os.utime(name, dir_fd=folder, follow_symlinks=False)  # used just now
        return text
    return None


def store(key: str, text: str) -> None:
    """Keep `text` for `key`.  Does nothing when it is too large or the folder cannot be used."""
    name = _name(key)
    with contextlib.suppress(_UnusableError, OSError, ValueError):
        data = _entry(key, text)
        if len(data) > LARGEST:
            return
        with _opened(create=True) as folder:
            _write(folder, name, data)
            if next(_stores) % CHECK_EVERY == 0:
                _trim(folder)


def info() -> Info:
    where = folder()
    try:
        with _opened(create=False) as opened:
            sizes = [status.st_size for _, status in _statuses(opened)]
            return Info(where, len(sizes), sum(sizes), None)
    except FileNotFoundError:
        return Info(where, 0, 0, None)  # it is made when something is stored
    except (_UnusableError, OSError, ValueError) as error:
        return Info(where, 0, 0, str(error))


def clear() -> int:
    """Remove every entry (and nothing else that may be in the folder); how many there were."""
    removed = 0
    with contextlib.suppress(_UnusableError, OSError, ValueError), _opened(create=False) as folder:
        for name in os.listdir(folder):
            if _ENTRY.fullmatch(name) or _LEFT_OVER.fullmatch(name):
                os.unlink(name, dir_fd=folder)
                removed += bool(_ENTRY.fullmatch(name))
    return removed


def entries() -> list[Path]:
    """The files of the cache."""
    where = folder()
    with contextlib.suppress(_UnusableError, OSError, ValueError), _opened(create=False) as opened:
        assert where is not None
        return sorted(where / name for name, _ in _statuses(opened))
    return []


def folder() -> Path | None:
    """Where the cache is or would be; None when it is turned off, or there is no home folder."""
    chosen = os.environ.get("AD_COMPILER_CACHE")
    if chosen == "off":
        return None
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if chosen:
            return Path(chosen).expanduser()
        if os.path.isabs(base):
            return Path(base) / "ad_compiler"
        return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ad_compiler"
    except RuntimeError:  # no home
        return None


# --------------------------------------------------------------------------------------------- an entry


def _name(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest() + ".txt"


def _entry(key: str, text: str) -> bytes:
    """magic, sum, length of the key, key, text."""
    body = b"%d\n" % len(key.encode()) + key.encode() + text.encode()
    return MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _verified(data: bytes, key: str) -> str | None:
    """The text of an entry that is whole, was made for this key, and is a module of functions."""
    if not data.startswith(MAGIC):
        return None
    summed, _, body = data[len(MAGIC) :].partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != summed:
        return None
    length, _, rest = body.partition(b"\n")
    size = int(length) if length.isdigit() else -1
    if size < 0 or rest[:size] != key.encode():
        return None
    text = rest[size:].decode()
    return text if _is_emitted(text) else None


def _is_emitted(text: str) -> bool:
    """Whether the text has the form of what we emit: loading it defines functions and calls nothing."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            at_load: list[ast.expr | None] = [*statement.args.defaults, *statement.args.kw_defaults]
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
            at_load = [statement.value]
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            at_load = []
        else:
            return False
        if any(isinstance(node, ast.Call) for value in at_load if value is not None for node in ast.walk(value)):
            return False
    return True


# ------------------------------------------------------------------------------------------- the folder


@contextlib.contextmanager
def _opened(*, create: bool) -> Iterator[int]:
    """A descriptor of the folder, checked: everything else goes through it, so nothing can be swapped under us."""
    if not _POSIX:
        raise _UnusableError("this system has no way to check who may write a file")
    where = folder()
    if where is None:
        raise _UnusableError("the cache is turned off, or this user has no home folder")
    if create:
        where.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(where, 0o700)
    try:
        descriptor = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        why = "it is a symbolic link" if where.is_symlink() else error.strerror
        raise _UnusableError(f"`{where}` cannot be opened as a folder: {why}") from None
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid():
            raise _UnusableError(f"`{where}` belongs to another user")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _UnusableError(f"others may write to `{where}` (chmod 700 mends that)")
        yield descriptor
    finally:
        os.close(descriptor)


def _read(folder: int, name: str) -> bytes:
    """The bytes of a file that is ours alone to write; OSError or _UnusableError otherwise."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid()
        if not ours or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _UnusableError(f"`{name}` is not a file that only this user can write")
        return file.read(LARGEST + 1)


def _write(folder: int, name: str, data: bytes) -> None:
    """Under another name first, so that a reader sees all of it or nothing."""
    temporary = f".{name.removesuffix('.txt')}.{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _trim(folder: int) -> None:
    """Remove the least recently used entries beyond the size that is allowed."""
    found = sorted(_statuses(folder), key=lambda each: each[1].st_mtime_ns, reverse=True)
    total = 0
    for name, status in found:
        total += status.st_size
        if total > MOST_BYTES:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)


def _statuses(folder: int) -> Iterator[tuple[str, os.stat_result]]:
    for name in os.listdir(folder):
        if _ENTRY.fullmatch(name):
            with contextlib.suppress(OSError):
                yield name, os.stat(name, dir_fd=folder, follow_symlinks=False)
