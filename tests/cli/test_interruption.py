"""SIGINT, SIGTERM and SIGHUP: the right code, no child, nothing temporary, nothing changed; and a full disk."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from upstreamsync.testing import Fault

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
PATIENCE = 120  # seconds; for a busy machine


UNDER_WAY = {
    "helm": ("update", "acme", "--locked"),
    "kustomize": ("verify", "--since", "HEAD~1", "--no-cache"),
}


def slow(folder: Path, name: str, real: str) -> Path:
    """A program that says its version and then takes for ever, with a child of its own.

    It says both in its home: elsewhere an engine writes nothing.
    """
    program = folder / name
    program.write_text(
        f'#!/bin/sh\ncase "$1" in version) exec {real} "$@";; esac\n'
        f'echo started >"$TMPDIR/left"\nsleep 600 & echo "$$ $!" >>"$HOME/pids"\nwait\n'
    )
    program.chmod(0o755)
    return program


def said_by_children(tmp_path: Path) -> str:
    return "".join(file.read_text() for file in (tmp_path / "tmp").rglob("pids"))


def until(true, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def waiting(bench, tmp_path):
    """A repository whose runs wait: for helm, for kustomize, or for an answer."""
    bench.publish("v1.0.0")
    bench.world.chart(
        "c",
        "acme",
        "1.0.0",
        files={"templates/a.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n"},
    )
    chart = f"  - {{name: acme, version: 1.0.0, base: acme/base, source: {{helm: {{repository: '{bench.world.url}/c', chart: acme}}}}}}\n"
    bench.configure(bench.vendor(), chart)
    bench.overlay("namePrefix: our-\n")
    assert bench.run("update").returncode == 0
    bench.commit()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tools").mkdir()
    bench.environment |= {"TMPDIR": str(tmp_path / "tmp"), "UPSTREAMSYNC_CACHE": str(tmp_path / "cold")}
    return bench


def begin(bench, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "upstreamsync", *words],
        cwd=bench.root, env=bench.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=heard,
    )  # fmt: skip


def heard() -> None:
    """A run below `nohup`, or in the background of a shell, is told to ignore what is sent here."""
    for number in CODES:
        signal.signal(number, signal.SIG_DFL)


def end(process: subprocess.Popen[str], number: signal.Signals) -> str:
    process.send_signal(number)
    try:
        _, said = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == CODES[number], said
    assert "Traceback" not in said
    return said


def assert_nothing_left(bench, tmp_path: Path) -> None:
    assert sorted((tmp_path / "tmp").iterdir()) == []
    assert bench.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("tool", "number"), [*(("helm", number) for number in CODES), ("kustomize", signal.SIGTERM)]
)
def test_the_programs_that_run_end_with_it(waiting, tmp_path, number, tool):
    program = slow(
        tmp_path / "tools", "kubectl" if tool == "kustomize" else "helm", waiting.environment[tool.upper()]
    )
    waiting.environment[tool.upper()] = str(program)
    if tool == "helm":
        (waiting.root / "acme/base/acme.yaml").write_text("x: 1\n")
        waiting.git("commit", "-qam", "an edit by hand")
    else:
        base = waiting.root / "server/base/install.yaml"
        base.write_text(base.read_text().replace("server:v1.0.0", "server:v1.0.1"))
        waiting.git("commit", "-qam", "a new base")
    process = begin(waiting, *UNDER_WAY[tool])
    until(lambda: said_by_children(tmp_path).endswith("\n") or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    children = [int(pid) for pid in said_by_children(tmp_path).split()]
    assert "interrupted" in end(process, number)
    assert children
    until(lambda: not any(map(alive, children)), 20)
    assert_nothing_left(waiting, tmp_path)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("check",), signal.SIGTERM),
        (("check",), signal.SIGINT),
        (("update",), signal.SIGTERM),
        (("pr", "--forge", "local"), signal.SIGHUP),
    ],
)
def test_an_answer_that_does_not_come_is_not_waited_for(waiting, tmp_path, number, words):
    waiting.world.reset()
    waiting.world.fault("/server/index.html", Fault.hang())
    process = begin(waiting, *words)
    until(lambda: waiting.world.requests or process.poll() is not None)
    time.sleep(0.2)
    assert process.poll() is None, process.communicate()
    started = time.monotonic()
    end(process, number)
    assert time.monotonic() - started < 90  # four attempts of 30 s each take longer
    assert_nothing_left(waiting, tmp_path)


def test_what_is_ignored_stays_ignored(waiting):
    """As under nohup."""
    waiting.world.fault("/server/index.html", Fault.hang(2), times=1)
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable, "-m", "upstreamsync", "check"],
        cwd=waiting.root, env=waiting.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    waiting.world.reset()
    until(lambda: waiting.world.requests or process.poll() is not None)
    process.send_signal(signal.SIGHUP)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode in {0, 3}, said


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("update", "--no-cache"),
        ("verify", "--no-cache"),
        ("pr", "--forge", "local", "--no-cache"),
    ],
)
def test_a_file_that_can_not_grow_is_no_bug(waiting, tmp_path, words):
    """As a full TMPDIR: the limit holds for every file that a run writes."""
    waiting.world.file(
        "server/v1.0.0/install.yaml", "# " + "x" * 300_000 + "\n" + waiting.deployment("v1.0.0")
    )
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", sys.executable, "-c", IGNORING, *words],
        cwd=waiting.root, env=waiting.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1, 3}, done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_left(waiting, tmp_path)


#: The kernel sends SIGXFSZ at the limit; ignored, it is an error as on a full disk.
IGNORING = "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from upstreamsync.cli import main; main()"


@pytest.mark.skipif(os.geteuid() != 0, reason="making a file system needs root")
@pytest.mark.parametrize(
    "words", [("update", "--no-cache"), ("verify", "--no-cache"), ("pr", "--forge", "local", "--no-cache")]
)
def test_a_full_temporary_folder_is_no_bug(waiting, tmp_path, words):
    full = tmp_path / "full"
    full.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full)], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        (full / "fill").write_bytes(b"x" * 30_000)
        with contextlib.suppress(OSError):
            (full / "rest").write_bytes(b"x" * 30_000)
        waiting.world.file(
            "server/v1.0.0/install.yaml", "# " + "x" * 300_000 + "\n" + waiting.deployment("v1.0.0")
        )
        waiting.publish("v1.0.0", "v1.1.0")
        waiting.world.file(
            "server/v1.1.0/install.yaml", "# " + "x" * 300_000 + "\n" + waiting.deployment("v1.1.0")
        )
        waiting.environment["TMPDIR"] = str(full)
        done = waiting.run(*words)
    finally:
        subprocess.run(["umount", str(full)], check=True)
    assert done.returncode in {0, 1, 3}, done.stderr
    assert "Traceback" not in done.stderr
    # What could be fetched may be written; what could not be judged is said, and ends with 3.
    assert words[0] == "update" or waiting.git("status", "--porcelain") == ""
