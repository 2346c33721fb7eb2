"""A pull request that moves one chart of 20 in a repository of 300 kustomizations.

`verify --since`, with a cold cache, next to what nobody can do without: one `helm template` and two plain builds
of what stands on the chart. Nothing else may be built, which is checked. A chart of 20 objects is told beside the
one of 300 that the limit is for: starting, and looking through 600 kustomizations, is most of what it costs.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from judging import PROGRAM, kustomize
from measure import Caches, Cost, Wrong, alternating, run

from report import Section, ratio
from upstreamsync.testing import World

#: In one render and two plain builds.
LIMIT = 2.5
MOVED, KUSTOMIZATIONS, CHARTS = "team7/app007", 300, 20
VERSIONS = ("1.0.0", "1.1.0")
_DEPLOYMENT = """\
{{- range $n := until OBJECTS }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "widget-{{ $n }}", labels: {chart: "{{ $.Chart.Version }}"}}
spec:
  replicas: {{ $.Values.replicas }}
  selector: {matchLabels: {app: "widget-{{ $n }}"}}
  template:
    metadata: {labels: {app: "widget-{{ $n }}"}}
    spec:
      containers:
      - name: widget
        image: "{{ $.Values.image.repository }}:{{ $.Values.image.tag | default $.Chart.Version }}"
        args: {{ toJson $.Values.args }}
        resources: {{ toJson $.Values.resources }}
{{- end }}
"""
_VALUES = "replicas: 1\nimage: {repository: example.com/widget}\nargs: []\nresources: {}\n"
_APP = """\
resources: [own.yaml]
helmCharts:
- name: widget
  repo: {url}
  version: {version}
  releaseName: widget
  valuesInline:
    replicas: 3
    image: {{tag: v7}}
    args: [--fast, --safe]
    resources: {{limits: {{memory: 1Gi}}, requests: {{cpu: 100m}}}}
patches:
- target: {{kind: Deployment}}
  patch: |-
    - {{op: add, path: /metadata/annotations, value: {{a: b}}}}
images: [{{name: example.com/widget, newName: mirror.example.com/widget}}]
namespace: app
"""
_PLAIN = "resources: [own.yaml]\nnamespace: plain\n"
_OWN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n"


def measure_since(folder: Path, times: int, helm: Path, scale: float = 1.0) -> Iterator[Section]:
    """A table for each size of the chart. Raises Wrong when something else was built, or a verdict is not ok."""
    for objects, limit in ((300, LIMIT), (20, None)):
        yield _measure(folder / f"chart-{objects}", times, helm, max(1, int(objects * scale)), limit)


def _measure(folder: Path, times: int, helm: Path, objects: int, limit: float | None) -> Section:
    root, scratch, caches = folder / "repository", folder / "scratch", Caches(folder / "cache")
    files = {"values.yaml": _VALUES, "templates/all.yaml": _DEPLOYMENT.replace("OBJECTS", str(objects))}
    plain = "helm once, kustomize twice"
    with World() as world:
        for version in VERSIONS:
            world.chart("charts", "widget", version, files=files)
        _repository(root, f"{world.url}/charts")
        _lay_out(root, scratch, files)
        subjects = {
            plain: lambda: _plain(scratch, helm),
            "verify": lambda: _verify(root, folder / "out.json", caches.new()),
        }
        costs = alternating(subjects, times)
    title = f"verify --since, one chart of {CHARTS}, {objects} objects, {KUSTOMIZATIONS} kustomizations"
    return Section(title=title, costs=costs, figures=[ratio("4", title, costs, "verify", plain, limit)])


def _repository(root: Path, charts: str) -> None:
    """All kustomizations with the old chart, then a commit that moves one of them."""
    for number in range(KUSTOMIZATIONS):
        app = root / f"team{number % 10}/app{number:03}"
        app.mkdir(parents=True)
        text = _APP.format(url=charts, version=VERSIONS[0]) if number < CHARTS else _PLAIN
        (app / "kustomization.yaml").write_text(text, "utf-8")
        (app / "own.yaml").write_text(_OWN, "utf-8")
    _git(root, "init", "-q")
    _commit(root)
    moved = root / MOVED / "kustomization.yaml"
    moved.write_text(moved.read_text("utf-8").replace(*VERSIONS), "utf-8")
    _commit(root)


def _commit(root: Path) -> None:
    _git(root, "add", "-A")
    _git(root, "commit", "-qm", "step")


def _git(root: Path, *words: str) -> None:
    somebody = ("-c", "user.name=b", "-c", "user.email=b@example.com")
    subprocess.run(["git", *somebody, *words], cwd=root, check=True)


def _lay_out(root: Path, scratch: Path, files: Mapping[str, str]) -> None:
    """The chart, its values, and a kustomization that has what it renders to as a file."""
    chart = scratch / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: widget\nversion: {VERSIONS[1]}\n", "utf-8")
    for path, text in files.items():
        (chart / path).write_text(text, "utf-8")
    text = (root / MOVED / "kustomization.yaml").read_text("utf-8")
    before, _, rest = text.partition("helmCharts:")
    _, _, inline = rest.partition("valuesInline:\n")
    inline, _, after = inline.partition("patches:")
    (scratch / "values.yaml").write_text(inline.replace("\n    ", "\n").lstrip(), "utf-8")
    collecting = before.replace("own.yaml", "own.yaml, all.yaml")
    (scratch / "kustomization.yaml").write_text(f"{collecting}patches:{after}", "utf-8")
    (scratch / "own.yaml").write_text(_OWN, "utf-8")


def _plain(scratch: Path, helm: Path) -> Cost:
    rendered = scratch / "all.yaml"
    words = [helm, "template", "widget", scratch / "chart", "--values", scratch / "values.yaml"]
    rendered.unlink(missing_ok=True)
    total = run([*words, "--output-dir", scratch / "out"])
    (scratch / "out/widget/templates/all.yaml").rename(rendered)
    tool, build = kustomize()
    for _ in VERSIONS:
        total += run([tool, *build, scratch])
    return total


def _verify(root: Path, out: Path, cache: Path) -> Cost:
    command = [*PROGRAM, "verify", "--since", "HEAD~1", "--json-output", out]
    cost = run(command, cwd=root, environment={"UPSTREAMSYNC_CACHE": str(cache)})
    _look_at(json.loads(out.read_text("utf-8")))
    return cost


def _look_at(document: Mapping[str, Any]) -> None:
    built = [one["path"] for one in document["overlays"]]
    if built != [MOVED] or set(document["summary"]) != {"ok"}:
        raise Wrong(f"{MOVED} alone moves, and all is well; verify looked at {built}: {document['summary']}")
