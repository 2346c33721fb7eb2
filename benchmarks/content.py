"""What is judged and updated: two releases each of large upstreams.

The real ones where UPSTREAM_WORLD names a folder that has them, made-up ones of the same size elsewhere.
``scale`` makes the made-up ones smaller (1.0: as large as the real ones), and real ones are then not used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

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
  labels: {{helm.sh/chart: bench-{release}}}
spec:
  selector: {{app: app{n}}}
  ports:
  - {{name: http, port: 80, targetPort: 8080}}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a real upstream lies below the assets, and which two versions of it."""

    path: str
    versions: tuple[str, str]


_ARGO_CD = Place("argoproj/argo-cd/{}/install.yaml", ("v3.3.9", "v3.4.7"))
_STACK = Place("prometheus-community/kube-prometheus-stack/{}/manifests.yaml", ("87.19.0", "88.5.0"))
#: The versions of what is made up.
OLD, NEW = "1.0.0", "1.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """Two releases of one upstream.

    ``deployment`` is one of its Deployments, ``changed`` how many objects differ, where that is known.
    """

    title: str
    versions: tuple[str, str]
    old: bytes
    new: bytes
    deployment: str
    changed: int | None = None

    def later(self, number: int) -> bytes:
        """The new release as if it were another, later one, so that nothing made of it is at hand yet."""
        version = self.versions[1]
        return self.new.replace(version.encode(), f"{version}{number:02}".encode())


def workloads(count: int, release: str) -> str:
    """``count`` Deployments and as many Services."""
    return "---\n".join(_WORKLOAD.format(n=n, release=release) for n in range(count))


def crds(count: int, fields: int, release: str) -> str:
    """``count`` CRDs with 0.15 KB for each of their ``fields``."""
    return "---\n".join(
        _CRD.format(n=n) + "".join(_FIELD.format(i=i, release=release) for i in range(fields))
        for n in range(count)
    )


def made_up(title: str, *, kinds: int, fields: int, apps: int, calm: bool = False) -> Releases:
    """Two releases with so many CRDs and applications; ``calm``: the CRDs are the same in both."""
    old, new = (
        f"{crds(kinds, fields, OLD if calm else release)}---\n{workloads(apps, release)}".encode()
        for release in (OLD, NEW)
    )
    changed = 2 * apps + (0 if calm else kinds)
    return Releases(title=title, versions=(OLD, NEW), old=old, new=new, deployment="app0", changed=changed)


def objects(count: int) -> Releases:
    """``count`` small objects, half Deployments, half Services, each of them changed."""
    old, new = (workloads(count // 2, release).encode() for release in (OLD, NEW))
    return Releases(
        title=f"{count} objects",
        versions=(OLD, NEW),
        old=old,
        new=new,
        deployment="app0",
        changed=count // 2 * 2,
    )


def two_megabytes(scale: float, *, calm: bool = False) -> Releases:
    """About 2.3 MB: twelve CRDs, twenty Deployments, twenty Services."""
    fields = max(1, int(1350 * scale))
    which = "unchanged" if calm else "all changed"
    return made_up(f"2 MB of CRDs, {which}", kinds=12, fields=fields, apps=20, calm=calm)


def argo_cd(scale: float) -> Releases:
    """install.yaml of Argo CD (1.9 MB, three CRDs of 59 objects)."""
    real = _real("Argo CD", _ARGO_CD, "argocd-server", scale)
    return real or made_up("made up for Argo CD", kinds=3, fields=int(4000 * scale) + 1, apps=28)


def stack(scale: float) -> Releases:
    """The rendering of kube-prometheus-stack (5.2 MB, ten CRDs of 123 objects)."""
    title = "kube-prometheus-stack"
    real = _real(title, _STACK, "monitoring-kube-prometheus-operator", scale)
    return real or made_up(f"made up for {title}", kinds=10, fields=int(3300 * scale) + 1, apps=56)


def are_real(scale: float) -> bool:
    """Whether both of these are what upstream published."""
    return _files(_ARGO_CD, scale) is not None and _files(_STACK, scale) is not None


def _real(title: str, place: Place, deployment: str, scale: float) -> Releases | None:
    files = _files(place, scale)
    if files is None:
        return None
    old, new = (file.read_bytes() for file in files)
    return Releases(title=title, versions=place.versions, old=old, new=new, deployment=deployment)


def _files(place: Place, scale: float) -> list[Path] | None:
    world = os.environ.get("UPSTREAM_WORLD")
    if not world or scale != 1.0:
        return None
    files = [Path(world) / "data/base/assets" / place.path.format(version) for version in place.versions]
    return files if all(file.is_file() for file in files) else None
