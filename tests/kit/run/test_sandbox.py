"""Programs in the sandbox: what the kernel refuses them, as far as `doctor` says that it can."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from upstreamsync.errors import ToolFailed, ToolMissing
from upstreamsync.kit.run import children, process, sandbox
from upstreamsync.kit.run.sandbox import Sandbox, protection
from upstreamsync.kit.run.sealed import sealed_environment

PYTHON = Path(sys.executable).resolve()
#: Tries things, and prints what became of each: a stand-in for an engine that was taken over.
ATTEMPTS = """
import json, os, socket, subprocess, sys
def tried(function):
    try:
        return str(function())
    except OSError as error:
        return f"refused {error.errno}"
given = json.loads(sys.argv[1])
print(json.dumps({
    "read": tried(lambda: open(given["secret"]).read()),
    "list": tried(lambda: os.listdir(os.path.dirname(given["secret"]))),
    "read given": tried(lambda: open(given["given"]).read()),
    "write": tried(lambda: open(given["secret"], "w").close()),
    "make": tried(lambda: open(given["secret"] + ".new", "w").close()),
    "remove": tried(lambda: os.unlink(given["secret"])),
    "link": tried(lambda: os.link(given["given"], given["home"] + "/link")),
    "write home": tried(lambda: open(given["home"] + "/mine", "w").write("x")),
    "run": tried(lambda: subprocess.run(["/bin/sh", "-c", "true"], check=True).returncode),
    "tcp": tried(lambda: socket.create_connection(("127.0.0.1", given["port"]), 2)),
    "udp": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    "tcp6": tried(lambda: socket.socket(socket.AF_INET6)),
    "unix": tried(lambda: socket.socket(socket.AF_UNIX).connect(given["socket"])),
    "environ": tried(lambda: open(f"/proc/{os.getppid()}/environ").read()),
    "memory": tried(lambda: open(f"/proc/{os.getppid()}/mem", "rb").read(1)),
    "signal": tried(lambda: os.kill(os.getppid(), 0)),
}))
"""
REFUSED = {"refused 1", "refused 13"}


@pytest.fixture
def attempts(tmp_path: Path) -> dict[str, str]:
    """What a program in a sandbox comes to."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    (home / "tmp").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "secret").write_text("s3cret")
    (elsewhere / "given").write_text("given")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(elsewhere / "socket"))
        local.listen()
        given = {
            "secret": str(elsewhere / "secret"), "given": str(elsewhere / "given"), "home": str(home),
            "port": server.getsockname()[1], "socket": str(elsewhere / "socket"),
        }  # fmt: skip
        roots = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
        done = process.run(
            [PYTHON, "-I", "-S", "-c", ATTEMPTS, json.dumps(given)],
            cwd=home,
            env=sealed_environment(home),
            kept_in=Sandbox(
                program=PYTHON,
                readable=(*roots, elsewhere / "given"),
                writable=(home,),
            ),
        )
    assert (elsewhere / "secret").read_text() == "s3cret"
    return dict(json.loads(done.stdout))


needs_files = pytest.mark.skipif(
    not protection().files, reason="`doctor` says that the kernel has no Landlock"
)
needs_sockets = pytest.mark.skipif(
    not protection().sockets, reason="`doctor` says that the kernel refuses no sockets"
)


@needs_files
def test_files_elsewhere_are_refused_by_the_kernel(attempts: dict[str, str]) -> None:
    for what in ("read", "list", "write", "make", "remove", "run"):
        assert attempts[what] in REFUSED, what
    assert attempts["link"] in {*REFUSED, "refused 18"}  # EXDEV
    assert attempts["read given"] == "given"
    assert attempts["write home"] == "1"


@needs_files
def test_other_processes_are_out_of_reach(attempts: dict[str, str]) -> None:
    assert attempts["environ"] in REFUSED
    assert attempts["memory"] in REFUSED
    if protection().landlock >= 6:
        assert attempts["signal"] in REFUSED


@needs_sockets
def test_sockets_of_any_kind_are_refused_by_the_kernel(attempts: dict[str, str]) -> None:
    for what in ("tcp", "udp", "tcp6", "unix"):
        assert attempts[what] in REFUSED, what


