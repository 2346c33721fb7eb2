"""A GitOps repository built by the builders is a real one."""

import yaml

from upstreamsync.testing import GitOps, kustomization, manifest


def test_a_repository_has_a_checkout_an_origin_and_a_forge(gitops):
    gitops.write({"base/cm.yaml": manifest("ConfigMap", "cm", data={"a": "1"}), "gone.txt": "x"})
    gitops.write({"base/kustomization.yaml": kustomization(resources=["cm.yaml"], namePrefix="my-")})
    gitops.vendors({"name": "acme", "version": "v1"}, tools={"helm": "4.1.4"})
    sha = gitops.commit("First")
    assert gitops.origin.sha("main") == sha
    assert gitops.status() == ""
    gitops.write({"gone.txt": None, "new.txt": "y"})
    assert gitops.status().splitlines() == ["D gone.txt", "?? new.txt"] or " D gone.txt" in gitops.status()
    gitops.commit("Second")
    assert gitops.origin.log() == ["Second", "First"]
    assert sorted(gitops.files()) == ["base/cm.yaml", "base/kustomization.yaml", "new.txt", "vendors.yaml"]
    assert yaml.safe_load(gitops.files()["vendors.yaml"])["vendors"][0]["name"] == "acme"
    assert yaml.safe_load(gitops.kustomize("base"))["metadata"]["name"] == "my-cm"
    assert gitops.github.branches() == {"main": gitops.origin.sha("main")}


def test_without_a_world_the_origin_is_a_folder(tmp_path):
    gitops = GitOps(tmp_path / "repo")
    gitops.write({"a.txt": "1"})
    gitops.commit()
    assert gitops.github is None
    assert gitops.origin.read("a.txt") == b"1"
