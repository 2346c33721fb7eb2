"""Exit codes and documents of each command, on the real command line against the test world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from upstreamsync.testing import World

SCHEMAS = Path(__file__).resolve().parents[2] / "src/upstreamsync/report/schemas"


def manifest(version: str, container: str = "server") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: server}}
spec:
  selector: {{matchLabels: {{app: server}}}}
  template:
    metadata: {{labels: {{app: server}}}}
    spec:
      containers:
        - name: {container}
          image: example.com/server:{version}
"""


class Bench:
    """A GitOps repository, a world, and the command line."""

    def __init__(self, root: Path, world: World) -> None:
        self.root, self.world = root, world
        self.environment = {
            **os.environ,
            "GITHUB_API_URL": f"{world.url}/api/v3",
            "UPSTREAMSYNC_CACHE": str(root.parent / "cache"),
            "NO_COLOR": "1",
        }
        root.mkdir()

    def publish(self, *versions: str, container: str = "server") -> None:
        for version in versions:
            self.world.file(f"server/{version}/install.yaml", manifest(version, container))
        links = "".join(f"<a>server {version}</a>" for version in versions)
        self.world.file("server/index.html", f"<html>{links}</html>")

    def vendor(self, name: str = "server", **changes: str) -> str:
        parts = {
            "version": "v1.0.0",
            "source": f'{{url: "{self.world.url}/server/{{version}}/install.yaml"}}',
            "releases": f"{{page: {{url: \"{self.world.url}/server/index.html\", pattern: 'server (?P<version>v[0-9.]+)'}}}}",
            "base": f"{name}/base",
            **changes,
        }
        lines = "".join(f"    {key}: {value}\n" for key, value in parts.items())
        return f"  - name: {name}\n{lines}"

    def configure(self, *vendors: str) -> None:
        (self.root / "vendors.yaml").write_text("version: 1\nvendors:\n" + "".join(vendors))

    def overlay(self, patch: str) -> None:
        folder = self.root / "server/overlay"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kustomization.yaml").write_text(f"resources: [../base]\n{patch}")

    def commit(self) -> None:
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git(
            "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "All", "--allow-empty"
        )

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=self.root, capture_output=True, text=True, check=True
        ).stdout

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "upstreamsync", *words],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *words: str, code: int = 0) -> dict[str, Any]:
        done = self.run(*words, "--format", "json")
        assert done.returncode == code, done.stderr + done.stdout
        document = json.loads(done.stdout)
        name = document["schema"].split("/")[1]
        schema = json.loads((SCHEMAS / f"{name}.v1.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document)
        return document


@pytest.fixture
def bench(tmp_path: Path, world: World) -> Bench:
    return Bench(tmp_path / "gitops", world)


@pytest.fixture
def vendored(bench: Bench) -> Bench:
    """At v1.0.0, committed; upstream has v1.1.0, whose container has another name."""
    bench.publish("v1.0.0")
    bench.configure(bench.vendor())
    bench.overlay(
        "patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: server}\n"
        "    spec: {template: {spec: {containers: [{name: server, tty: true}]}}}\n"
    )
    assert bench.run("update").returncode == 0
    bench.commit()
    return bench


def test_check_ends_with_0_when_all_is_current_and_when_updates_exist(vendored: Bench):
    assert vendored.json("check")["vendors"][0]["status"] == "up-to-date"
    vendored.publish("v1.0.0", "v1.1.0")
    (vendor,) = vendored.json("check")["vendors"]
    assert (vendor["status"], vendor["target"]) == ("outdated", "v1.1.0")


def test_check_exit_code_ends_with_1_when_updates_exist(vendored: Bench):
    assert vendored.run("check", "--exit-code").returncode == 0
    vendored.publish("v1.0.0", "v1.1.0")
    assert vendored.run("check", "--exit-code").returncode == 1


def test_a_withdrawn_version_ends_with_1(vendored: Bench):
    vendored.publish("v0.9.0")
    assert vendored.json("check", code=1)["vendors"][0]["status"] == "withdrawn"


def test_update_ends_with_0_when_nobody_is_needed(vendored: Bench):
    vendored.publish("v1.0.0", "v1.1.0")
    document = vendored.json("update")
    (vendor,) = document["vendors"]
    assert (vendor["status"], vendor["from"], vendor["to"]) == ("updated", "v1.0.0", "v1.1.0")
    assert vendor["files"] == {
        "added": [],
        "changed": ["server/base/install.yaml", "server/server.lock.yaml", "vendors.yaml"],
        "removed": [],
    }
    assert document["verification"]["summary"] == {"ok": 1}
    assert (vendored.root / "server/base/install.yaml").read_text() == manifest("v1.1.0")


def test_update_ends_with_1_when_a_patch_breaks_in_silence(vendored: Bench):
    vendored.publish("v1.0.0")
    vendored.publish("v1.0.0", "v1.1.0", container="main")
    document = vendored.json("update", "--dry-run", code=1)
    (item,) = document["verification"]["overlays"][0]["items"]
    assert item["verdict"] == "misapplied"
    assert vendored.git("status", "--porcelain") == ""


def test_verify_ends_with_1_for_a_base_that_was_edited_by_hand(vendored: Bench):
    assert vendored.json("verify")["bases"][0]["pristine"] is True
    file = vendored.root / "server/base/install.yaml"
    file.write_text(file.read_text().replace("name: server}", "name: server, labels: {a: b}}"))
    (base,) = vendored.json("verify", code=1)["bases"]
    assert base["changed_files"] == ["server/base/install.yaml"]


def test_verify_compares_two_plain_folders_without_git_or_configuration(vendored: Bench, tmp_path: Path):
    for side, container in (("old", "server"), ("new", "main")):
        for path, text in (
            ("base/kustomization.yaml", "resources: [all.yaml]\n"),
            ("base/all.yaml", manifest("v1", container)),
            ("overlay/kustomization.yaml", (vendored.root / "server/overlay/kustomization.yaml").read_text()),
        ):
            target = tmp_path / side / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    document = vendored.json(
        "verify", "--before", str(tmp_path / "old"), "--after", str(tmp_path / "new"), "overlay", code=1
    )
    assert document["summary"] == {"misapplied": 1}


def test_wrong_usage_and_wrong_configuration_end_with_2(vendored: Bench):
    for words in (["nonsense"], ["check", "--nonsense"], ["check", "nobody"], ["update", "--to", "v2"],
                  ["verify", "--before", "."], ["check", "-c", "nowhere.yaml"], ["pr", "--forge", "gitea"]):  # fmt: skip
        done = vendored.run(*words)
        assert done.returncode == 2, words
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
    vendored.configure(vendored.vendor(nonsense="1"))
    done = vendored.run("check")
    assert done.returncode == 2
    assert done.stderr.startswith("vendors.yaml:8:5: `nonsense` is not a known key")


def test_one_vendor_s_failure_is_named_and_stops_no_other(bench: Bench):
    bench.publish("v1.0.0", "v1.1.0")
    good = [bench.vendor(f"good-{number}") for number in range(8)]
    dead = bench.vendor(
        "dead", releases="{page: {url: \"http://127.0.0.1:9/x\", pattern: '(?P<version>v.)'}}"
    )
    bench.world.file("broken", "x")
    from upstreamsync.testing import Fault

    bench.world.fault("/broken", Fault.status(500))
    broken = bench.vendor(
        "broken", releases=f"{{page: {{url: \"{bench.world.url}/broken\", pattern: '(?P<version>v.)'}}}}"
    )
    bench.configure(*good, dead, broken)
    document = bench.json("check", code=3)
    by_name = {vendor["name"]: vendor for vendor in document["vendors"]}
    assert {by_name[f"good-{number}"]["target"] for number in range(8)} == {"v1.1.0"}
    for name in ("dead", "broken"):
        assert by_name[name]["status"] == "failed"
        assert by_name[name]["error"]["message"]
        assert by_name[name]["error"]["hint"]


def test_a_missing_tool_ends_with_3_and_says_how_to_get_it(vendored: Bench):
    vendored.publish("v1.0.0", "v1.1.0")
    vendored.environment |= {"KUSTOMIZE": "/nowhere/kustomize"}
    done = vendored.run("update")
    assert done.returncode == 3
    assert "hint: correct or unset the environment variable KUSTOMIZE" in done.stderr
    assert vendored.git("status", "--porcelain") == ""


def test_a_refused_push_ends_with_3(vendored: Bench):
    vendored.publish("v1.0.0", "v1.1.0")
    vendored.git("remote", "add", "origin", str(vendored.root.parent / "nowhere.git"))
    vendored.environment |= {"GITHUB_TOKEN": "t0ken-of-the-test", "GITHUB_REPOSITORY": "acme/gitops"}
    done = vendored.run("pr")
    assert done.returncode == 3
    assert "t0ken-of-the-test" not in done.stdout + done.stderr


def test_ctrl_c_ends_with_130_and_a_bug_with_70(vendored: Bench):
    script = "import sys; from upstreamsync.cli import exits\ndef verb(): raise {error}\nexits.run(verb)"
    for error, code, words in (
        ("KeyboardInterrupt", 130, "interrupted"),
        ("ZeroDivisionError", 70, "bug in upstreamsync"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", script.format(error=error)], capture_output=True, text=True, check=False
        )
        assert done.returncode == code
        assert words in done.stderr


def test_explain_doctor_and_schema_answer(vendored: Bench):
    vendored.publish("v1.0.0", "v1.1.0", "v2.0.0-rc.1")
    document = vendored.json("explain", "server")
    decisions = {one["version"]: one["decision"] for one in document["versions"]}
    assert decisions["v1.1.0"] == "the version to move to"
    assert decisions["v1.0.0"] == "the current version"
    assert vendored.json("doctor")["tools"][1]["name"] == "kustomize"
    assert json.loads(vendored.run("schema").stdout)["title"] == "vendors.yaml"


@pytest.mark.parametrize("form", ["text", "markdown", "github"])
def test_every_form_names_the_vendor_and_the_verdict(vendored: Bench, form: str):
    vendored.publish("v1.0.0", "v1.1.0", container="main")
    done = vendored.run("update", "--dry-run", "--format", form)
    assert done.returncode == 1
    for word in ("server", "v1.1.0", "misapplied"):
        assert word in done.stdout


def test_annotations_stand_at_the_line_of_the_patch(vendored: Bench):
    vendored.publish("v1.0.0", "v1.1.0", container="main")
    done = vendored.run("update", "--dry-run", "--format", "github")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("::error")]
    assert "file=server/overlay/kustomization.yaml,line=4," in line
