"""What the judge costs where kustomize refuses patches in a base that many overlays share.

kustomize stops at the first patch that it refuses; each one is to cost one build at most, for all overlays
that stand on it. The unit are two plain builds of all overlays. The same run is made with a tenth of the time
that it may take: some overlays have to be judged then, and all others named as unjudged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from judging import PROGRAM, kustomize
from measure import Cost, Wrong, alternating, run

from report import Section, ratio

#: In two plain builds of all overlays.
LIMIT = 3.0
OVERLAYS, FILES, PATCHES, REFUSED = 14, 120, 30, 10

_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{app: app{n}}}
spec:
  selector: {{matchLabels: {{app: app{n}}}}}
  template:
    metadata: {{labels: {{app: app{n}}}}}
    spec:
      containers:
      - name: main
        image: example.com/app{n}:{tag}
        args: [--one, --two]
---
apiVersion: v1
kind: Service
metadata: {{name: app{n}}}
spec: {{selector: {{app: app{n}}}, ports: [{{port: 80, name: http}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: app{n}}}
data:
{lines}"""
_PATCH = """\
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: app{n}}}
    spec: {{replicas: {count}, template: {{spec: {{containers: [{{name: main, tty: true}}]}}}}}}
"""
_OVERLAY = """\
resources: [../../common]
namespace: shop{n}
images: [{{name: example.com/app20, newTag: "9.{n}"}}]
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: app25}}
    spec: {{template: {{spec: {{nodeSelector: {{pool: p{n}}}}}}}}}
"""


def _files(*, new: bool) -> dict[str, str]:
    """One side: what upstream calls otherwise in the new release is what the patches that fail are about."""
    lines = "".join(f"  key{i}: line {i} of a file of settings\n" for i in range(60))
    files = {
        f"base/app{n}.yaml": _MANIFEST.format(
            name=f"app{n}-server" if new and n < REFUSED else f"app{n}",
            n=n,
            tag=2 if new else 1,
            lines=lines,
        )
        for n in range(FILES)
    }
    files["base/kustomization.yaml"] = f"resources: [{', '.join(f'app{n}.yaml' for n in range(FILES))}]\n"
    patches = "".join(_PATCH.format(n=n, count=n + 2) for n in range(PATCHES))
    files["common/kustomization.yaml"] = f"resources: [../base]\npatches:\n{patches}"
    for n in range(OVERLAYS):
        files[f"overlays/o{n}/kustomization.yaml"] = _OVERLAY.format(n=n)
    return files


def measure_refused(folder: Path, times: int) -> Section:
    """The table. Raises Wrong when a verdict is not as it has to be."""
    for side in ("before", "after"):
        for path, text in _files(new=side == "after").items():
            (folder / side / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / side / path).write_text(text, "utf-8")
    plain = "kubectl, two plain builds of each overlay"
    costs = alternating({plain: lambda: _plain(folder), "verify": lambda: _verify(folder)}, times)
    _partial(folder, budget=costs[plain].wall * LIMIT / 10)
    title = f"{OVERLAYS} overlays, {FILES} files, {PATCHES} patches of which {REFUSED} fail"
    return Section(
        title=title,
        costs=costs,
        figures=[ratio("4", f"verify, {title}", costs, "verify", plain, LIMIT)],
    )


def _plain(folder: Path) -> Cost:
    tool, words = kustomize()
    total = Cost(wall=0, cpu=0, memory=0)
    for side in ("before", "after"):
        for n in range(OVERLAYS):
            total += run([tool, *words, folder / side / f"overlays/o{n}"], accepted=(0, 1))
    return total


def _verify(folder: Path, *options: str, accepted: tuple[int, ...] = (1,)) -> Cost:
    out = folder / "out.json"
    sides = ["--before", folder / "before", "--after", folder / "after"]
    cost = run([*PROGRAM, "verify", *sides, "--no-cache", "--json-output", out, *options], accepted=accepted)
    if not options:
        _look_at(json.loads(out.read_text("utf-8")))
    return cost


def _look_at(document: Mapping[str, Any]) -> None:
    found = document["summary"]
    items = PATCHES + 3 * OVERLAYS
    if found.get("fails") != REFUSED or sum(found.values()) != items or "unjudged" in found:
        raise Wrong(f"{REFUSED} of {items} customizations fail, and verify said {found}")


def _partial(folder: Path, budget: float) -> None:
    """With a tenth of the time, what is there in the end is written: nothing is lost, and nothing ok unseen."""
    _verify(folder, "--budget", f"{budget:.1f}s", accepted=(1, 3))
    found = json.loads((folder / "out.json").read_text("utf-8"))["overlays"]
    if len(found) != OVERLAYS:
        raise Wrong(f"{len(found)} overlays are named of {OVERLAYS}")
    reasons = [{item["reason"] for item in one["items"] if item["verdict"] == "unjudged"} for one in found]
    if not any(reasons) or all(reasons) or set().union(*reasons) != {"over_budget"}:
        raise Wrong(f"in {budget:.1f} s {sum(map(bool, reasons))} overlays were left unjudged: {reasons[0]}")
