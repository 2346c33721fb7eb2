"""Fanning out over machines: what `check --matrix` prints is what the examples take."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from upstreamsync.model import Finding, Status
from upstreamsync.report.annotations import matrix

EXAMPLES = Path(__file__).parents[2] / "examples"
FINDINGS = [
    Finding(vendor="argocd", status=Status.OUTDATED, current="v1.0.0"),
    Finding(vendor="metallb", status=Status.UP_TO_DATE, current="v1.0.0"),
    Finding(vendor="cert-manager", status=Status.OUTDATED, current="v1.0.0"),
]


def test_the_workflow_fans_out_over_the_matrix():
    jobs = yaml.safe_load((EXAMPLES / "workflows/matrix.yml").read_text("utf-8"))["jobs"]
    name, _, value = matrix(FINDINGS).strip().partition("=")
    assert jobs["check"]["outputs"] == {name: f"${{{{ steps.check.outputs.{name} }}}}"}
    assert jobs["pull-request"]["strategy"]["matrix"] == f"${{{{ fromJSON(needs.check.outputs.{name}) }}}}"
    (key,) = json.loads(value)
    assert jobs["pull-request"]["steps"][-1]["with"]["vendors"] == f"${{{{ matrix.{key} }}}}"


@pytest.mark.parametrize(
    ("findings", "vendors"), [(FINDINGS, ["argocd", "cert-manager"]), (FINDINGS[1:2], [])]
)
def test_the_argo_workflow_takes_the_vendors_out_of_the_matrix(tmp_path, findings, vendors):
    manifest = yaml.safe_load((EXAMPLES / "scale/argo-workflow.yaml").read_text("utf-8"))
    templates = {one["name"]: one for one in manifest["spec"]["workflowSpec"]["templates"]}
    source = templates["check"]["script"]["source"]
    pipeline = source[source.index("sed -n") :].replace("/tmp/matrix", f"{tmp_path}/matrix")
    pipeline = pipeline.replace("/tmp/vendors", f"{tmp_path}/vendors")
    (tmp_path / "matrix").write_text(matrix(findings), "utf-8")
    subprocess.run(["sh", "-eu", "-c", pipeline], check=True)
    assert json.loads((tmp_path / "vendors.json").read_text("utf-8")) == vendors
    tasks = {one["name"]: one for one in templates["all"]["dag"]["tasks"]}
    assert tasks["pull-request"]["withParam"] == "{{tasks.check.outputs.parameters.vendors}}"
