"""What an engine is told of this machine: a home that is empty, its own, and gone afterwards."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from upstreamsync.kit.run import process
from upstreamsync.kit.run.sealed import sealed

HOMES = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "HELM_PLUGINS", "KUBECONFIG")


def test_all_places_of_a_user_lie_in_an_empty_folder_that_goes(monkeypatch):
    for name in (*HOMES, "GITHUB_TOKEN", "HELM_DRIVER", "KUSTOMIZE_PLUGIN_HOME"):
        monkeypatch.setenv(name, "/somewhere/else")
    monkeypatch.setenv("TMPDIR", "/tmp")
    program = Path(shutil.which("env") or "env")
    with sealed(program, []) as found:
        printed = process.run([program], env=found.environment, kept_in=None).stdout.decode()
        told = dict(line.partition("=")[::2] for line in printed.splitlines())
        assert sorted(os.listdir(found.home)) == ["tmp"]
    assert {name: Path(told[name]).is_relative_to(found.home) for name in HOMES} == dict.fromkeys(HOMES, True)
    assert not {"GITHUB_TOKEN", "HELM_DRIVER", "KUSTOMIZE_PLUGIN_HOME"} & told.keys()
    assert not found.home.exists()
