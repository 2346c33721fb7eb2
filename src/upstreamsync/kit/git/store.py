"""The bare repositories in the cache: what git reads of them besides objects is written anew each time.

A configuration can name programs (credential helpers, ssh commands, hooks) and other repositories: of one that
somebody else may have written nothing is believed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from upstreamsync.kit.git import command

_COMPLETE = "complete"
#: All that git needs of a store; whatever else lies there goes.
_KEPT = frozenset((_COMPLETE, "HEAD", "config", "objects", "refs", "packed-refs", "shallow"))
#: What in the folder of objects leads elsewhere, or says something about objects that it can't prove.
_INDIRECT = ("info", "pack/multi-pack-index")


def prepare(store: Path, url: str) -> None:
    """Make a store, or take the one that is there, for nobody else while the caller holds its lock."""
    if not (store / _COMPLETE).is_file() or store.is_symlink():
        start_over(store)
        command.run("init", "--bare", "--quiet", "--template=", str(store))
        _write(store, url)
        (store / _COMPLETE).touch()
        return
    for name in os.listdir(store):
        if name not in _KEPT:
            _remove(store / name)
    for name in _INDIRECT:
        _remove(store / "objects" / name)
    _write(store, url)


def start_over(store: Path) -> None:
    """Remove a store that is not what it should be."""
    _remove(store)


def _write(store: Path, url: str) -> None:
    quoted = url.replace("\\", "\\\\").replace('"', '\\"')
    for name, text in (
        ("HEAD", "ref: refs/heads/main\n"),
        (
            "config",
            f'[core]\n\trepositoryformatversion = 0\n\tbare = true\n[remote "origin"]\n\turl = "{quoted}"\n',
        ),
    ):
        beside = store / f"{name}.{os.getpid()}"
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, store / name)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
