"""Two hundred hand edits of real manifests: the build is equal in all, the version is found, patches are short."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from upstreamsync.adopt.customize import Customizations, Patch, customize, filed, stream
from upstreamsync.adopt.matching import Candidate, distance, rank
from upstreamsync.adopt.operations import compare
from upstreamsync.adopt.texts import dump
from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.yaml import manifests
from upstreamsync.project import Settings, open_project
from upstreamsync.project.adopt.copy import build_files
from upstreamsync.testing import write_files
from upstreamsync.testing.git import git
from world.hand_edits import edited, size

#: Each copy carries four edits of different kinds.
COPIES, EDITS = 50, 4
PROJECTS = (
    ("metallb/metallb", "metallb-native.yaml", ("v0.14.0", "v0.14.9", "v0.15.3")),
    ("kubernetes/ingress-nginx", "deploy.yaml", ("controller-v1.11.5", "controller-v1.13.2", "controller-v1.15.0")),
    ("kubernetes/kube-state-metrics", "kube-state-metrics.yaml", ("v2.14.0", "v2.18.0", "v2.20.0")),
    ("cert-manager/cert-manager", "cert-manager.yaml", ("v1.17.4", "v1.19.4", "v1.20.2")),
    ("argoproj/argo-cd", "install.yaml", ("v3.2.7", "v3.3.9", "v3.4.7")),
)  # fmt: skip


@cache
def objects(content: Path, project: str, version: str, file: str) -> list[dict[str, Any]]:
    """What a version ships, without definitions: no edit touches them, and they take most of the time."""
    data = (content / "data/base/assets" / project / version / file).read_bytes()
    return [one for one in manifests.objects(data) if one["kind"] != "CustomResourceDefinition"]


@cache
def kustomize():
    return Engines().kustomize()


def build(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return build_files(files, kustomize())


def carried(customizations: Customizations) -> int:
    """How many values a person reads in the customizations, without what only says where they belong."""
    settings = customizations.settings
    count = len(settings.images) + len(settings.replicas) + len(settings.labels or ())
    count += (settings.namespace is not None) + sum(map(size, customizations.own))
    return count + sum(_values(patch) for patch in customizations.patches)


def _values(patch: Patch) -> int:
    if patch.local is None:
        return 1
    if patch.is_json:
        return sum(size(step.get("value")) for step in patch.body if step["op"] != "test")
    body = {key: value for key, value in patch.body.items() if key not in ("apiVersion", "kind")}
    body["metadata"] = {k: v for k, v in body["metadata"].items() if k not in ("name", "namespace")}
    return _without_names(body)


def _without_names(value: Any) -> int:
    if isinstance(value, dict):
        rest = {key: one for key, one in value.items() if key != "name" or len(value) == 1}
        return sum(map(_without_names, rest.values()))
    if isinstance(value, list):
        return sum(map(_without_names, value))
    return 1


def rebuilt(upstream: Sequence[dict[str, Any]], found: Customizations) -> list[dict[str, Any]]:
    entries, files = filed(found.patches)
    fields = {
        "resources": ["upstream.yaml", *(["own.yaml"] if found.own or found.replaced else [])],
        "patches": entries,
        **found.settings.fields(),
    }
    own = stream([*found.own, *found.replaced])
    return build(
        {"kustomization.yaml": dump(fields), "upstream.yaml": stream(upstream), "own.yaml": own, **files}
    )


@pytest.mark.parametrize("seed", range(COPIES))
def test_a_copy_comes_out_again(content: Path, seed: int):
    project, file, versions = PROJECTS[seed % len(PROJECTS)]
    version = versions[seed // len(PROJECTS) % len(versions)]
    upstream = objects(content, project, version, file)
    local, names, changed = edited(upstream, seed, EDITS)
    assert len(names) == EDITS

    ranking = rank(
        Candidate(version=one, distance=distance(objects(content, project, one, file), local))
        for one in versions
    )
    assert ranking.best.version == version
    assert ranking.sure, ranking.why

    found = customize(upstream, local, build)
    built = {object_id(one): one for one in rebuilt(upstream, found)}
    wanted = {object_id(one): one for one in local}
    assert built.keys() == wanted.keys()
    assert [str(name) for name in wanted if not compare(built[name], wanted[name]).equal] == []

    detour = sum(map(size, found.replaced))
    assert carried(found) <= 2 * changed, (names, changed)
    assert not detour or "renamed" in names or "namespace" in names, "a detour for what can be patched"


@pytest.mark.parametrize("seed", range(len(PROJECTS)))
def test_the_whole_way_of_a_copy(content: Path, upstream: str, tmp_path: Path, seed: int):
    """Reformatted, spread over two files, of a version that nobody knows: adopted, then carried over by an update."""
    project, file, versions = PROJECTS[seed]
    version = versions[0] if "kube-state" in project else versions[1]  # there is a newer release of each
    prefix = "controller-" if "ingress" in project else ""
    shown = version.removeprefix(prefix)
    local, _, _ = edited(objects(content, project, version, file), 1000 + seed, EDITS)
    definitions = [
        one
        for one in manifests.objects((content / "data/base/assets" / project / version / file).read_bytes())
        if one["kind"] == "CustomResourceDefinition"
    ]
    root = tmp_path / "gitops"
    write_files(
        root,
        {
            "app/base/one.yaml": "# copied by hand\n"
            + yaml.safe_dump_all([*definitions, *local[::2]], sort_keys=True),
            "app/base/two.yaml": yaml.safe_dump_all(local[1::2], default_flow_style=None, width=10**6),
            "app/overlay/kustomization.yaml": "resources: [../base]\ncommonAnnotations: {team: own}\n",
            "app/base/kustomization.yaml": "resources: [one.yaml, two.yaml]\n",
            "vendors.yaml": f"""
version: 1
vendors:
  - name: app
    version: {versions[2].removeprefix(prefix)}
    source: {{url: "{upstream}/{project}/releases/download/{prefix}{{version}}/{file}"}}
    releases: {{github: {project}, tag: "{prefix}(?P<version>v.*)"}}
    base: app/base
""",
        },
    )
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "Copy"]):
        git("-c", "user.name=T", "-c", "user.email=t@example.com", *words, cwd=root)
    settings = Settings(
        cache_folder=tmp_path / "cache", environment={**os.environ, "GITHUB_API_URL": f"{upstream}/api/v3"}
    )
    with open_project(root, settings=settings) as opened:
        (adoption,) = opened.adopt(["app"])
        assert adoption.error is None, adoption.error
        assert adoption.version == shown
        assert adoption.candidates[0].version == shown
        assert adoption.proven == ("app/base", "app/overlay")
        assert adoption.change is not None
        opened.write(adoption.change)
    with open_project(root, settings=settings) as opened:
        assert [state.condition.value for vendor in opened.configuration.vendors for state in opened.session.base_states(vendor)] == ["pristine"]  # fmt: skip
        changes = opened.update(["app"])
        (update,) = changes.updates
        assert update.error is None, update.error
        assert update.after != shown
        verification = opened.verify(changes)
        changes.write()
    (overlay,) = verification.overlays
    assert overlay.before.ok
    # Each customization has a verdict: it was carried over, or the judge says what became of it.
    assert {item.verdict for item in overlay.items}
    assert overlay.after.ok or any(item.verdict == "fails" for item in overlay.items)
