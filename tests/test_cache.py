"""The cache on disk: what is kept, and what is not believed."""

from __future__ import annotations

import multiprocessing
import os
import stat
import sys
from pathlib import Path

import pytest

from ad_compiler import cache

TEXT = '"""Doc."""\nimport numpy as np\n\nN = 3\n\n\ndef f(x, n=2):\n    return np.sin(x) * n\n'

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the cache is off there")


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    where = tmp_path / "some" / "cache"
    monkeypatch.setenv("AD_COMPILER_CACHE", str(where))
    return where


def only(home: Path) -> Path:
    (entry,) = cache.entries()
    assert entry.parent == home
    return entry


def test_what_is_stored_is_loaded(home):
    assert cache.load("key") is None
    cache.store("key", TEXT)
    assert cache.load("key") == TEXT
    assert cache.load("other key") is None
    cache.store("key", TEXT.replace("sin", "cos"))
    assert "cos" in cache.load("key")
    assert cache.info() == cache.Info(home, 1, only(home).stat().st_size, None)


def test_nothing_is_made_by_looking(home):
    assert cache.load("key") is None
    assert cache.info() == cache.Info(home, 0, 0, None)
    assert cache.entries() == []
    assert cache.clear() == 0
    assert not home.exists()


def test_names_are_hashes_and_modes_are_tight(home):
    cache.store("../../evil/name", TEXT)
    entry = only(home)
    assert len(entry.stem) == 64
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert os.listdir(home) == [entry.name]


def test_keys_and_texts_in_any_script(home):
    cache.store("ключ\n\0", TEXT + "# β\n")
    assert cache.load("ключ\n\0") == TEXT + "# β\n"
    cache.store("\ud800", TEXT)
    cache.store("key", "x = '\ud800'")
    assert cache.load("\ud800") is None
    assert cache.load("key") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b"sin", b"cos"),
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data + b"x",
        lambda data: b"\xff" * len(data),
        lambda data: data[: len(cache.MAGIC)],
        lambda data: data.replace(b"cache 1", b"cache 2"),
        lambda data: data[len(cache.MAGIC) :],
    ],
)
def test_a_damaged_entry_is_dropped(home, damage):
    cache.store("key", TEXT)
    entry = only(home)
    entry.write_bytes(damage(entry.read_bytes()))
    assert cache.load("key") is None
    assert not entry.exists()
    cache.store("key", TEXT)
    assert cache.load("key") == TEXT


def test_an_entry_under_the_name_of_another_is_dropped(home):
    cache.store("one", TEXT)
    entry = only(home)
    cache.store("two", TEXT.replace("sin", "cos"))
    other = next(path for path in cache.entries() if path != entry)
    other.replace(entry)
    assert cache.load("one") is None


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.system('true')\n",
        "x = open('f')\n",
        "def f(x=print('hi')): pass\n",
        "for i in range(3): pass\n",
        "class A: pass\n",
        "not python (",
        "if True:\n    def f(): pass\n",
    ],
)
def test_text_that_does_something_when_loaded_is_not_ours(home, text):
    cache.store("key", text)
    assert cache.load("key") is None


def test_an_entry_that_others_can_write_is_refused(home):
    cache.store("key", TEXT)
    only(home).chmod(0o602)
    assert cache.load("key") is None
    cache.store("key", TEXT)  # replaced by one of ours
    assert cache.load("key") == TEXT


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_can_write_is_refused(home, mode):
    cache.store("key", TEXT)
    home.chmod(mode)
    assert cache.load("key") is None
    assert "others may write" in cache.info().problem
    assert cache.entries() == []
    assert cache.clear() == 0
    cache.store("other", TEXT)
    home.chmod(0o700)
    assert cache.info().entries == 1


def test_a_folder_of_someone_else_is_refused(home, monkeypatch):
    cache.store("key", TEXT)
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    assert cache.load("key") is None
    assert "another user" in cache.info().problem


