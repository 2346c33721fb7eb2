"""Charts that kustomizations inflate: the outcome is the one of kustomize with its own inflation."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from upstreamsync.errors import ToolMissing, ToolTimeout
from upstreamsync.kit.run.engines import Engines, Helm, Kustomize, probe_kustomize
from upstreamsync.model import Verdict
from upstreamsync.testing import write_files
from upstreamsync.verify import overlay_output, verify_trees

HELM = Engines().helm()
KUSTOMIZES = [
    probe_kustomize(Path(one))
    for one in os.environ.get("KUSTOMIZE_ALL", str(Engines().kustomize().binary)).split(os.pathsep)
]

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: '2'\n",
    "values.yaml": """\
replicas: 1
"on": true
"off": false
empty: ""
nothing: null
list: [a, b]
none: []
big: 1000000
map: {a: 1, b: {c: 2}}
bare: {}
""",
    "templates/a.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web, namespace: {{ .Release.Namespace }}}
spec:
  replicas: {{ .Values.replicas }}
  template: {spec: {containers: [{name: web, image: "web:{{ .Chart.AppVersion }}"}]}}
---
# a document of comments
---
apiVersion: v1
kind: ConfigMap
metadata: {name: values}
data:
  values: {{ omit .Values "global" | toJson | quote }}
  kube: {{ .Capabilities.KubeVersion.Version | quote }}
  api: {{ .Capabilities.APIVersions.Has "acme.example/v1" | quote }}
""",
    "templates/hook.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hook,"
    " annotations: {helm.sh/hook: pre-install}}\n",
    "templates/test.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: test,"
    " annotations: {helm.sh/hook: test}}\n",
    "templates/NOTES.txt": "hello\n",
    "crds/crd.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
    "metadata: {name: things.acme.example}\nspec: {group: acme.example}\n",
}
OWN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {k: v}\n"

CASES = {
    "plain": "helmCharts: [{name: web, releaseName: r}]",
    "twice": "helmCharts:\n- {name: web, releaseName: r, namespace: one}\n"
    "- {name: web, releaseName: s, namespace: two, valuesInline: {replicas: 3}}\nnamePrefix: our-",
    "options": "helmCharts: [{name: web, releaseName: r, namespace: shop, includeCRDs: true, skipHooks: true,"
    " skipTests: true, kubeVersion: v1.29.0, apiVersions: [acme.example/v1]}]",
    "in another case": "HelmCharts: [{Name: web, RELEASENAME: r, includecrds: true}]",
    "name template": "helmCharts: [{name: web, nameTemplate: 'made-{{ \"Up\" | lower }}'}]",
    "values file": "helmCharts: [{name: web, releaseName: r, valuesFile: v.yaml}]",
    "more values": "helmCharts: [{name: web, releaseName: r, additionalValuesFiles: [v.yaml, w.yaml]}]",
    "file and inline": "helmCharts: [{name: web, releaseName: r, valuesFile: v.yaml,"
    " valuesInline: {replicas: 9, list: [z], map: {b: {d: 4}}}}]",
    "all values": "helmCharts: [{name: web, releaseName: r, valuesFile: v.yaml, additionalValuesFiles: [w.yaml],"
    " valuesInline: {replicas: 9, x: 1}}]",
    "chart home": "helmGlobals: {chartHome: other}\nhelmCharts: [{name: web, releaseName: r}]",
    "patched": "helmCharts: [{name: web, releaseName: r}]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n"
    "    kind: Deployment\n    metadata: {name: r-web, namespace: default}\n    spec: {replicas: 7}\n",
    "beside resources": "resources: [own.yaml]\nhelmCharts: [{name: web, releaseName: r}]\nnamespace: here",
    "in order": "sortOptions: {order: fifo}\nresources: [own.yaml]\nhelmCharts: [{name: web, releaseName: r}]\n"
    "configMapGenerator: [{name: made, literals: [a=b]}]\ncomponents: [part]",
    "generator file": "resources: [own.yaml]\ngenerators: [g.yaml]",
    "generator inline": "generators:\n- |-\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n"
    "  metadata: {name: g}\n  name: web\n  releaseName: r\n  valuesInline: {replicas: 4}\n",
    "older field": "helmChartInflationGenerator: [{chartName: web, releaseName: r, chartHome: other}]",
    "empty": "helmCharts: [{name: empty, releaseName: r}]\nresources: [own.yaml]",
    "fails": "helmCharts: [{name: fails, releaseName: r}]",
    "no such chart": "helmCharts: [{name: nobody, releaseName: r}]",
    "values outside": "helmCharts: [{name: web, releaseName: r, valuesFile: ../v.yaml}]",
    "no such values": "helmCharts: [{name: web, releaseName: r, valuesFile: nobody.yaml}]",
    "the generator's object again": "helmCharts: [{name: web, releaseName: r}]\n"
    "configMapGenerator: [{name: values, literals: [a=b]}]\ngeneratorOptions: {disableNameSuffixHash: true}",
}
INLINE = {
    "scalars": {"replicas": 0, "on": False, "off": True, "empty": "x", "big": 2000000},
    "nulls": {"replicas": None, "map": {"a": None}, "nothing": 1},
    "lists": {"list": [], "none": ["x"]},
    "kinds": {"map": 3, "list": {"a": 1}, "bare": [1]},
    "deeper": {"map": {"b": {"c": 5, "d": {}}, "e": {"f": True}}, "bare": {"x": {}}},
    "empty maps": {"map": {}, "bare": {}, "new": {}},
}
for _name, _values in INLINE.items():
    for _how in ("override", "merge", "replace"):
        _chart = {"name": "web", "releaseName": "r", "valuesInline": _values, "valuesMerge": _how}
        CASES[f"{_name} {_how}"] = yaml.safe_dump({"helmCharts": [_chart]})


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("charts")
    failing = {**CHART, "templates/a.yaml": '{{ fail "it can not be" }}'}
    nothing = {"Chart.yaml": CHART["Chart.yaml"].replace("web", "empty"), "values.yaml": ""}
    for name, files in (("web", CHART), ("fails", failing), ("empty", nothing)):
        for home in ("charts", "other"):
            write_files(root / "o" / home / name, files)
    write_files(
        root,
        {
            "v.yaml": "a: 1\n",
            "o/v.yaml": "replicas: 5\nmap: {b: {c: 8}}\nlist: [q]\n",
            "o/w.yaml": "replicas: 6\n",
            "o/own.yaml": OWN,
            "o/part/kustomization.yaml": "kind: Component\nresources: [more.yaml]\n",
            "o/part/more.yaml": OWN.replace("own", "more"),
            "o/g.yaml": "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: g}\n"
            "name: web\nreleaseName: r\nnamespace: n\n---\n"
            "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: h}\nname: made\nliterals: [a=b]\n",
        },
    )
    return root


