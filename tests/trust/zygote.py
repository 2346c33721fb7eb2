"""Runs the command line again and again in forks of one warm process, and kills it where told to.

Reads one JSON object a line: ``argv``, ``folder``, ``environment``, ``kill_after`` (seconds, or null),
``signal``, and ``family``: whether the programs that it started are killed with it. Answers with one: ``code``
(null when killed), ``struck`` (whether the signal was sent) and ``seconds``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    """Serve until the input ends."""
    warm_up()
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(carry_out(order)), flush=True)


def warm_up() -> None:
    """Import what the verbs import while they run, so that a fork spends its time on the work."""
    import upstreamsync.cli.app
    import upstreamsync.cli.propose
    import upstreamsync.forge
    import upstreamsync.kit.git.repository
    import upstreamsync.kit.http.wire
    import upstreamsync.project.propose.propose
    import upstreamsync.report.document
    import upstreamsync.review
    import upstreamsync.verify
    import upstreamsync.verify.judge  # noqa: F401


def carry_out(order: dict) -> dict:
    """One run."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _run(order)
    struck = False
    if order["kill_after"] is not None:
        deadline = started + order["kill_after"]
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                break
            time.sleep(max(0.0, min(0.002, deadline - time.monotonic())))
        else:
            family = _descendants(child) if order["family"] else []
            for process in (child, *family):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, order["signal"])
            struck = True
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    _wait_for_orphans(order["environment"]["TMPDIR"])
    seconds = time.monotonic() - started
    return {"code": None if code == -signal.SIGKILL else code, "struck": struck, "seconds": seconds}


def _run(order: dict) -> None:
    code = 70
    try:
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv = ["upstreamsync", *order["argv"]]
        sink = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        from upstreamsync.cli import main as program

        program()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _descendants(root: int) -> list[int]:
    """The processes that ``root`` started, and those that they did (they have sessions of their own)."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found[1:]


def _wait_for_orphans(mark: str) -> None:
    """Wait for programs that outlive the one killed: they are known by their TMPDIR, which lies in ours."""
    needle = f"\0TMPDIR={mark}".encode()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    if needle in b"\0" + (entry / "environ").read_bytes():
                        break
        else:
            return
        time.sleep(0.005)


if __name__ == "__main__":
    main()
