"""What `update` costs, on a repository with vendors of every common kind, one of them large.

Each vendor has a base and an overlay with a namespace and a patch, so that an update is judged too. Beside it
in the same run: one ``helm template`` of the large chart and one plain build of its overlay, which is the
least that an update of it can take; and ``helm pull`` with ``helm template``, what people do by hand.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from judging import kustomize
from measure import Caches, Cost, Wrong, alternating, run

from report import Figure, Section, ratio
from world import WorldProcess

PROGRAM = [sys.executable, "-m", "upstreamsync"]
_OVERLAY = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../base]
namespace: bench
patches:
- target: {{kind: Deployment, name: {deployment}}}
  patch: |-
    - {{op: add, path: /spec/replicas, value: 3}}
"""
COLD, AGAIN, DRY, ONE = (
    "update of all, cold",
    "update again, nothing changed",
    "update --dry-run, rendered before",
    "update of the large chart, cold",
)
TEMPLATE, PULL, BUILD = "helm template", "helm pull and template", "one plain build"


class Repository:
    """A repository with every vendor at its old version, committed; each run begins there."""

    def __init__(self, folder: Path, world: WorldProcess) -> None:
        self.path, self._out = folder / "repository", folder / "out.json"
        self._caches = Caches(folder / "cache")
        self._environment = {"GITHUB_API_URL": world.facts["github"], "GITHUB_TOKEN": "bench"}
        self.vendors: Sequence[Mapping[str, Any]] = world.facts["vendors"]
        self.path.mkdir(parents=True)
        rows = [
            {
                "name": one["name"],
                "version": one["versions"][0],
                "base": f"{one['name']}/base",
                **one["fields"],
            }
            for one in self.vendors
        ]
        text = yaml.safe_dump({"version": 1, "vendors": rows}, sort_keys=False, width=10**6)
        (self.path / "vendors.yaml").write_text(text, "utf-8")
        for one in self.vendors:
            overlay = self.path / f"{one['name']}/overlay"
            overlay.mkdir(parents=True)
            text = _OVERLAY.format(deployment=one["deployment"])
            (overlay / "kustomization.yaml").write_text(text, "utf-8")
        self._git("init", "-q")
        for one in self.vendors:
            self._update(str(one["name"]), "--to", one["versions"][0])
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "All at their old versions")

    def cold(self, *names: str, tools: Mapping[str, str] | None = None) -> Cost:
        """The first update, with nothing cached: of all vendors, or of those named."""
        self._git("reset", "-q", "--hard")
        self._git("clean", "-q", "-f", "-d")
        self._caches.new()
        return self._expecting("updated", *names, tools=tools)

    def again(self, *, tools: Mapping[str, str] | None = None) -> Cost:
        """One more update, after one of all."""
        return self._expecting("unchanged", tools=tools)

    def dry(self, *, tools: Mapping[str, str] | None = None) -> Cost:
        """A dry run from the old versions, when the new ones were rendered and judged before."""
        self._git("reset", "-q", "--hard")
        self._git("clean", "-q", "-f", "-d")
        return self._expecting("updated", "--dry-run", tools=tools)

    def _expecting(self, status: str, *words: str, tools: Mapping[str, str] | None) -> Cost:
        cost = self._update(*words, tools=tools)
        names = [word for word in words if not word.startswith("-")]
        self.look_at(json.loads(self._out.read_text("utf-8")), status, names)
        return cost

    def look_at(self, document: Mapping[str, Any], status: str, names: Sequence[str]) -> None:
        """Every vendor (or those named) has that status at its new version, and its customizations hold."""
        concerned = [one for one in self.vendors if not names or one["name"] in names]
        wanted = {one["name"]: one["versions"][1] for one in concerned}
        found = {one["name"]: one["to"] for one in document["vendors"] if one["status"] == status}
        if found != wanted:
            raise Wrong(f"update: {found} are {status}, {wanted} should be")
        verification = document["verification"] or {"overlays": []}
        judged = [one["verdict"] for overlay in verification["overlays"] for one in overlay["items"]]
        # Each overlay has a namespace and a patch; what did not change is not judged.
        if judged != ["ok"] * 2 * (len(concerned) if status == "updated" else 0):
            raise Wrong(f"update: the customizations came out as {judged}")

    def _update(self, *words: str, tools: Mapping[str, str] | None = None) -> Cost:
        options = ["--cache-dir", self._caches.current, "--json-output", self._out]
        return run(
            [*PROGRAM, "update", *words, *options],
            cwd=self.path,
            environment={**self._environment, **(tools or {})},
        )

    def _git(self, *words: str) -> None:
        user = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        run(["git", *user, *words], cwd=self.path)


