"""Running other programs: no shell, a scrubbed environment, bounded time and output, typed errors."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from upstreamsync.errors import TooLarge, ToolFailed, ToolMissing, ToolTimeout, is_lack
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import budget, children, sandbox, secrecy
from upstreamsync.kit.run.sandbox import Sandbox
from upstreamsync.kit.store import dependencies

#: What a child sees of our environment; everything else is passed explicitly.
PASSED_ON = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR")

DEFAULT_TIMEOUT = 120.0
DEFAULT_LIMIT = 256 * 1024 * 1024
#: The last words of a Go program whose memory is bounded.
_NO_MEMORY = re.compile(r"^fatal error: .*(?:out of|allocate) memory", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A program that ended, with exit code 0 unless another one was accepted."""

    stdout: bytes
    stderr: str
    returncode: int = 0


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    limit: int = DEFAULT_LIMIT,
    hint: str | None = None,
    started: Callable[[], object] | None = None,
    kept_in: Sandbox | None = None,
    accept_failure: bool = False,
) -> Completed:
    """Run ``argv`` and return what it printed.

    The child gets PASSED_ON of our environment plus ``env``, its own process group, and no terminal.
    ``timeout`` is in seconds, ``limit`` in bytes of standard output. ``started`` is called once it runs.
    ``kept_in`` is what the kernel holds it to, as far as it can. ``accept_failure`` returns what a program
    printed that ended with another exit code than 0.

    Raises ToolMissing, ToolFailed (exit code and stderr attached), ToolTimeout or TooLarge.
    """
    secrecy.before_a_child()
    dependencies.doubt()  # what a program says may be another thing the next time
    allowed = budget.bounded(timeout)
    words = [os.fspath(word) for word in argv]
    environment = _environment(env or {})
    name = os.path.basename(words[0])
    # Output goes to files, not pipes: a chatty child can't fill our memory before `limit` is looked at.
    # What it reads is in one, too: should we be killed, it has all of that, and does not end in the middle.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _given(stdin) as given:

        def popen() -> subprocess.Popen[bytes]:
            child = subprocess.Popen(
                words, cwd=cwd, env=environment, stdin=given, stdout=out, stderr=err, start_new_session=True
            )
            return children.begun(child)

        try:
            child = popen() if kept_in is None else sandbox.start(kept_in, popen)
        except OSError as error:
            if is_lack(error):
                raise
            raise ToolMissing(f"`{name}` can't be started: {error.strerror}", hint=hint) from error
        with children.counted(child):
            try:
                if kept_in is not None and kept_in.memory is not None:
                    _bound(child.pid, kept_in.memory, limit)
                if started is not None:
                    started()
                _wait(child, allowed)
            except subprocess.TimeoutExpired:
                budget.check()
                raise ToolTimeout(f"`{name}` did not end within {timeout:g} s", hint=hint) from None
        size = out.seek(0, os.SEEK_END)
        if size > limit:
            raise TooLarge(f"`{name}` printed {size} bytes; the limit is {limit}", hint=hint)
        out.seek(0)
        err.seek(0)
        # What a tool says may hold what it was given: a token in an address, a password in a chart's values.
        stderr = redact(err.read(1_000_000).decode("utf-8", "replace"))
        if child.returncode != 0:
            if kept_in is not None and kept_in.memory and _NO_MEMORY.search(stderr[:2000]):
                raise TooLarge(f"`{name}` wanted more than {kept_in.memory >> 20} MiB of memory", hint=hint)
            if not accept_failure:
                raise _failed(name, child.returncode, stderr, hint)
        return Completed(stdout=out.read(), stderr=stderr, returncode=child.returncode)


def talking(argv: Sequence[str]) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
    """A program of ours that is asked until it is ended: with its standard input, and its output.

    It sees PASSED_ON of our environment. Raises OSError.
    """
    secrecy.before_a_child()
    child = subprocess.Popen(
        argv,
        env=_environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    children.begun(child)

    if child.stdin is None or child.stdout is None:  # pragma: no cover (they are what was asked for)
        raise OSError
    return child, child.stdin, child.stdout


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    found = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    found.setdefault("LANG", "C.UTF-8")
    return {**found, **more}


def _failed(name: str, code: int, stderr: str, hint: str | None) -> ToolFailed:
    """What is to be said of a program that ended with a code, or by a signal (below zero)."""
    ended = f"failed with exit code {code}"
    if code < 0:
        with contextlib.suppress(ValueError):  # a signal without a name
            ended = f"was ended by {signal.Signals(-code).name}"
        hint = None  # which is about what a program says
    return ToolFailed(f"`{name}` {ended}: {_gist(stderr)}", hint=hint, stderr=stderr, returncode=code)


@contextlib.contextmanager
def _given(stdin: bytes | None) -> Iterator[IO[bytes] | int]:
    if stdin is None:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        yield file


def _bound(pid: int, memory: int, output: int) -> None:
    """Bound what a program that has just begun may take: memory, and what it writes to any one file.

    What a stranger wrote decides how much an engine makes of it; ``output`` is looked at once more when it ended.
    """
    # Suppressed: another system, a smaller limit already, a program that has ended.
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        resource.prlimit(pid, resource.RLIMIT_DATA, (memory, memory))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (output + 1, output + 1))


def _wait(child: subprocess.Popen[bytes], timeout: float) -> None:
    """Wait for the end of the child; raises TimeoutExpired.

    ``Popen.wait`` with a timeout looks every 50 ms, which is as long as a small build takes. Linux tells
    the very moment.
    """
    try:
        handle = os.pidfd_open(child.pid)
    except (AttributeError, OSError):  # another system, or an old kernel
        child.wait(timeout)
        return
    try:
        select.select([handle], [], [], timeout)
    finally:
        os.close(handle)
    child.wait(0.001 if child.poll() is None else None)


def _gist(stderr: str) -> str:
    """The last line that says something, as tools put their reason at the end."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1][:2000] if lines else "it said nothing"