@pytest.mark.skipif(not protection().tcp, reason="`doctor` says that this Landlock knows no TCP")
def test_without_the_filter_of_calls_landlock_refuses_tcp(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    known = protection()
    weaker = sandbox.Protection(files=True, tcp=True, sockets=False, landlock=known.landlock)
    monkeypatch.setattr(sandbox, "protection", lambda: weaker)
    attempts = request.getfixturevalue("attempts")
    assert attempts["tcp"] in REFUSED
    assert attempts["udp"] not in REFUSED  # which is why there is the filter


@needs_files
def test_a_script_reads_what_it_needs_and_writes_nothing_elsewhere(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(
        f"#!/bin/sh\ncat {tmp_path}/given\necho x > {tmp_path}/home/mine\necho x > {tmp_path}/new\n"
    )
    script.chmod(0o755)
    (tmp_path / "given").write_text("given")
    (tmp_path / "home").mkdir()
    with pytest.raises(ToolFailed) as caught:
        process.run([script], kept_in=Sandbox(program=script, writable=(tmp_path / "home",)))
    assert "Permission denied" in caught.value.stderr
    assert (tmp_path / "home/mine").exists()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6, 7, 99])
@needs_files
def test_older_and_newer_kernels_are_asked_for_what_they_know(version: int, tmp_path: Path) -> None:
    """A later Landlock bears the questions of an earlier one."""
    if version > protection().landlock and version != 99:
        pytest.skip("`doctor` says that the kernel's Landlock is older")
    can = sandbox.Protection(files=True, tcp=version >= 4, sockets=False, landlock=version)
    failed: list[BaseException] = []

    def restrict() -> None:
        try:
            sandbox._restrict(Sandbox(program=PYTHON, writable=(tmp_path,)), can)
            (tmp_path / "mine").write_text("x")
            with pytest.raises(PermissionError):
                (tmp_path.parent / "elsewhere").write_text("x")
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=restrict)
    thread.start()
    thread.join()
    assert not failed


def test_this_process_keeps_its_rights(tmp_path: Path) -> None:
    process.run([PYTHON, "-c", ""], kept_in=Sandbox(program=PYTHON, reads_all=True, writable=(tmp_path,)))
    (tmp_path / "mine").write_text("x")
    with socket.socket():
        pass
    assert threading.active_count() == 1 or all(
        not one.name.startswith("upstreamsync-start") for one in threading.enumerate()
    )


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="nobody"):
        process.run([tmp_path / "nobody"], kept_in=Sandbox(program=tmp_path / "nobody"))


def test_where_the_kernel_can_do_nothing_programs_run_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    none = sandbox.Protection(files=False, tcp=False, sockets=False, landlock=0)
    monkeypatch.setattr(sandbox, "protection", lambda: none)
    assert process.run([PYTHON, "-c", "print(1)"], kept_in=Sandbox(program=PYTHON)).stdout == b"1\n"
    assert "nothing" in str(none)


def test_what_is_sealed_has_proxies_to_a_dead_port(tmp_path: Path) -> None:
    said = sealed_environment(tmp_path)
    for name in ("http_proxy", "HTTPS_PROXY", "all_proxy"):
        host, _, port = said[name].removeprefix("http://").partition(":")
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((host, int(port)), 2)
    assert said["GIT_ALLOW_PROTOCOL"] == "none"
    assert said["NO_PROXY"] == said["no_proxy"] == ""


def test_the_environment_of_a_run_of_ours_is_shown_to_nobody() -> None:
    code = (
        "import os, subprocess, sys\n"
        "from upstreamsync.kit.run import process, secrecy\n"
        "secrecy.own_process()\n"
        "shown = lambda: open('/proc/self/environ', 'rb').read()\n"
        "assert b'CANARY' in shown()\n"
        "seen = process.run([sys.executable, '-c', "
        '\'import os; print(open(f"/proc/{os.getppid()}/environ", "rb").read())\'])'
        " if os.geteuid() == 0 else None\n"
        "process.run(['true'])\n"
        "assert b'CANARY' not in shown()\n"
        "assert seen is None or b'CANARY' not in seen.stdout\n"
        "assert os.environ['GITHUB_TOKEN'].startswith('CANARY')\n"
        "assert 'CANARY' not in subprocess.run(['env'], capture_output=True, text=True).stdout\n"
    )
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system shows no process's environment")
    environment = {**os.environ, "GITHUB_TOKEN": "CANARY-0123456789"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_program_that_begins_while_a_run_ends_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "_ending", ending := threading.Event())
    ending.set()
    with pytest.raises(children.Ending):
        process.run(["sleep", "600"], kept_in=Sandbox(program=Path("sleep"), reads_all=True))
    assert not children._running
