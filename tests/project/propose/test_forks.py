"""A local file that was derived from upstream's: when its origin changes, a person is needed."""

from __future__ import annotations

import os
from pathlib import Path

from upstreamsync.cli import exits
from upstreamsync.project import Settings, open_project
from upstreamsync.project.propose.propose import ProposeOptions, propose_from_branch
from upstreamsync.testing import GitOps, World

ORIGIN = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  one: '{0}'\n  two: '2'\n  three: '3'\n  four: '4'\n"


def arrange(gitops: GitOps, world: World) -> Settings:
    for version in ("1.0.0", "1.1.0"):
        world.file(f"app/{version}/app.yaml", ORIGIN.format(version))
        world.file(f"app/{version}/other.yaml", ORIGIN.format("same").replace("name: app", "name: other"))
    world.file("app/index.html", "app 1.0.0; app 1.1.0;")
    gitops.vendors(
        {
            "name": "app",
            "version": "1.0.0",
            "base": "app/base",
            "source": {"url": {name: f"{world.url}/app/{{version}}/{name}" for name in ("app.yaml", "other.yaml")}},
            "releases": {"page": {"url": f"{world.url}/app/index.html", "pattern": "app (?P<version>[^;]+);"}},
            "forks": [{"file": "app/mine.yaml", "of": ["app.yaml", "other.yaml"]}, {"file": "app/own.yaml", "of": "app.yaml"}],
            "pull_request": {"automerge": True},
        }
    )  # fmt: skip
    gitops.write(
        {
            "app/own.yaml": ORIGIN.format("1.0.0").replace("'4'", "'mine'"),
            "app/mine.yaml": "a: 1\n",
            "app/overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: my-\n",
        }
    )
    settings = Settings(cache_folder=gitops.path.parent / "cache", environment={**os.environ})
    with open_project(gitops.path, settings=settings) as project:
        project.update().write()
    gitops.commit("Start")
    return settings


def test_a_changed_origin_needs_a_person(gitops: GitOps, world: World):
    settings = arrange(gitops, world)
    with open_project(gitops.path, settings=settings) as project:
        changes = project.update()
        (update,) = changes.updates
        assert [note.partition("\n")[0] for note in update.notes] == [
            "`app/mine.yaml` derives from `app.yaml`, `other.yaml`, which has changed: see whether it has to follow",
            "`app/own.yaml` derives from `app.yaml`, which has changed: see whether it has to follow",
        ]
        assert exits.of_updates(changes.updates, project.verify(changes)) == exits.PERSON


def test_the_pull_request_is_a_draft_shows_the_diff_and_proposes_a_merge(
    gitops: GitOps, world: World, tmp_path: Path
):
    settings = arrange(gitops, world)
    with open_project(gitops.path, settings=settings) as project:
        options = ProposeOptions(forge="local", suggest_fixes=True)
        (one,) = propose_from_branch(project.session, (), options).pull_requests
    assert one.draft
    assert "```diff\n" in one.body
    assert "-  one: '1.0.0'\n+  one: '1.1.0'" in one.body
    merged = gitops.git("show", f"{one.branch}:app/own.yaml")
    assert merged.strip() == ORIGIN.format("1.1.0").replace("'4'", "'mine'").strip()
    assert gitops.git("show", f"{one.branch}:app/mine.yaml").strip() == "a: 1", (
        "what does not apply is left alone"
    )
