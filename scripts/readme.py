"""Run every command of the README, so that none of them can go stale. Part of the gate.

`make test` is left to the gate itself, which runs the very same command. Commands behind the comment
"readme: in a repository" run in the demo's repository, while its example upstreams are being served.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from upstreamsync.cli.common import Common
from upstreamsync.cli.demo import prepare

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- readme: in a repository -->\n)?```sh\n(.*?)```", re.DOTALL)
ELSEWHERE = ("make test",)
#: A person is needed: what `verify` and `update` say of the demo's broken patches.
EXPECTED = {
    "upstreamsync update --dry-run": 1,
    "upstreamsync pr --forge local": 1,
}


def commands() -> list[tuple[bool, str]]:
    """(whether it runs in the example repository, command), in order."""
    found = []
    for marker, block in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        for line in block.splitlines():
            command = line.split(" #")[0].strip()
            if command and command not in ELSEWHERE:
                found.append((bool(marker), command))
    return found


def run(command: str, folder: Path, environment: dict[str, str]) -> None:
    """Run one command; end with its output when its exit code is not the expected one."""
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    expected = EXPECTED.get(command, 0)
    print(f"{'ok' if done.returncode == expected else 'FAILED'} {command} (exit code {done.returncode})")
    if done.returncode != expected:
        sys.exit(done.stdout + done.stderr)


def main() -> None:
    """Run them all."""
    with ExitStack() as stack:
        clone = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "clone"
        shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".venv", ".tools", "__pycache__", ".git"))
        # The tools are linked, not fetched again: the gate has fetched them already.
        if (ROOT / ".tools").is_dir():
            (clone / ".tools").symlink_to(ROOT / ".tools")
        repository = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        served = stack.enter_context(prepare(Common(), repository))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        for in_repository, command in commands():
            environment = {**os.environ, "PATH": path, **(served if in_repository else {})}
            run(command, repository if in_repository else clone, environment)


if __name__ == "__main__":
    main()
