"""What was vendored can be told from what upstream has now: republished, withdrawn, moved, and by chance."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from trust.matrix import KINDS, NEW, OLD, Kind, tree
from upstreamsync.cli import exits
from upstreamsync.model import Status
from upstreamsync.project import Project, Settings, open_project
from upstreamsync.testing import World, write_files

CHECKED = [
    kind for kind in KINDS if kind.name in {"helm", "git", "github asset", "url+checksum", "kustomize"}
]


def opened(root: Path, world: World) -> Project:
    environment = {name: os.environ[name] for name in ("PATH", "HELM", "KUSTOMIZE") if name in os.environ}
    environment |= {"HOME": str(root.parent), "GITHUB_API_URL": f"{world.url}/api/v3"}
    return open_project(root, settings=Settings(use_cache=False, environment=environment))


def vendored(root: Path, world: World, declared: dict[str, Any]) -> None:
    vendor = {"name": "victim", "version": OLD, "base": "victim/base", **declared}
    write_files(root, {"vendors.yaml": yaml.safe_dump({"version": 1, "vendors": [vendor]}, width=10**6)})
    with opened(root, world) as project:
        changes = project.update()
        assert [one.error for one in changes.updates] == [None]
        changes.write()


def republish(kind: Kind, world: World) -> None:
    """Other content under the version that is in use."""
    match kind.name:
        case "helm":
            world.chart(
                "victim",
                "acme",
                "1.0.0",
                files={
                    "templates/a.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: republished}\n"
                },
            )
        case "git" | "kustomize":
            remote = world.git("victim")
            remote.commit(
                {"deploy/all.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: moved}\n"}, "Move"
            )
            remote.tag(OLD, force=True)
        case "github asset":
            world.file(f"victim/tool/releases/download/{OLD}/install.yaml", "republished: true\n")
        case _:
            world.file(f"victim/{OLD}/install.yaml", "republished: true\n")


@pytest.mark.parametrize("kind", CHECKED, ids=lambda kind: kind.name)
def test_locked_reproduces_the_base_or_fails(kind: Kind, tmp_path: Path, world: World):
    root = tmp_path / "gitops"
    kind.publish(world, OLD)
    vendored(root, world, dict(kind.declare(world)))
    kind.publish(world, NEW)
    before = tree(root)
    with opened(root, world) as project:
        changes = project.update(locked=True)
        assert [(one.status, one.error) for one in changes.updates] == [("unchanged", None)]
    republish(kind, world)
    with opened(root, world) as project:
        changes = project.update(locked=True)
        (update,) = changes.updates
        assert update.error is not None
        assert update.error.kind == "digest-mismatch", update.error
        assert update.error.hint
        assert exits.of_updates(changes.updates, None) == 3
    assert tree(root) == before


@pytest.mark.parametrize(
    "kind", [one for one in CHECKED if one.name in {"helm", "git", "kustomize"}], ids=lambda kind: kind.name
)
def test_other_content_under_the_same_version_is_an_alarm(kind: Kind, tmp_path: Path, world: World):
    root = tmp_path / "gitops"
    kind.publish(world, OLD)
    vendored(root, world, dict(kind.declare(world)))
    republish(kind, world)
    with opened(root, world) as project:
        findings = project.check()
    assert [finding.status for finding in findings] == [Status.REPUBLISHED]
    assert exits.of_check(findings) == 1


def test_a_withdrawn_version_is_an_alarm(tmp_path: Path, world: World):
    root = tmp_path / "gitops"
    (kind,) = [one for one in CHECKED if one.name == "helm"]
    kind.publish(world, NEW)
    declared = {**kind.declare(world), "version": "1.1.0"}
    vendored(root, world, declared)
    world.charts("victim").remove("acme", "1.1.0")
    with opened(root, world) as project:
        findings = project.check()
    assert [finding.status for finding in findings] == [Status.WITHDRAWN]
    assert exits.of_check(findings) == 1


def test_a_value_made_by_chance_is_never_a_change_by_itself(tmp_path: Path, world: World):
    root = tmp_path / "gitops"
    template = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n"
        "  password: {{ randAlphaNum 20 }}\n  version: {{ .Chart.Version | quote }}\n"
    )
    world.chart("victim", "acme", "1.0.0", files={"templates/s.yaml": template})
    chart = {"helm": {"repository": f"{world.url}/victim", "chart": "acme"}}
    vendored(root, world, {"version": "1.0.0", "source": chart})
    before = tree(root)
    for locked in (False, True):
        with opened(root, world) as project:
            changes = project.update(["victim"], locked=locked)
        (update,) = changes.updates
        assert (update.status, update.error) == ("unchanged", None)
        assert "password" in " ".join(update.notes)
        changes.write()
        assert tree(root) == before
    # What somebody changed by hand stops it, and is put right on demand; a new version is one.
    file = root / "victim/base/victim.yaml"
    file.write_text(file.read_text() + "# by hand\n")
    with opened(root, world) as project:
        (update,) = project.update(["victim"]).updates
        assert update.error is not None
        assert update.error.kind == "edited"
        again = project.update(["victim"], discard_edits=True)
        assert [one.status for one in again.updates] == ["updated"]
    world.chart("victim", "acme", "1.1.0", files={"templates/s.yaml": template})
    with opened(root, world) as project:
        assert [(one.status, one.after) for one in project.update(discard_edits=True).updates] == [
            ("updated", "1.1.0")
        ]
