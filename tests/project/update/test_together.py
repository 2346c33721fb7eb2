"""Several vendors at once: each change stands upon those before it, in vendors.yaml and in files that they share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from upstreamsync.project import Settings, open_project
from upstreamsync.project.update import regenerate
from upstreamsync.testing import World

NAMES = ("app", "queue", "web")
FIELDS = {
    "nothing else is shared": dict.fromkeys(NAMES, ""),
    "an edit of a file of its own": {
        **dict.fromkeys(NAMES, ""),
        "queue": "  edits: [{file: NOTES, pattern: 'queue (\\S+)', value: '{version}'}]\n",
    },
    "edits of one file": {
        name: f"  edits: [{{file: NOTES, pattern: '{name} (\\S+)', value: '{{version}}'}}]\n"
        for name in NAMES
    },
    "bases with a kustomization": dict.fromkeys(NAMES, "  kustomization: true\n"),
    "an edit of vendors.yaml itself": {
        **dict.fromkeys(NAMES, ""),
        "web": "  edits: [{file: vendors.yaml, pattern: '# web is ([v0-9.]+)', value: '{version}'}]\n",
    },
    "an edited kustomization": {
        **dict.fromkeys(NAMES, ""),
        "app": "  edits: [{file: k/kustomization.yaml, image: h/app, tag: '{version}'}]\n",
    },
}


@pytest.fixture(scope="module")
def world():
    with World() as world:
        for name in NAMES:
            for version in ("v1.0.0", "v1.1.0"):
                text = (
                    f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{v: '{version}'}}\n"
                )
                world.file(f"{name}/{version}.yaml", text)
        for version in ("v1.0.0", "v1.1.0"):
            world.github.repository("acme/app").tag(version)
        yield world


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_all_arrive_whatever_they_share(tmp_path: Path, world: World, monkeypatch, fields):
    root = tmp_path / "repository"
    (root / "k").mkdir(parents=True)
    (root / "NOTES").write_text("".join(f"{name} v1.0.0\n" for name in NAMES))
    (root / "k/kustomization.yaml").write_text("images:\n- name: h/app\n  newTag: v1.0.0\n")
    rows = "".join(
        f"- name: {name}\n  version: v1.0.0  # {name}'s\n  base: {name}/base\n"
        f"  source: {{url: '{world.url}/{name}/{{version}}.yaml', file: a.yaml}}\n"
        f"  releases: {{github_tags: acme/app}}\n{fields[name]}"
        for name in NAMES
    )
    (root / "vendors.yaml").write_text(f"version: 1\n# web is v1.0.0\nvendors:\n{rows}")
    environment = {**os.environ, "GITHUB_API_URL": f"{world.url}/api/v3"}
    settings = Settings(cache_folder=tmp_path / "cache", environment=environment)
    with open_project(root, settings=settings) as project:
        for name in NAMES:
            project.update([name], to="v1.0.0").write()
        shared = project.update()
        monkeypatch.setattr(
            regenerate,
            "upon",
            lambda change, prepared, before, *, view, configuration: regenerate.assemble(
                prepared, view=view.with_changes(before), configuration=configuration
            ),
        )
        assert project.update().files == shared.files, "as if each had been made anew"
        shared.write()
    with open_project(root, settings=settings) as project:
        assert [one.error for one in project.update().updates] == [None] * 3
        assert [one.status for one in project.update().updates] == ["unchanged"] * 3
    text = (root / "vendors.yaml").read_text()
    assert [f"version: v1.1.0  # {name}'s" in text for name in NAMES] == [True] * 3
    for name in NAMES:
        assert "v1.1.0" in (root / name / "base/a.yaml").read_text()
        assert ("pattern: '" + name in fields[name]) == (f"{name} v1.1.0" in (root / "NOTES").read_text())
