"""A pull request that moves one chart of 20 in a repository of 300 kustomizations.

``python benchmarks/since.py [TIMES]`` measures `verify --since` next to what it can't do without: one `helm
template` of each version and one plain build of what stands on it. At most 2.5 times their sum is the limit.
Nothing else may be built or asked for, which is checked.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from upstreamsync.kit.run.engines import Engines
from upstreamsync.testing import World

LIMIT = 2.5
_DEPLOYMENT = """\
{{- range $n := until 300 }}
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


def make(root: Path, world: World) -> None:
    """The repository: 280 kustomizations of its own, 20 with a chart; one of these moves in the last commit."""
    for version in ("1.0.0", "1.1.0"):
        world.chart(
            "charts", "widget", version, files={"values.yaml": _VALUES, "templates/all.yaml": _DEPLOYMENT}
        )
    for number in range(300):
        folder = root / f"team{number % 10}/app{number:03}"
        folder.mkdir(parents=True)
        text = _APP.format(url=f"{world.url}/charts", version="1.0.0") if number < 20 else _PLAIN
        (folder / "kustomization.yaml").write_text(text)
        (folder / "own.yaml").write_text(_OWN)
    git(root, "init", "-q")
    commit(root)
    moved = root / "team7/app007/kustomization.yaml"
    moved.write_text(moved.read_text().replace("1.0.0", "1.1.0"))
    commit(root)


def git(root: Path, *words: str) -> None:
    """Run git as somebody."""
    subprocess.run(
        ["git", "-c", "user.name=b", "-c", "user.email=b@example.com", *words], cwd=root, check=True
    )


def commit(root: Path) -> None:
    """Everything, as one commit."""
    git(root, "add", "-A")
    git(root, "commit", "-qm", "step")


def timed(words: list[str], cwd: Path, environment: dict[str, str], code: int = 0) -> tuple[float, str]:
    """Seconds, and what was printed."""
    begin = time.perf_counter()
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begin
    if done.returncode != code:
        raise SystemExit(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return taken, done.stdout


def plain(root: Path, scratch: Path, environment: dict[str, str]) -> float:
    """One render and one plain build for each of the two versions, one after the other."""
    engines = Engines()
    helm, kustomize = engines.helm(), engines.kustomize()
    build = [str(kustomize.binary), "kustomize" if kustomize.embedded else "build"]
    total = 0.0
    for version in ("1.0.0", "1.1.0"):
        folder = scratch / version
        chart = folder / "charts/widget"
        if not chart.exists():
            (chart / "templates").mkdir(parents=True)
            (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: widget\nversion: {version}\n")
            (chart / "values.yaml").write_text(_VALUES)
            (chart / "templates/all.yaml").write_text(_DEPLOYMENT)
            text = (root / "team7/app007/kustomization.yaml").read_text()
            before, _, rest = text.partition("helmCharts:")
            rest = rest[rest.index("patches:") :]
            values = text[text.index("valuesInline:\n") + 14 : text.index("patches:")]
            (folder / "values.yaml").write_text(values.replace("\n    ", "\n").lstrip())
            (folder / "kustomization.yaml").write_text(
                before.replace("own.yaml", "own.yaml, all.yaml") + rest
            )
            (folder / "own.yaml").write_text(_OWN)
        words = [str(helm.binary), "template", "widget", str(chart), "--values", str(folder / "values.yaml")]
        taken, printed = timed(words, folder, environment)
        (folder / "all.yaml").write_text(printed)
        total += taken + timed([*build, str(folder)], folder, environment)[0]
    return total


def main() -> None:
    """Measure, in turns."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory(prefix="upstreamsync-since-") as name, World() as world:
        root, scratch = Path(name, "repository"), Path(name, "scratch")
        root.mkdir()
        make(root, world)
        ours, theirs = [], []
        for number in range(times):
            environment = {**os.environ, "UPSTREAMSYNC_CACHE": str(Path(name, f"cache{number}"))}
            words = [sys.executable, "-m", "upstreamsync", "verify", "--since", "HEAD~1", "--format", "json"]
            taken, printed = timed(words, root, environment)
            document = json.loads(printed)
            assert [one["path"] for one in document["overlays"]] == ["team7/app007"], (
                "something else was built"
            )
            assert set(document["summary"]) == {"ok"}, document["summary"]
            ours.append(taken)
            theirs.append(plain(root, scratch, environment))
        mine, floor = statistics.median(ours), statistics.median(theirs)
        print(f"verify --since: {mine:.2f} s; renders and plain builds: {floor:.2f} s")
        print(f"{mine / floor:.2f} times (limit {LIMIT})")


if __name__ == "__main__":
    main()
