"""Run every command of the README and the tutorial, so that none of them can go stale. Part of the gate.

`make test` is left to the gate itself, which runs the very same command. Commands behind the comment
"readme: in a repository" run in the demo's repository, while its example upstreams are being served; those behind
"readme: the first day" in that of ``first_day``, which nobody has prepared.

The tutorial is one story: its blocks run one after the other in one shell, from an empty folder, and what they print
is held against the text below them. `pip install upstreamsync` installs this tree there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from first_day import first_day

from upstreamsync.cli.common import Common
from upstreamsync.cli.demo import prepare

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?:<!-- readme: (in a repository|the first day) -->\n)?```sh\n(.*?)```", re.DOTALL)
#: A block of the tutorial, the exit code that its last command ends with, and what it prints.
STEP = re.compile(
    r"(?:<!-- exit code (?P<code>\d+) -->\n)?```sh\n(?P<block>.*?)```\n(?:```text\n(?P<output>.*?)```\n)?",
    re.DOTALL,
)
ELSEWHERE = ("make test",)
#: A person is needed: what `verify` and `update` say of the demo's broken patches, and `check` of edited copies.
EXPECTED = {
    ("in a repository", "upstreamsync update --dry-run"): 1,
    ("in a repository", "upstreamsync pr --forge local"): 1,
    ("the first day", "upstreamsync check"): 1,
}
#: From nothing to the first pull request in so many commands.
FIRST_DAY = 10


def commands() -> list[tuple[str, str]]:
    """(where it runs: empty for the clone, command), in order."""
    found = []
    for marker, block in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        for line in block.splitlines():
            command = line.split(" #")[0].strip()
            if command and command not in ELSEWHERE:
                found.append((marker, command))
    return found


def run(where: str, command: str, folder: Path, environment: dict[str, str]) -> None:
    """Run one command; end with its output when its exit code is not the expected one."""
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    expected = EXPECTED.get((where, command), 0)
    print(f"{'ok' if done.returncode == expected else 'FAILED'} {command} (exit code {done.returncode})")
    if done.returncode != expected:
        sys.exit(done.stdout + done.stderr)


def main() -> None:
    """Run them all."""
    readme()
    tutorial()


def tutorial() -> None:
    """Run the blocks of docs/tutorial.md as a stranger would, and compare what they print."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        place, blocks = Path(folder), Path(folder) / ".blocks"
        (place / "empty").mkdir()
        blocks.mkdir()
        (blocks / "constraint").write_text(f"upstreamsync @ {ROOT.as_uri()}\n")
        script = ["set -eu"]
        steps = list(STEP.finditer(text))
        for number, step in enumerate(steps):
            (blocks / f"{number}.sh").write_text(step["block"])
            out, expected = shlex.quote(str(blocks / f"{number}.out")), step["code"] or "0"
            script += [
                f"set +e; . {shlex.quote(str(blocks / f'{number}.sh'))} > {out} 2>&1; code=$?; set -e",
                f'[ "$code" = {expected} ] || {{ echo "block {number + 1} ended with $code"; cat {out}; exit 1; }}',
            ]
        # No terminal's width may decide where a line ends.
        environment = {
            **os.environ,
            "PIP_CONSTRAINT": str(blocks / "constraint"),
            "COLUMNS": "200",
            "UPSTREAMSYNC_CACHE": str(place / "cache"),
            "UPSTREAMSYNC_IMAGE_LOOKUP": "0",
        }
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)],
            cwd=place / "empty",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        _end_server(place / "empty" / "server.pid")
        if done.returncode:
            sys.exit(f"the tutorial FAILED: {done.stdout}")
        for number, step in enumerate(steps):
            printed = (blocks / f"{number}.out").read_text()
            if step["output"] is not None and (missing := differing(step["output"], printed)):
                sys.exit(f"the tutorial promises another output: {missing!r} is not in\n{printed}")
    print(f"ok the tutorial ({len(steps)} blocks)")


def _end_server(pid: Path) -> None:
    """Where the tutorial came to no end, the server that it started is still there."""
    if pid.is_file():
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int(pid.read_text()), signal.SIGTERM)


def differing(promised: str, printed: str) -> str | None:
    """The first line that was promised and not printed; in order, blind to spaces; an ellipsis stands for any text."""
    lines = iter([" ".join(line.split()) for line in printed.splitlines()])
    for line in promised.splitlines():
        wanted = " ".join(line.split())
        if wanted in ("", "…"):
            continue
        pattern = ".*".join(map(re.escape, wanted.split("…")))
        if not any(re.fullmatch(pattern, one) for one in lines):
            return wanted
    return None


def readme() -> None:
    """Run the README's."""
    with ExitStack() as stack:
        clone = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "clone"
        shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".venv", ".tools", "__pycache__", ".git"))
        # The tools are linked, not fetched again: the gate has fetched them already.
        if (ROOT / ".tools").is_dir():
            (clone / ".tools").symlink_to(ROOT / ".tools")
        folders = {"": clone}
        environments: dict[str, dict[str, str]] = {"": {}}
        for where in ("in a repository", "the first day"):
            folders[where] = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environments["in a repository"] = dict(
            stack.enter_context(prepare(Common(), folders["in a repository"]))
        )
        cache = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environments["the first day"] = stack.enter_context(first_day(folders["the first day"], cache))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        listed = commands()
        if not 0 < sum(where == "the first day" for where, _ in listed) <= FIRST_DAY:
            sys.exit(f"the first day of the README is to have at most {FIRST_DAY} commands")
        for where, command in listed:
            run(where, command, folders[where], {**os.environ, "PATH": path, **environments[where]})


if __name__ == "__main__":
    main()