def measure_updating(folder: Path, times: int, scale: float, latency: float, helm: Path) -> list[Section]:
    """The costs, and how often each engine was started."""
    with WorldProcess(latency=latency, scale=scale, kind="vendored") as world:
        repository = Repository(folder / "update", world)
        costs = alternating(_subjects(folder / "update", repository, helm), times)
        counts = _count(folder / "update", repository, helm, world)
    costs = dict(costs)
    return [
        Section(
            title=f"update, {len(repository.vendors)} vendors, the large one: {_size(repository)}",
            costs=costs,
            figures=[
                ratio("", f"{ONE}, in `{TEMPLATE}` and {BUILD}", costs | _floor(costs), ONE, "floor"),
                ratio("", f"{ONE}, in `{PULL}`", costs, ONE, PULL),
                ratio("", f"{COLD}, in `{TEMPLATE}` and {BUILD}", costs | _floor(costs), COLD, "floor"),
                ratio("", f"{AGAIN}, in {COLD}", costs, AGAIN, COLD),
                ratio("", f"{DRY}, in {COLD}", costs, DRY, COLD),
            ],
        ),
        counts,
    ]


def _floor(costs: Mapping[str, Cost]) -> dict[str, Cost]:
    return {"floor": costs[TEMPLATE] + costs[BUILD]}


def _size(repository: Repository) -> str:
    files = [path for path in (repository.path / "stack/base").rglob("*") if path.is_file()]
    return f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB in {len(files)} files"


def _subjects(folder: Path, repository: Repository, helm: Path) -> dict[str, Callable[[], Cost]]:
    """In the order in which each leaves behind what the next one needs."""
    tool, words = kustomize()
    stack = repository.vendors[0]
    url, version = stack["fields"]["source"]["helm"]["repository"], stack["versions"][1]
    pulled, options = folder / "pulled", ["--namespace", "monitoring", "--include-crds", "--skip-tests"]
    archive = pulled / f"stack-{version}.tgz"

    def template() -> Cost:
        return run([helm, "template", "stack", archive, *options])

    def pull() -> Cost:
        archive.unlink(missing_ok=True)
        words = ["pull", "stack", "--repo", url, "--version", version, "--destination", pulled]
        home = {f"HELM_{name}_HOME": str(folder / name) for name in ("CACHE", "CONFIG", "DATA")}
        return run([helm, *words], environment=home) + template()

    pulled.mkdir()
    return {
        ONE: lambda: repository.cold("stack"),
        COLD: repository.cold,
        BUILD: lambda: run([tool, *words, repository.path / "stack/overlay"]),
        AGAIN: repository.again,
        DRY: repository.dry,
        PULL: pull,
        TEMPLATE: template,
    }


def _count(folder: Path, repository: Repository, helm: Path, world: WorldProcess) -> Section:
    """How often helm rendered and kustomize built in each form, told by wrappers around both, and requests."""
    log = folder / "engines.log"
    tool, (word, *_) = kustomize()
    tools = {
        "HELM": _wrapper(folder / "wrappers" / helm.name, helm, log),
        "KUSTOMIZE": _wrapper(folder / "wrappers" / tool.name, tool, log),
    }
    lines, figures = [], []
    forms = ((COLD, repository.cold), (AGAIN, repository.again), (DRY, repository.dry))
    for name, form in forms:
        log.write_text("", "utf-8")
        world.reset()
        form(tools=tools)
        verbs = log.read_text("utf-8").split()
        rendered, built = verbs.count("template"), verbs.count(word)
        requests = world.counts()["requests"]
        lines.append(f"{name}: {rendered} × helm template, {built} × kustomize build, {requests} requests")
        if name != COLD:
            figures.append(_none(f"{name}: charts rendered", rendered))
        if name == AGAIN:
            figures.append(_none(f"{name}: builds", built))
    return Section(title="update, what was run", costs={}, figures=figures, lines=lines)


def _none(what: str, measured: int) -> Figure:
    return Figure(number="", what=what, measured=measured, limit=0)


def _wrapper(place: Path, binary: Path, log: Path) -> str:
    """A program that notes its first word and is ``binary`` otherwise."""
    place.parent.mkdir(exist_ok=True)
    place.write_text(f'#!/bin/sh\necho "$1" >>"{log}"\nexec "{os.fspath(binary)}" "$@"\n', "utf-8")
    place.chmod(0o755)
    return str(place)
