"""Rows of the fault matrix that strike a whole process: a full TMPDIR, and signals at random moments.

Each is one run of the command line in a copy of a small repository with two vendors (see ``kills``).
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trust.kills import SIGNALS, VERBS, Arena, attempts, state
from trust.matrix import Cell
from upstreamsync.testing import World


def run(moments: int = 6) -> Iterator[Cell]:
    """All rows; ``moments`` signals a verb."""
    with World() as world, tempfile.TemporaryDirectory(prefix="endings-") as folder:
        arena = Arena(folder=Path(folder), world=world)
        try:
            for verb in VERBS:
                yield from _signals(arena, verb, moments)
                for free in (0, 40_000):
                    yield _full(arena, verb, free)
        finally:
            arena.close()


def _signals(arena: Arena, verb: str, moments: int) -> Iterator[Cell]:
    turns = tuple(SIGNALS)
    for number, attempt in enumerate(attempts(arena, verb, moments, signals=turns)):
        which = turns[number % len(turns)]
        yield Cell(
            kind=verb,
            moment=f"after {attempt.after:.2f} s",
            fault=which.name if attempt.killed else f"{which.name}, too late",
            exit_code=SIGNALS[which] if attempt.killed else 0,
            error="interrupted" if attempt.killed else "",
            problems=(attempt.problem,) if attempt.problem else (),
        )


def _full(arena: Arena, verb: str, free: int) -> Cell:
    """A TMPDIR that holds no more than ``free`` bytes: a file system where we may make one, else a limit."""
    root = arena.fresh("full")
    before = state(root)
    scratch = arena.folder / "full-tmp"
    scratch.mkdir(exist_ok=True)
    with _without_room(scratch, free):
        code = arena.run("full", *VERBS[verb])
    problems = []
    if code not in (0, 3):
        problems.append(f"ended with {code}: {arena.output[-600:]}")
    if "Traceback" in arena.output:
        problems.append(arena.output[-600:])
    if code == 3 and state(root) != before:
        problems.append("it failed, and the repository is not as it was")
    lines = arena.output.strip().splitlines()
    return Cell(
        kind=verb,
        moment="TMPDIR",
        fault=f"full, {free} bytes free",
        exit_code=code if code is not None else -signal.SIGKILL,
        error="machine" if code == 3 else "",
        message=lines[-1] if lines else "",
        problems=tuple(problems),
    )


@contextlib.contextmanager
def _without_room(folder: Path, free: int) -> Iterator[None]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    if mounted:
        with contextlib.suppress(OSError):
            (folder / "fill").write_bytes(b"x" * (65_536 - free))
    else:  # a folder that takes nothing is the next best; for root it takes all the same
        folder.chmod(0o500)
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)
        else:
            folder.chmod(0o700)
