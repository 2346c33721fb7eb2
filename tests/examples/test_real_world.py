"""The two real repositories: declared completely, loaded without a complaint, told in docs/real-world.md."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from upstreamsync.config import load_configuration

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs/real-world.md").read_text()
#: Rows of each table: what the repository has a target, a script or a manual step for.
ROWS = {"neco-apps": 24, "kubeflow-manifests": 14}


#: The folders that the scripts write to, as they were read in the repositories; nothing is written for the others.
BASES = {
    "neco-apps": {
        "argocd": "argocd/base/upstream",
        "calico": "network-policy/base/calico/upstream",
        "cert-manager": "cert-manager/base/upstream",
        "contour": "ingress/base/contour",
        "customer-egress": "customer-egress/base/neco customer-egress/base",
        "elastic": "elastic/base/upstream",
        "external-dns": "external-dns/base/upstream",
        "grafana-operator": "monitoring/base/grafana-operator/upstream",
        "kube-metrics-adapter": "kube-metrics-adapter/base/upstream",
        "kube-state-metrics": "monitoring/base/kube-state-metrics",
        "loki": "logging/base/loki/upstream",
        "promtail": "logging/base/promtail/upstream",
        "metallb": "metallb/base/upstream",
        "moco": "moco/base/upstream",
        "pvc-autoresizer": "pvc-autoresizer/base/upstream",
        "neco-admission": "neco-admission/base/upstream",
        "rook": "rook/base/upstream/chart",
        "sealed-secrets": "sealed-secrets/base/upstream",
        "topolvm": "topolvm/base/upstream",
        "victoriametrics-operator": "monitoring/base/victoriametrics/upstream",
    },
    "kubeflow-manifests": {
        "istio": "common/istio/istio-crds/base common/istio/istio-install/base common/istio/cluster-local-gateway/base",
        "cert-manager": "common/cert-manager/base/upstream",
        "dex": "common/dex/base/upstream",
        "kserve-models-web-app": "applications/kserve/models-web-app",
        "spark-operator": "applications/spark/spark-operator/base",
    },
}


def rows(name: str) -> list[tuple[str, list[str], list[int]]]:
    """What was done, its vendors and its shapes."""
    (section,) = (part for part in DOCS.split("\n## ") if f"examples/{name}/vendors.yaml" in part)
    found = re.findall(r"^\| ([^|`]+) \| ((?:`[a-z0-9-]+`(?:, )?)+) \| ([0-9, ]+) \|$", section, re.MULTILINE)
    return [
        (what, re.findall(r"`([^`]+)`", vendors), [int(one) for one in shapes.split(",")])
        for what, vendors, shapes in found
    ]


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_its_vendors_and_every_vendor_its_row(name: str):
    vendors = [
        vendor.name for vendor in load_configuration(ROOT / "examples" / name / "vendors.yaml").vendors
    ]
    table = rows(name)
    assert len(table) == ROWS[name]
    assert [vendor for _, listed, _ in table for vendor in listed] == vendors


@pytest.mark.parametrize("name", ROWS)
def test_bases_are_those_of_the_repository(name: str):
    configuration = load_configuration(ROOT / "examples" / name / "vendors.yaml")
    for vendor, folders in BASES[name].items():
        assert set(folders.split()) <= set(configuration.vendor(vendor).bases)
    if name == "neco-apps":
        assert {one.name for one in configuration.vendors if one.bases} == BASES[name].keys()
    else:
        bases = [base for one in configuration.vendors for base in one.bases]
        assert sum(base.endswith("/upstream") and base.startswith("applications/") for base in bases) == 5 + 9


def test_every_shape_has_a_test_and_a_row():
    tests = set()
    for file in (ROOT / "tests/shapes").glob("test_shapes_*.py"):
        tests |= {int(number) for number in re.findall(r"^def test_(\d\d)_", file.read_text(), re.MULTILINE)}
    assert tests == set(range(1, 35))
    listed = [int(number) for number in re.findall(r"^\| (\d+) \| .* `test_\d\d_…` \|$", DOCS, re.MULTILINE)]
    assert listed == list(range(1, 35))
    used = {shape for name in ROWS for _, _, shapes in rows(name) for shape in shapes}
    # Neither repository has charts in OCI, archives of manifests, kustomizations to build or HTML pages.
    assert used == set(range(1, 35)) - {12, 16, 18, 20}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_check_takes_the_declarations(name: str, tmp_path: Path):
    """Without a network every vendor fails, by itself; the configuration is nobody's complaint."""
    nowhere = "http://127.0.0.1:9"
    proxies = {f"{scheme}_proxy": nowhere for scheme in ("http", "https", "all")}
    environment = {
        **os.environ,
        **proxies,
        **{key.upper(): url for key, url in proxies.items()},
        "no_proxy": "",
    }
    environment |= {"UPSTREAMSYNC_CACHE": str(tmp_path), "GITHUB_API_URL": nowhere, "NO_COLOR": "1"}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "upstreamsync",
            "check",
            "-c",
            f"examples/{name}/vendors.yaml",
            "--format",
            "json",
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # 2: files of the team, which an example does not have, are missed where the declarations name them.
    assert done.returncode in (0, 1, 2, 3), done.stderr
    document = json.loads(done.stdout)
    listed = [vendor for _, vendors, _ in rows(name) for vendor in vendors]
    assert [vendor["name"] for vendor in document["vendors"]] == listed
    for vendor in document["vendors"]:
        if vendor["status"] == "failed" and vendor["error"]["kind"] == "configuration":
            assert "is not there" in json.dumps(vendor["error"]), vendor["error"]
            continue
        assert vendor["status"] != "failed" or vendor["error"]["hint"]
