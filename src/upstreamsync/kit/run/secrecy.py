"""Keeping what this process was started with from the programs that it starts.

Linux shows the environment that a program began with to every other one of the same user, in
/proc/PID/environ. So a process says that it is not to be looked into, and overwrites what it was handed there:
for root is not held off by the first. What it needs it has read into memory of its own by then.

Sources: proc(5), prctl(2) on PR_SET_DUMPABLE, ptrace(2) on access modes.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Final

_PR_SET_DUMPABLE: Final = 4
#: Fields of /proc/PID/stat behind the name in brackets, counted from 0: where the environment begins and ends.
_BEGIN, _END = 47, 48
#: What libraries in C may still ask for; all else is read by us alone.
_KEPT: Final = frozenset(
    (
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TERM", "TZ", "TMPDIR", "LANG", "LANGUAGE",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHASHSEED",
    )
)  # fmt: skip
_KEPT_PREFIXES: Final = ("LC_", "MALLOC_", "OPENBLAS_")


class _State:
    """Whether this process is ours to change: a library is a guest in somebody else's."""

    ours = False
    done = False


def own_process() -> None:
    """Say that this process is a run of ours, which may hide what it was started with."""
    _State.ours = True


def before_a_child() -> None:
    """To be called before a program is started: hides what is to be hidden, once."""
    if _State.ours and not _State.done:
        _State.done = True
        withdraw()


def withdraw() -> None:
    """Hide this process's environment from other processes, as far as the system can do that.

    ``os.environ`` stays as it is. The process can't be debugged any more.
    """
    import ctypes  # which costs some milliseconds, and `check` mostly starts no program

    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        _overwrite_environment()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _overwrite_environment() -> None:
    """Blank the values of what the kernel shows, in place."""
    import ctypes

    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    begin, end = int(fields[_BEGIN]), int(fields[_END])
    shown = Path("/proc/self/environ").read_bytes()
    if not 0 < begin < end or ctypes.string_at(begin, end - begin)[: len(shown)] != shown:
        return  # it lies elsewhere than the kernel says: hands off
    at = begin
    for entry in shown.split(b"\0"):
        name, separator, value = entry.partition(b"=")
        if separator and value and not _is_kept(name.decode("utf-8", "replace")):
            ctypes.memset(at + len(name) + 1, 0, len(value))
        at += len(entry) + 1


def _is_kept(name: str) -> bool:
    return name in _KEPT or name.startswith(_KEPT_PREFIXES)
