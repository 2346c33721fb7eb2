"""What the judge costs, in plain ``kubectl kustomize`` builds of the same overlay in the same run.

`verify` is measured as people run it, a whole process in a git repository whose working tree has the new
release; its judging alone is measured beside it, without the start of the interpreter and the imports.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import content
from content import Releases
from measure import Cost, Wrong, alternating, run, told

from report import Figure, Section, ratio

PROGRAM = [sys.executable, "-m", "upstreamsync"]
#: What an overlay may cost whose customizations need no build of their own, and with its old side cached.
PLAIN, CACHED = 2.2, 1.2
#: What it may cost where nearly all of the base are CRDs that no customization reaches.
UNREACHED = 0.5
#: What thirty customizations may cost.
MANY = 8.0
WHOLE, CACHED_SIDE, ALONE = "verify", "verify, old side cached", "the judging alone"

HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\n"
_NAMESPACE = "namespace: bench\n"
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
_REPLICAS = """\
patches:
- target: {{kind: Deployment, name: {name}}}
  patch: |-
    - {{op: add, path: /spec/replicas, value: {count}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One base in two releases, the overlays on it, and what judging one of them may cost.

    ``items`` is how many customizations each overlay has; all of them are to come out as they were.
    ``cached`` is the limit where the old side was built before. None: measured without a limit.
    """

    title: str
    releases: Releases
    overlays: Mapping[str, str]
    limit: float | None
    items: int
    cached: float | None = None


def cases(scale: float, *, quick: bool) -> Iterator[Case]:
    """All of them; quickly: one of each sort, without the largest."""
    few, many = content.objects(40), content.objects(max(40, int(400 * scale)))
    argo, crds = content.argo_cd(scale), content.two_megabytes(scale)
    # The smaller an overlay, the more of what it costs alone is the start of the process that judges it:
    # small ones are held to the limits side by side.
    each = 1 if quick else None
    yield from itertools.islice(_simple(few, limit=None), 1)
    yield from itertools.islice(_simple(few, 10, cached=CACHED), 1)
    yield from itertools.islice(_simple(many), each)
    yield from itertools.islice(_simple(many, 5, cached=CACHED), each)
    if not quick:
        yield from _simple(argo, cached=CACHED)
    calm = content.two_megabytes(scale, calm=True)
    for base in (crds,) if quick else (calm, crds, argo):
        yield _unreached(base)
    if not quick:
        stack = content.stack(scale)
        yield _unreached(stack, _NAMESPACE, also=f"namespace and one patch, {stack.title}", items=2)
    yield Case(
        title=f"30 customizations, {crds.title}",
        releases=crds,
        overlays=_one(_thirty()),
        limit=MANY,
        items=30,
    )
    if not quick:
        yield _several(argo, 5, _patch(argo), "one patch", limit=UNREACHED, items=1)


def _simple(
    releases: Releases, count: int = 1, *, limit: float | None = PLAIN, cached: float | None = None
) -> Iterator[Case]:
    """Overlays whose customizations are seen from the two builds."""
    for name, text, items in (
        ("one namespace", _NAMESPACE, 1),
        ("resources alone", "", 0),
        ("namespace and annotations", f"{_NAMESPACE}commonAnnotations: {{team: infra}}\n", 2),
    ):
        yield _several(releases, count, text, name, limit=limit, cached=cached, items=items)


def _unreached(releases: Releases, more: str = "", *, also: str = "", items: int = 1) -> Case:
    return Case(
        title=also or f"one patch, {releases.title}",
        releases=releases,
        overlays=_one(more + _patch(releases)),
        limit=UNREACHED,
        items=items,
    )


def _several(
    releases: Releases,
    count: int,
    text: str,
    what: str,
    *,
    limit: float | None,
    items: int,
    cached: float | None = None,
) -> Case:
    """Overlays that stand side by side on one base, each a little different."""
    overlays = {
        f"overlay{n}": f"{HEADER}# {n}\n{text.replace('bench', f'bench{n}').replace('value: 3', f'value: {3 + n}')}"
        for n in range(count)
    }
    title = f"{f'{count} overlays, ' if count > 1 else ''}{what}, {releases.title}"
    return Case(title=title, releases=releases, overlays=overlays, limit=limit, cached=cached, items=items)


def _one(text: str) -> dict[str, str]:
    return {"overlay": HEADER + text}


def _patch(releases: Releases) -> str:
    return _REPLICAS.format(name=releases.deployment, count=3)


def _thirty() -> str:
    """Thirty customizations, half of them on objects that others change too."""
    patches = "".join(_MERGE.format(n=n) for n in range(14)) + "".join(_JSON.format(n=n) for n in range(8))
    images = "".join(f"- name: quay.io/bench/app{n}\n  newName: mirror.example/app{n}\n" for n in range(5))
    return (
        f"{_NAMESPACE}commonAnnotations: {{team: infra}}\npatches:\n{patches}images:\n{images}"
        "replicas:\n- {name: app0, count: 3}\n"
    )


def measure_judging(folder: Path, times: int, scale: float, *, quick: bool) -> Iterator[Section]:
    """One table for each case, as soon as it is measured."""
    for number, case in enumerate(cases(scale, quick=quick)):
        yield Bench(folder / f"verify-{number}", case).measure(times)


class Bench:
    """One case on disk: a git repository with the old release committed, and the old tree beside it."""

    def __init__(self, folder: Path, case: Case) -> None:
        self._case = case
        self._folder, self._before = folder / "repository", folder / "before"
        self._cache, self._out = folder / "cache", folder / "out.json"
        self._numbers = itertools.count(1)
        self._base = self._folder / "base/all.yaml"
        for path, data in self._files().items():
            (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / path).write_bytes(data)
        shutil.copytree(self._folder, self._before)
        git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "before"]):
            run([*git, *words], cwd=self._folder)

    def _files(self) -> dict[str, bytes]:
        files = {
            "base/kustomization.yaml": b"resources: [all.yaml]\n",
            "base/all.yaml": self._case.releases.old,
        }
        return files | {
            f"{name}/kustomization.yaml": text.encode() for name, text in self._case.overlays.items()
        }

    def measure(self, times: int) -> Section:
        """A plain build, a verification, one whose old side is cached, and the judging alone."""
        tool, words = kustomize()
        first = next(iter(self._case.overlays))
        plain = f"{tool.name}, one plain build"
        self._verify("--cache-dir", self._cache)
        costs = alternating(
            {
                plain: lambda: run([tool, *words, self._folder / first]),
                WHOLE: lambda: self._verify("--no-cache"),
                CACHED_SIDE: lambda: self._verify("--cache-dir", self._cache),
                ALONE: self._judge,
            },
            times,
        )
        return self._section(costs, plain)

    def _section(self, costs: Mapping[str, Cost], plain: str) -> Section:
        case, share = self._case, len(self._case.overlays)
        title = f"verify, {case.title}{', each' if share > 1 else ''}"

        def units(number: str, what: str, subject: str, limit: float | None) -> Figure:
            return ratio(number, what, costs, subject, plain, limit, share=share)

        return Section(
            title=f"{case.title} ({len(case.releases.new) / 1e6:.1f} MB)",
            costs=costs,
            figures=[
                units("4", title, WHOLE, case.limit),
                units("4", f"{title}, old side cached", CACHED_SIDE, case.cached),
                units("", f"{title}, the judging alone", ALONE, None),
            ],
            family="`verify`, in plain builds",
            share=share,
        )

    def _verify(self, *options: str | Path) -> Cost:
        """A whole run on a release that no earlier run has seen, its answer looked at."""
        self._base.write_bytes(self._case.releases.later(next(self._numbers)))
        command = [*PROGRAM, "verify", *self._case.overlays, "--since", "HEAD", "--json-output", self._out]
        cost = run([*command, *options], cwd=self._folder)
        self._look_at(json.loads(self._out.read_text("utf-8")))
        return cost

    def _judge(self) -> Cost:
        return told(
            [
                sys.executable,
                Path(__file__).with_name("verify_cost.py"),
                self._before,
                self._folder,
                *self._case.overlays,
            ]
        )

    def _look_at(self, document: Mapping[str, Any]) -> None:
        """Every overlay builds on both sides, is seen to change, and keeps all of its customizations."""
        expected, items = self._case.releases.changed, 0
        for one in document["overlays"]:
            changed = len(one["resources"]["changed"])
            if not (one["before"]["ok"] and one["after"]["ok"] and changed):
                raise Wrong(f"{self._case.title}: `{one['path']}` was not judged")
            if expected not in {None, changed}:
                raise Wrong(f"{self._case.title}: {changed} objects are said to change, {expected} do")
            items += len(one["items"])
            if bad := [item for item in one["items"] if item["verdict"] != "ok"]:
                raise Wrong(f"{self._case.title}: {bad[0]['item']} came out as {bad[0]['verdict']}")
        wanted = self._case.items * len(self._case.overlays)
        if items != wanted:
            raise Wrong(f"{self._case.title}: {items} customizations were judged, {wanted} there are")


def kustomize() -> tuple[Path, list[str]]:
    """The program that a plain build is made with, and its word for that."""
    found = os.environ.get("KUSTOMIZE") or shutil.which("kustomize") or shutil.which("kubectl")
    if found is None:
        raise SystemExit("neither kustomize nor kubectl was found: set KUSTOMIZE")
    tool = Path(found)
    return tool, ["kustomize"] if "kubectl" in tool.name else ["build"]