def test_links_are_not_followed(home, tmp_path):
    cache.store("key", TEXT)
    entry = only(home)
    elsewhere = tmp_path / "elsewhere"
    entry.rename(elsewhere)
    entry.symlink_to(elsewhere)
    assert cache.load("key") is None
    before = elsewhere.read_bytes()
    cache.store("key", TEXT.replace("sin", "cos"))
    assert elsewhere.read_bytes() == before
    assert not entry.is_symlink()


def test_a_folder_that_is_a_link_is_refused(home, tmp_path):
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    home.parent.mkdir()
    home.symlink_to(real)
    cache.store("key", TEXT)
    assert os.listdir(real) == []
    assert "symbolic link" in cache.info().problem


def test_pipes_and_folders_in_place_of_entries(home):
    cache.store("key", TEXT)
    entry = only(home)
    entry.unlink()
    os.mkfifo(entry, 0o600)
    assert cache.load("key") is None  # and does not wait for a writer
    entry.unlink()
    entry.mkdir()
    assert cache.load("key") is None
    cache.store("key", TEXT)


def test_a_file_in_place_of_the_folder(home):
    home.parent.mkdir()
    home.write_text("")
    cache.store("key", TEXT)
    assert cache.load("key") is None
    assert cache.info().problem


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("AD_COMPILER_CACHE", str(blocked / "cache"))
    cache.store("key", TEXT)
    assert cache.load("key") is None
    monkeypatch.setenv("AD_COMPILER_CACHE", "/proc/no/such/place")
    cache.store("key", TEXT)
    assert cache.load("key") is None


def test_off(monkeypatch):
    monkeypatch.setenv("AD_COMPILER_CACHE", "off")
    cache.store("key", TEXT)
    assert cache.load("key") is None
    assert cache.folder() is None
    assert "turned off" in cache.info().problem
    assert cache.entries() == []


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.delenv("AD_COMPILER_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "ad_compiler"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the standard says: ignore it
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder().parent.parent == tmp_path or sys.platform == "darwin"

    def no_home():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", no_home)
    assert cache.folder() is None
    assert cache.load("key") is None


def test_clear_removes_entries_and_nothing_else(home):
    cache.store("one", TEXT)
    cache.store("two", TEXT)
    (home / "notes.txt").write_text("mine")
    (home / f".{'a' * 64}.{'b' * 16}.tmp").write_text("left over by a crash")
    assert cache.clear() == 2
    assert os.listdir(home) == ["notes.txt"]


def test_the_size_is_bounded_and_the_oldest_go_first(home, monkeypatch):
    monkeypatch.setattr(cache, "CHECK_EVERY", 1)
    monkeypatch.setattr(cache, "MOST_BYTES", 5000)
    long = TEXT + "# " + "x" * 1000 + "\n"
    for k in range(8):
        cache.store(f"key {k}", long)
        for age, path in enumerate(sorted(cache.entries(), key=lambda one: one.stat().st_mtime_ns)):
            os.utime(path, (1000 + age, 1000 + age))
        cache.load("key 0")  # in use all the time
    assert cache.info().bytes <= 5000
    assert cache.load("key 0") == long
    assert cache.load("key 7") == long
    assert cache.load("key 1") is None


def test_an_entry_has_a_largest_size(home):
    cache.store("key", "# " + "x" * cache.LARGEST)
    assert not home.exists() or cache.entries() == []


def test_a_failed_write_leaves_nothing(home, monkeypatch):
    cache.store("key", TEXT)

    def full(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    cache.store("other", TEXT)
    assert len(os.listdir(home)) == 1


def _write_often(folder: str, number: int) -> None:
    os.environ["AD_COMPILER_CACHE"] = folder
    for k in range(50):
        cache.store("key", TEXT + f"# {number} {k}\n" * 50)
        text = cache.load("key")
        assert text is not None
        assert text.startswith(TEXT)


def test_many_processes_at_once(home):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_often, args=(str(home), k)) for k in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(os.listdir(home)) == 1
