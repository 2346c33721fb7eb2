"""How a result is applied decides what the API server says of some of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from upstreamsync.model import Cluster
from upstreamsync.verify.overlays.tree import Tree
from upstreamsync.verify.result_checks import ResultContext, check_result
from upstreamsync.verify.result_checks.appliers import applying
from upstreamsync.verify.result_checks.applying import Applying


def job(image: str, **annotations: str) -> dict[str, Any]:
    spec = {"restartPolicy": "Never", "containers": [{"name": "a", "image": image}]}
    metadata = {
        "name": "x",
        "annotations": {key.replace("__", "/"): value for key, value in annotations.items()},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"template": {"spec": spec}},
    }


def found(old: dict[str, Any], new: dict[str, Any], how: Applying) -> list[tuple[str, str]]:
    context = ResultContext(applied=lambda: how)
    return [
        (str(item.reason), str(item.severity))
        for item in check_result(before=[old], after=[new], context=context)
    ]


IMMUTABLE = [("immutable_field", "None")]


@pytest.mark.parametrize("tool", ["kubectl", "server-side", "flux"])
def test_hooks_of_helm_are_plain_jobs_but_for_argo_cd(tool: str) -> None:
    old, new = (job(image, **{"helm.sh__hook": "pre-install"}) for image in ("a:1", "a:2"))
    assert found(old, new, Applying.by(tool)) == IMMUTABLE
    assert found(old, new, Applying()) == IMMUTABLE
    assert found(old, new, Applying.by("argocd")) == []


def test_what_is_forced_is_made_anew() -> None:
    old, new = job("a:1"), job("a:2")
    assert found(old, new, Applying.by("argocd")) == IMMUTABLE
    assert found(old, new, Applying.by("argocd", ["Force=true", "Replace=true"])) == []
    assert found(old, new, Applying.by("flux", force=True)) == []
    option = {"argocd.argoproj.io__sync-options": "Prune=false, Force=true"}
    assert found(job("a:1", **option), job("a:2", **option), Applying.by("argocd")) == []
    assert found(job("a:1", **option), job("a:2", **option), Applying.by("flux")) == IMMUTABLE
    flux = {"kustomize.toolkit.fluxcd.io__force": "enabled"}
    assert found(job("a:1", **flux), job("a:2", **flux), Applying.by("flux")) == []
    assert found(job("a:1", **flux), job("a:2", **flux), Applying.by("argocd")) == IMMUTABLE


def test_only_client_side_apply_has_an_annotation_to_fit_into() -> None:
    old, new = ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "b" * size}} for size in (9, 262_200))  # fmt: skip
    large = [("too_large", "None")]
    assert found(old, new, Applying.by("kubectl")) == large
    assert found(old, new, Applying.by("argocd")) == large
    assert found(old, new, Applying.by("argocd", ["ServerSideApply=true"])) == []
    assert found(old, new, Applying.by("argocd", ["Replace=true"])) == []
    assert found(old, new, Applying.by("flux")) == []
    assert found(old, new, Applying.by("server-side")) == []


def test_an_element_that_stands_twice_is_refused_by_server_side_apply_alone() -> None:
    old = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "a", "image": "a"}]}}  # fmt: skip
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    new = {
        **old,
        "metadata": {"name": "y"},
        "spec": {"containers": [{"name": "a", "image": "a", "env": twice}]},
    }
    assert found(old, new, Applying.by("kubectl")) == [("schema_violation", "review")]
    assert found(old, new, Applying.by("flux")) == [("schema_violation", "None")]


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  source: {path: apps/web, repoURL: "https://git.example/x"}
  syncPolicy: {syncOptions: [ServerSideApply=true]}
"""
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web}
spec: {path: ./apps/till, force: true}
"""


def tree(folder: Path, **files: str) -> Tree:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return Tree(folder)


def test_what_applies_an_overlay_is_guessed_from_the_repository(tmp_path: Path) -> None:
    both = tree(
        tmp_path, argo=APPLICATION, flux=FLUX, template="{{- if }}\nkind: Application\n# argoproj.io/\n"
    )
    assert applying(both, "apps/web", Cluster()) == Applying(tool="argocd", server_side=True)
    assert applying(both, "apps/till", Cluster()) == Applying(tool="flux", server_side=True, force=True)
    assert applying(both, "apps/other", Cluster()) == Applying()


def test_the_only_tool_of_a_repository_applies_all_of_it(tmp_path: Path) -> None:
    assert applying(tree(tmp_path, argo=APPLICATION), "apps/other", Cluster()) == Applying(tool="argocd")


def test_what_vendors_yaml_says_comes_first(tmp_path: Path) -> None:
    both = tree(tmp_path, argo=APPLICATION, flux=FLUX)
    cluster = Cluster(apply=(("apps/t*", "kubectl"), ("*", "argocd")))
    assert applying(both, "apps/till", cluster) == Applying(tool="kubectl")
    assert applying(both, "apps/web", cluster) == Applying(tool="argocd", server_side=True)
    assert applying(both, "apps/other", cluster) == Applying(tool="argocd")
