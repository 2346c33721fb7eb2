from __future__ import annotations

import pytest
import yaml

from upstreamsync.errors import Refused, SelectionError, ToolFailed

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "app"},
    "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:1"}]}}},
}


def commit(world, files, **more):
    text = {
        path: content if isinstance(content, str) else yaml.safe_dump(content)
        for path, content in files.items()
    }
    world.git("thing").commit(text, tag="v1.2.3", **more)
    return {"kustomize": {"repository": world.git("thing").url, "path": "config/default"}}


def test_a_kustomization_that_reaches_around_its_repository(world, fetch, tools):
    source = commit(
        world,
        {
            "config/default/kustomization.yaml": {
                "namespace": "sys",
                "resources": ["../base", "../../extra"],
                "patches": [{"path": "patch.yaml"}],
                "configMapGenerator": [{"name": "gen", "files": ["key=data/file.txt"]}],
                "generatorOptions": {"disableNameSuffixHash": True},
            },
            "config/default/patch.yaml": {**DEPLOYMENT, "spec": {"replicas": 3}},
            "config/default/data/file.txt": "text\n",
            "config/base/kustomization.yml": {"resources": ["deployment.yaml"]},
            "config/base/deployment.yaml": DEPLOYMENT,
            "extra/Kustomization": {"resources": ["cm.yaml"]},
            "extra/cm.yaml": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}},
            "unrelated/huge.bin": "x" * 1000,
        },
    )
    artifact = fetch(source)
    built = {doc["metadata"]["name"]: doc for doc in yaml.safe_load_all(artifact.files[0].data)}
    assert sorted(built) == ["app", "cm", "gen"]
    assert built["app"]["spec"]["replicas"] == 3
    assert {doc["metadata"]["namespace"] for doc in built.values()} == {"sys"}
    assert artifact.files[0].path == "thing.yaml"
    assert artifact.resolved[0].tool == f"kustomize {tools.engines.kustomize().version}"
    assert artifact.resolved[0].digest.startswith("git:")
    assert fetch(source) == artifact


@pytest.mark.parametrize(
    "kustomization",
    [
        {"resources": ["https://example.com/x.yaml"]},
        {"resources": ["github.com/acme/thing//config?ref=v1"]},
        {"bases": ["git@example.com:acme/thing.git"]},
        {"components": ["../../../outside"]},
        {"patches": [{"path": "https://example.com/patch.yaml"}]},
        {"configMapGenerator": [{"name": "x", "files": ["https://example.com/data"]}]},
        {"secretGenerator": [{"name": "x", "envs": ["/etc/passwd"]}]},
        {"openapi": {"path": "https://example.com/schema.json"}},
        {"generators": ["https://example.com/generator.yaml"]},
        {"crds": ["../missing.yaml"]},
        {"helmCharts": [{"name": "x", "repo": "https://example.com"}]},
    ],
)
def test_what_lies_outside_of_the_tree_is_refused(world, fetch, kustomization):
    source = commit(world, {"config/default/kustomization.yaml": kustomization})
    with pytest.raises(Refused) as caught:
        fetch(source)
    assert "config/default/kustomization.yaml" in caught.value.message
    assert caught.value.hint


def test_no_kustomization(world, fetch):
    source = commit(world, {"config/default/deployment.yaml": DEPLOYMENT})
    with pytest.raises(SelectionError, match="no kustomization in `config/default`"):
        fetch(source)


def test_a_build_that_fails_says_why_without_paths_of_this_machine(world, fetch):
    source = commit(
        world,
        {
            "config/default/kustomization.yaml": {"resources": ["a.yaml"], "patches": [{"path": "p.yaml"}]},
            "config/default/a.yaml": DEPLOYMENT,
            "config/default/p.yaml": {**DEPLOYMENT, "metadata": {"name": "other"}},
        },
    )
    with pytest.raises(ToolFailed) as caught:
        fetch(source)
    assert "no matches for Id" in caught.value.message
    assert "/tmp" not in caught.value.message


def test_the_root_of_the_repository(world, fetch):
    world.git("root").commit(
        {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": yaml.safe_dump(DEPLOYMENT)}, tag="v1.2.3"
    )
    source = {"kustomize": {"repository": world.git("root").url, "path": "."}, "file": "all.yaml"}
    assert fetch(source).files[0].path == "all.yaml"
