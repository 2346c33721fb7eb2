"""A branch that is missing fails the vendors that go there, and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from upstreamsync.model import Action
from upstreamsync.project import Settings, open_project
from upstreamsync.project.propose.propose import ProposeOptions, propose_from_branch
from upstreamsync.testing import GitOps, World


def row(name: str, world: World, more: str = "") -> str:
    return (
        f"- name: {name}\n  version: 1.0.0\n  base: {name}/base\n"
        f"  source: {{url: '{world.url}/{name}/{{version}}.yaml'}}\n"
        f"  releases: {{json: {{url: '{world.url}/{name}.json', path: '[*]'}}}}\n{more}"
    )


@pytest.mark.parametrize("forge", ["github", "local"])
def test_a_missing_base_fails_its_vendor_alone(tmp_path: Path, world: World, gitops: GitOps, forge):
    settings = Settings(
        cache_folder=tmp_path / "cache",
        environment={
            **os.environ,
            "GITHUB_TOKEN": "any",
            "GITHUB_API_URL": world.github.url,
            "GITHUB_REPOSITORY": "acme/gitops",
        },
    )
    for name in ("app", "web"):
        for version in ("1.0.0", "1.1.0"):
            text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{v: '{version}'}}\n"
            world.file(f"{name}/{version}.yaml", text)
        world.file(f"{name}.json", '["1.0.0"]')
    rows = row("app", world, "  pull_request: {base: release-9}\n") + row("web", world)
    gitops.write({"vendors.yaml": f"version: 1\nvendors:\n{rows}"})
    with open_project(gitops.path, settings=settings) as project:
        project.update().write()
    gitops.commit("Start")
    for name in ("app", "web"):
        world.file(f"{name}.json", '["1.0.0", "1.1.0"]')
    with open_project(gitops.path, settings=settings) as project:
        done = propose_from_branch(project.session, (), ProposeOptions(forge=forge))
    assert [(one.vendor, one.action) for one in done.pull_requests] == [("web", Action.OPENED)]
    assert set(done.failures) == {"app"}
    assert "`release-9`" in done.failures["app"].message
    assert "`pull_request.base`" in done.failures["app"].hint


@pytest.mark.parametrize("forge", ["github", "local"])
def test_what_is_no_branch_fails_its_vendor_alone_and_what_is_one_is_gone_to(
    tmp_path: Path, world: World, gitops: GitOps, forge
):
    """All in one run: none of them keeps another from its pull request."""
    wrong = {
        "gone": "release-9",
        "tag": "v1.0",
        "case": "Main",
        "deep": "main/x",
        "odd": "-main",
        "range": "main..x",
        "commit": "0" * 40,
    }
    right = {"said": "main", "other": "release-1", "silent": None}
    names = [*wrong, *right]
    settings = Settings(
        cache_folder=tmp_path / "cache",
        environment={
            **os.environ,
            "GITHUB_TOKEN": "any",
            "GITHUB_API_URL": world.github.url,
            "GITHUB_REPOSITORY": "acme/gitops",
        },
    )
    for name in names:
        for version in ("1.0.0", "1.1.0"):
            text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{v: '{version}'}}\n"
            world.file(f"{name}/{version}.yaml", text)
        world.file(f"{name}.json", '["1.0.0"]')
    rows = "".join(
        row(name, world, f"  pull_request: {{base: '{base}'}}\n" if base else "")
        for name, base in (wrong | right).items()
    )
    gitops.write({"vendors.yaml": f"version: 1\nvendors:\n{rows}"})
    with open_project(gitops.path, settings=settings) as project:
        project.update().write()
    gitops.commit("Start")
    gitops.git("push", "-q", "origin", "main", "main:refs/heads/release-1", "main:refs/tags/v1.0")
    gitops.git("branch", "release-1")
    for name in names:
        world.file(f"{name}.json", '["1.0.0", "1.1.0"]')
    with open_project(gitops.path, settings=settings) as project:
        done = propose_from_branch(project.session, (), ProposeOptions(forge=forge))
    assert {one.vendor for one in done.pull_requests} == set(right), done.failures
    assert {one.action for one in done.pull_requests} == {Action.OPENED}
    assert set(done.failures) == set(wrong)
    for name, base in wrong.items():
        failure = done.failures[name]
        assert f"`{base}`" in failure.message
        assert "`pull_request.base`" in (failure.hint or ""), failure
