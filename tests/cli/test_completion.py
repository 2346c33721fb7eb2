"""What a shell offers: verbs, vendors, overlays; and nothing at all where something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from upstreamsync.cli import completion

PROGRAM = Path(sys.executable).with_name("upstreamsync")


@pytest.fixture
def repository(bench, monkeypatch):
    bench.configure(bench.vendor("server"), bench.vendor("service"), bench.vendor("mill"))
    bench.overlay("namespace: x\n")
    monkeypatch.chdir(bench.root)
    return bench


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("upd", ["update"]),
        ("update ser", ["server", "service"]),
        ("pr m", ["mill"]),
        ("verify serv", ["server/overlay"]),
        ("effects server/", ["server/overlay"]),
        ("explain x", []),
    ],
)
def test_a_shell_offers(repository, words, offered):
    line = f"upstreamsync {words}"
    environment = {
        **repository.environment,
        "_UPSTREAMSYNC_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    done = subprocess.run([PROGRAM], cwd=repository.root, env=environment, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (offered, "")


def test_a_broken_configuration_offers_nothing(repository):
    (repository.root / "vendors.yaml").write_text("vendors: [")
    assert completion.vendors("") == []
