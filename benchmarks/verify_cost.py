"""What verifying costs, in units of one plain build: 30 customizations over a base of 2 MB.

Run it as ``python benchmarks/verify_cost.py``. Writes two trees to a temporary folder, builds the overlay
once with kustomize alone (the least of three runs), verifies, and prints both times and their ratio.
Exit code 1 when the ratio is above 8.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from upstreamsync.kit.engines import Engines
from upstreamsync.verify import verify_trees

LIMIT = 8.0

_CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: kind{n}s.bench.example
spec:
  group: bench.example
  names: {{kind: Kind{n}, listKind: Kind{n}List, plural: kind{n}s, singular: kind{n}}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
"""
_FIELD = """\
          field{i:04}:
            type: string
            description: What the field number {i} of this kind is good for, said at some length ({release}).
"""
_WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app{n}
  labels: {{app: app{n}, helm.sh/chart: bench-{release}}}
spec:
  replicas: 1
  selector:
    matchLabels: {{app: app{n}}}
  template:
    metadata:
      labels: {{app: app{n}}}
    spec:
      containers:
      - name: main
        image: quay.io/bench/app{n}:v{release}
        args: [--port=8080, --log=info]
        resources:
          limits: {{memory: 128Mi}}
---
apiVersion: v1
kind: Service
metadata:
  name: app{n}
spec:
  selector: {{app: app{n}}}
  ports:
  - {{name: http, port: 80, targetPort: 8080}}
"""
_MERGE = """\
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: app{n}
    spec:
      template:
        spec:
          containers:
          - name: main
            resources:
              limits:
                memory: 512Mi
"""
_JSON = """\
- target: {{kind: Deployment, name: app{n}}}
  patch: |-
    - op: replace
      path: /spec/template/spec/containers/0/args/1
      value: --log=debug
"""


def base(release: str) -> str:
    """About 2.3 MB of manifests: twelve CRDs, twenty Deployments, twenty Services."""
    crds = [
        _CRD.format(n=n) + "".join(_FIELD.format(i=i, release=release) for i in range(1350))
        for n in range(12)
    ]
    return "---\n".join([*crds, *(_WORKLOAD.format(n=n, release=release) for n in range(20))])


def overlay() -> str:
    """Thirty customizations, half of them on objects that others change too."""
    patches = "".join(_MERGE.format(n=n) for n in range(14)) + "".join(_JSON.format(n=n) for n in range(8))
    images = "".join(f"- name: quay.io/bench/app{n}\n  newName: mirror.example/app{n}\n" for n in range(5))
    return (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\n"
        f"namespace: bench\ncommonAnnotations: {{team: infra}}\npatches:\n{patches}images:\n{images}"
        "replicas:\n- {name: app0, count: 3}\n"
    )


def write(folder: Path, release: str) -> None:
    """One complete tree."""
    (folder / "base").mkdir(parents=True)
    (folder / "overlay").mkdir()
    (folder / "base" / "kustomization.yaml").write_text("resources: [all.yaml]\n", "utf-8")
    (folder / "base" / "all.yaml").write_text(base(release), "utf-8")
    (folder / "overlay" / "kustomization.yaml").write_text(overlay(), "utf-8")


def main() -> int:
    """Measure and print."""
    kustomize = Engines().kustomize()
    with tempfile.TemporaryDirectory() as name:
        before, after = Path(name) / "before", Path(name) / "after"
        write(before, "1.0.0")
        write(after, "1.1.0")
        plain = min(_timed(lambda: kustomize.build(after / "overlay"))[0] for _ in range(3))
        spent, verification = _timed(lambda: verify_trees(before, after, ["overlay"], kustomize=kustomize))
    judged = verification.overlays[0]
    print(f"{kustomize}: one plain build {plain:.2f} s; {len(judged.items)} customizations verified in")
    print(f"{spent:.2f} s with {judged.builds} builds: {spent / plain:.1f} plain builds (limit {LIMIT:g})")
    return int(spent / plain > LIMIT)


def _timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    sys.exit(main())
