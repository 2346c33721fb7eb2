"""The cache: complete entries or none, and never in the way."""

import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from upstreamsync.kit.store.cache import Cache, default_cache_folder


def test_what_is_put_is_got(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    assert cache.get("n", "k") is None
    assert not cache.has("n", "k")
    assert cache.put("n", "k", b"data")
    assert cache.get("n", "k") == b"data"
    assert cache.has("n", "k")
    assert Cache(tmp_path / "c").get("n", "k") == b"data"
    cache.forget("n", "k")
    cache.forget("n", "k")
    assert cache.get("n", "k") is None


def test_keys_do_not_run_together(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    pairs = [
        ("a", "bc"),
        ("ab", "c"),
        ("a-b", "c"),
        ("a/b", "c"),
        ("a", "\0bc"),
        ("../a", "../../c"),
        ("a", "\udc80"),
    ]
    for number, (namespace, key) in enumerate(pairs):
        cache.put(namespace, key, b"%d" % number)
    assert [cache.get(*pair) for pair in pairs] == [b"%d" % number for number in range(len(pairs))]
    assert all(tmp_path in path.parents for path in tmp_path.rglob("*"))


def test_no_folder_keeps_nothing() -> None:
    cache = Cache(None)
    assert not cache.put("n", "k", b"data")
    assert cache.get("n", "k") is None
    assert cache.prune() == 0


def test_a_folder_that_cannot_be_written_warns_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "below")
    with caplog.at_level(logging.WARNING):
        assert not cache.put("n", "a", b"")
        assert not cache.put("n", "b", b"")
    assert len(caplog.records) == 1
    assert cache.get("n", "a") is None


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache(tmp_path)
    cache.put("n", "k", b"old")
    (entry,) = (path for path in tmp_path.rglob("*") if path.is_file())
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        assert not cache.put("n", "k", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert cache.get("n", "k") == b"old"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [entry]


def test_files_may_be_read_by_others_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        Cache(tmp_path).put("n", "k", b"")
    finally:
        os.umask(before)
    (entry,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert stat.S_IMODE(entry.stat().st_mode) == 0o644


def test_many_writers_of_one_entry_leave_one_complete_one(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    values = [bytes([n]) * 200_000 for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda value: cache.put("n", "k", value), values))
    assert cache.get("n", "k") in values
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_pruning_drops_what_was_unused_for_longest(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "helm").write_bytes(b"x" * 500)
    for number in range(4):
        cache.put("n", str(number), b"x" * 100)
    used = sorted(path for path in tmp_path.rglob("n/*/*") if path.is_file())
    for path in used:
        os.utime(path, (1_000_000, 1_000_000))
    assert cache.get("n", "2")  # makes it young again
    orphan = used[0].with_name(f"{used[0].name}.1-0.tmp")
    orphan.write_bytes(b"x" * 50)
    os.utime(orphan, (1, 1))
    assert cache.prune(100) == 350
    assert cache.has("n", "2")
    assert (tmp_path / "tools" / "helm").exists()
    assert not orphan.exists()
    assert cache.prune(100) == 0


def test_the_default_folder_is_ours() -> None:
    assert default_cache_folder().name == "upstreamsync"


def test_what_is_added_stands_behind_what_is_there(tmp_path):
    cache, other = Cache(tmp_path), Cache(tmp_path)
    cache.add("n", "before", b"1")
    cache.add("n", "before", b"2")
    assert other.get("n", "before") == b"12"
    with cache.gathering():
        cache.add("n", "before", b"3")
        with cache.gathering():
            cache.add("n", "inside", b"4")
        assert (cache.get("n", "before"), cache.get("n", "inside")) == (b"123", b"4")
        assert (other.get("n", "before"), other.get("n", "inside")) == (b"12", None)
    assert (other.get("n", "before"), other.get("n", "inside")) == (b"123", b"4")
    nowhere = Cache(None)
    with nowhere.gathering():
        nowhere.add("n", "k", b"5")
        assert nowhere.get("n", "k") is None
