"""Other programs: their environment, their limits, their ends."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from upstreamsync.errors import TooLarge, ToolFailed, ToolMissing, ToolTimeout
from upstreamsync.kit import redact
from upstreamsync.kit.run import process


def test_output_and_input() -> None:
    done = process.run(["sh", "-c", "cat; echo said >&2"], stdin=b"given")
    assert (done.stdout, done.stderr) == (b"given", "said\n")


def test_input_is_there_as_a_whole_whether_it_is_read_or_not() -> None:
    much = b"x" * 1_000_000
    assert process.run(["sh", "-c", "sleep 0.1; wc -c"], stdin=much).stdout.strip() == b"1000000"
    assert process.run(["true"], stdin=much).stdout == b""
    # A program is not cut off in the middle of it when we are killed: it is no pipe.
    assert process.run(["sh", "-c", "test -f /dev/stdin && echo file"], stdin=b"1").stdout == b"file\n"


def test_the_environment_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret-token")
    monkeypatch.setenv("KUBECONFIG", "/x")
    seen = process.run(["env"], env={"EXTRA": "1"}).stdout.decode()
    assert "EXTRA=1" in seen
    assert "PATH=" in seen
    assert "TOKEN" not in seen
    assert "KUBECONFIG" not in seen


def test_failures_say_why_and_keep_secrets() -> None:
    redact.register("canary-in-stderr")
    with pytest.raises(ToolFailed, match="exit code 3: the reason") as caught:
        process.run(["sh", "-c", "echo canary-in-stderr >&2; echo the reason >&2; exit 3"], hint="do this")
    assert caught.value.returncode == 3
    assert caught.value.hint == "do this"
    assert "canary" not in caught.value.stderr
    with pytest.raises(ToolFailed) as caught:
        process.run(["sh", "-c", "echo https://user:word-word@host/x >&2; exit 1"])
    assert "word-word" not in str(caught.value)


def test_a_missing_program() -> None:
    with pytest.raises(ToolMissing, match="no-such-program"):
        process.run(["no-such-program"], hint="install it")


def test_too_slow_and_all_its_children_end(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(ToolTimeout):
        process.run(["sh", "-c", f"sleep 600 & echo $! > {tmp_path}/pid; wait"], timeout=0.3)
    assert time.monotonic() - start < 300
    child = int((tmp_path / "pid").read_text())
    for _ in range(1000):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        # In a container without an init process the dead child may stay as a zombie.
        if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.02)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child lives on")


def test_too_much_output() -> None:
    with pytest.raises(TooLarge, match="1000"):
        process.run([sys.executable, "-c", "print('x' * 2000)"], limit=1000)