def theirs(kustomize: Kustomize, folder: Path, helm: Path) -> bytes:
    """What kustomize makes of it with its own inflation, by a helm that it takes for the third; empty: it fails."""
    shim = folder.parent / "helm"
    shim.write_text(
        f'#!/bin/sh\nif [ "$1" = version ]; then echo v3.99.0; exit; fi\nexec {shlex.quote(str(helm))} "$@"\n'
    )
    shim.chmod(0o755)
    words = [kustomize.binary, "kustomize" if kustomize.embedded else "build", folder]
    done = subprocess.run(
        [*words, "--enable-helm", "--helm-command", shim], check=False, capture_output=True, text=False
    )
    return done.stdout if done.returncode == 0 else b""


@pytest.mark.parametrize("kustomize", KUSTOMIZES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_the_outcome_is_that_of_kustomize(tree: Path, case: str, kustomize: Kustomize) -> None:
    (tree / "o/kustomization.yaml").write_text(CASES[case], "utf-8")
    expected = theirs(kustomize, tree / "o", HELM.binary)
    assert overlay_output(tree, "o", kustomize=kustomize).decode() == expected.decode()


@pytest.mark.parametrize("sides", ["both", "after"])
@pytest.mark.parametrize(
    ("trouble", "reason"), [(ToolMissing, "not_reachable"), (ToolTimeout, "over_budget")]
)
def test_without_a_helm_that_answers_a_chart_is_not_judged(
    trouble: type[ToolMissing | ToolTimeout], reason: str, sides: str, tmp_path: Path
) -> None:
    def helm() -> Helm:
        raise trouble("helm gave no answer")

    plain = {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "overlay/kustomization.yaml": "resources: [../base]\n",
    }
    charts = {f"overlay/charts/web/{path}": text for path, text in CHART.items()}
    text = "resources: [../base]\nhelmCharts: [{name: web, valuesInline: {replicas: 2}}]\n"
    with_chart = {**plain, **charts, "overlay/kustomization.yaml": text}
    for side, files in (("before", with_chart if sides == "both" else plain), ("after", with_chart)):
        value = "1" if side == "before" else "2"
        write_files(
            tmp_path / side,
            {
                **files,
                "base/a.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: '{value}'}}\n",
            },
        )
    found = verify_trees(tmp_path / "before", tmp_path / "after", ["overlay"], upstream=["base"], helm=helm)
    said = {item.verdict for item in found.items}
    assert Verdict.UNJUDGED in said or not found.items, found.items
    assert Verdict.FAILS not in said, found.items
    assert {one.reason for one in found.overlays[0].left_out} == {reason}
