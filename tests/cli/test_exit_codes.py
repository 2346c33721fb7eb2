"""Exit codes and documents of each command, on the real command line against the test world."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from upstreamsync.testing import Fault


def test_check_ends_with_0_when_all_is_current_and_when_updates_exist(vendored):
    assert vendored.json("check")["vendors"][0]["status"] == "up-to-date"
    vendored.publish("v1.0.0", "v1.1.0")
    (vendor,) = vendored.json("check")["vendors"]
    assert (vendor["status"], vendor["target"]) == ("outdated", "v1.1.0")


def test_check_exit_code_ends_with_1_when_updates_exist(vendored):
    assert vendored.run("check", "--exit-code").returncode == 0
    vendored.publish("v1.0.0", "v1.1.0")
    assert vendored.run("check", "--exit-code").returncode == 1


def test_a_withdrawn_version_ends_with_1(vendored):
    vendored.publish("v0.9.0")
    assert vendored.json("check", code=1)["vendors"][0]["status"] == "withdrawn"


def test_update_ends_with_0_when_nobody_is_needed(vendored):
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
    assert (vendored.root / "server/base/install.yaml").read_text() == vendored.deployment("v1.1.0")


def test_update_ends_with_1_when_a_patch_breaks_in_silence(vendored):
    vendored.publish("v1.0.0")
    vendored.publish("v1.0.0", "v1.1.0", container="main")
    document = vendored.json("update", "--dry-run", code=1)
    (item,) = document["verification"]["overlays"][0]["items"]
    assert item["verdict"] == "misapplied"
    assert vendored.git("status", "--porcelain") == ""


def test_verify_ends_with_1_for_a_base_that_was_edited_by_hand(vendored):
    assert vendored.json("verify")["bases"][0]["pristine"] is True
    file = vendored.root / "server/base/install.yaml"
    file.write_text(file.read_text().replace("name: server}", "name: server, labels: {a: b}}"))
    (base,) = vendored.json("verify", code=1)["bases"]
    assert base["changed_files"] == ["server/base/install.yaml"]


def test_verify_compares_two_plain_folders_without_git_or_configuration(vendored, tmp_path: Path):
    for side, container in (("old", "server"), ("new", "main")):
        for path, text in (
            ("base/kustomization.yaml", "resources: [all.yaml]\n"),
            ("base/all.yaml", vendored.deployment("v1", container)),
            ("overlay/kustomization.yaml", (vendored.root / "server/overlay/kustomization.yaml").read_text()),
        ):
            target = tmp_path / side / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    document = vendored.json(
        "verify", "--before", str(tmp_path / "old"), "--after", str(tmp_path / "new"), "overlay", code=1
    )
    assert document["summary"] == {"misapplied": 1}


def test_wrong_usage_and_wrong_configuration_end_with_2(vendored):
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


def test_one_vendor_s_failure_is_named_and_stops_no_other(bench):
    bench.publish("v1.0.0", "v1.1.0")
    good = [bench.vendor(f"good-{number}") for number in range(8)]
    dead = bench.vendor(
        "dead", releases="{page: {url: \"http://127.0.0.1:9/x\", pattern: '(?P<version>v.)'}}"
    )
    bench.world.file("broken", "x")
    bench.world.fault("/broken", Fault.status(500))
    broken = bench.vendor(
        "broken", releases=f"{{page: {{url: \"{bench.world.url}/broken\", pattern: '(?P<version>v.)'}}}}"
    )
    bench.configure(*good, dead, broken)
    document = bench.json("check", code=3)
    by_name = {vendor["name"]: vendor for vendor in document["vendors"]}
    assert {by_name[f"good-{number}"]["newest"] for number in range(8)} == {"v1.1.0"}
    assert {by_name[f"good-{number}"]["status"] for number in range(8)} == {"not-vendored"}
    for name in ("dead", "broken"):
        assert by_name[name]["status"] == "failed"
        assert by_name[name]["error"]["message"]
        assert by_name[name]["error"]["hint"]


def test_a_missing_tool_ends_with_3_and_says_how_to_get_it(vendored):
    vendored.publish("v1.0.0", "v1.1.0")
    vendored.environment |= {"KUSTOMIZE": "/nowhere/kustomize"}
    done = vendored.run("update")
    assert done.returncode == 3
    assert "hint: correct or unset the environment variable KUSTOMIZE" in done.stderr
    assert vendored.git("status", "--porcelain") == ""


def test_a_refused_push_ends_with_3(vendored):
    vendored.publish("v1.0.0", "v1.1.0")
    vendored.git("remote", "add", "origin", str(vendored.root.parent / "nowhere.git"))
    vendored.environment |= {"GITHUB_TOKEN": "t0ken-of-the-test", "GITHUB_REPOSITORY": "acme/gitops"}
    done = vendored.run("pr")
    assert done.returncode == 3
    assert "t0ken-of-the-test" not in done.stdout + done.stderr


def test_ctrl_c_ends_with_130_and_a_bug_with_70(vendored):
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


def test_explain_doctor_and_schema_answer(vendored):
    vendored.publish("v1.0.0", "v1.1.0", "v2.0.0-rc.1")
    document = vendored.json("explain", "server")
    decisions = {one["version"]: one["decision"] for one in document["versions"]}
    assert decisions["v1.1.0"] == "the version to move to"
    assert decisions["v1.0.0"] == "the current version"
    assert vendored.json("doctor")["tools"][1]["name"] == "kustomize"
    assert json.loads(vendored.run("schema").stdout)["title"] == "vendors.yaml"


@pytest.mark.parametrize("form", ["text", "markdown", "github"])
def test_every_form_names_the_vendor_and_the_verdict(vendored, form: str):
    vendored.publish("v1.0.0", "v1.1.0", container="main")
    done = vendored.run("update", "--dry-run", "--format", form)
    assert done.returncode == 1
    for word in ("server", "v1.1.0", "misapplied"):
        assert word in done.stdout


def test_annotations_stand_at_the_line_of_the_patch(vendored):
    vendored.publish("v1.0.0", "v1.1.0", container="main")
    done = vendored.run("update", "--dry-run", "--format", "github")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("::error")]
    assert "file=server/overlay/kustomization.yaml,line=4," in line
