"""What matches nothing, or more than it may, stops its vendor with file, line and hint; the others go on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from shapes.harness import Team, config_map
from upstreamsync.model import Failure, Status
from upstreamsync.testing import tarball

GOOD = """
- name: good
  version: v1.0.0
  source: {url: "WORLD/good/{version}/good.yaml"}
  releases: {github_tags: acme/app}
  base: good/base
- name: app
  version: v1.0.0
  releases: {github_tags: acme/app}
"""

FILES = {
    "k/kustomization.yaml": (
        "images:\n- name: one\n  newTag: v1.0.0\n- name: twice\n  newTag: v1.0.0\n- name: twice\n  newTag: v1.0.0\n"
    ),
    "k/app.yaml": (
        "kind: Deployment\nmetadata: {name: a}\nspec:\n  tag: v1.0.0\n  text: |\n    image: {tag: v1.0.0}\n"
        "  containers:\n  - name: x\n    env:\n    - {name: V, value: v1.0.0}\n    - {name: W, value: v1.0.0}\n"
        "  - name: y\n    env:\n    - {name: W, value: v2.0.0}\n    - {name: F, valueFrom: {}}\n"
        "---\nkind: Service\nmetadata: {name: a}\nspec:\n  tag: v1.0.0\n"
    ),
    "README.md": "# App\n\nversion v1.0.0 and\nversion v2.0.0\n",
}


def refused(team: Team, rest: str, status: Status = Status.FAILED) -> Failure:
    """The vendor `app` with ``rest`` fails and leaves everything as it was, the vendor `good` moves."""
    team.write(FILES)
    team.vendors(GOOD + rest)
    for tag in ("v1.0.0", "v1.1.0"):
        team.world.file(f"good/{tag}/good.yaml", config_map("good", tag=tag))
        team.tags("acme/app", tag)
    with team.open() as project:
        project.update(["good"]).write()  # as it is written; then it moves
        changes = project.update()
        changes.write()
    updates = {one.vendor: one for one in changes.updates}
    assert updates["good"].status == "updated"
    assert (team.root / "good/base/good.yaml").read_text() == config_map("good", tag="v1.1.0")
    assert updates["app"].status == "failed"
    told = team.expected["vendors.yaml"].decode().replace("version: v1.0.0", "version: v1.1.0", 1)
    assert (team.root / "vendors.yaml").read_text() == told
    for path, text in FILES.items():
        assert (team.root / path).read_text() == text
    assert not (team.root / "app").exists()
    assert team.status() == {"good": Status.UP_TO_DATE, "app": status}
    error = updates["app"].error
    assert error is not None
    assert error.hint
    return error


EDITS = {
    "a file that is not there": ("{file: k/gone.yaml, path: a, value: x}", "edit", "k/gone.yaml:1:1"),
    "an image that is not there": ("{file: k/kustomization.yaml, image: two, tag: x}", "edit", "k/kustomization.yaml:1:1"),
    "an image that is there twice": (
        "{file: k/kustomization.yaml, image: twice, tag: x}", "edit", "k/kustomization.yaml:1:1",
    ),
    "an image without a digest": ("{file: k/kustomization.yaml, image: one, digest: x}", "edit", "k/kustomization.yaml:2:9"),
    "a path that leads nowhere": ("{file: k/app.yaml, path: (kind=Deployment).spec.tags, value: x}", "edit", "k/app.yaml:4:3"),
    "a path in two documents": ("{file: k/app.yaml, path: spec.tag, value: x}", "edit", "k/app.yaml:20:8"),
    "a path to a list": ("{file: k/app.yaml, path: (kind=Deployment).spec.containers, value: x}", "edit", "k/app.yaml:8:3"),
    "a document that is not there": ("{file: k/app.yaml, path: (kind=Job).spec.tag, value: x}", "edit", "k/app.yaml:1:1"),
    "a path inside a text": ("{file: k/app.yaml, path: (kind=Deployment).spec.text|image.tags, value: x}", "edit", "k/app.yaml:6:12"),
    "a variable that is not there": ("{file: k/app.yaml, env: X, value: x}", "edit", "k/app.yaml:1:1"),
    "a variable with two values": ("{file: k/app.yaml, env: W, value: x}", "edit", "k/app.yaml:11:24"),
    "a variable from elsewhere": ("{file: k/app.yaml, env: F, value: x}", "edit", "k/app.yaml:15:14"),
    "a pattern that matches nothing": ("{file: README.md, pattern: 'release (.*)', value: x}", "edit", "README.md:1:1"),
    "a pattern with two values": ("{file: README.md, pattern: 'version (\\S+)', value: x}", "edit", "README.md:3:9"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_edit_that_finds_nothing_or_more_than_it_may(team: Team, name: str):
    edit, kind, place = EDITS[name]
    # A good edit before and behind it must not be made either.
    first = '{file: k/kustomization.yaml, image: one, tag: "{version}"}'
    error = refused(team, f"  edits:\n  - {first}\n  - {edit}\n  - {first}\n")
    assert error.kind == kind
    assert error.message.startswith(f"{place}: ")


URL = 'url: "WORLD/app/{version}/all.yaml"'
GIT = "git: {repository: WORLD/git/app.git, paths: [%s]%s}"
SOURCES = {
    "select include": f"{{{URL}, select: {{include: [{{kind: ConfigMap}}, {{kind: Job}}]}}}}",
    "select exclude": f"{{{URL}, select: {{exclude: [{{name: gone}}]}}}}",
    "select leaves nothing": f"{{{URL}, select: {{exclude: [{{kind: ConfigMap}}]}}}}",
    "rewrite": f"{{{URL}, rewrite: [{{replace: gone, with: x}}]}}",
    "drop_lines": f"{{{URL}, rewrite: [{{drop_lines: gone}}]}}",
    "rewrite of files": f"{{{URL}, rewrite: [{{replace: app, with: x, file: '*.txt'}}]}}",
    "git path": f"{{{GIT % ('deploy/gone*', '')}}}",
    "git exclude": f"{{{GIT % ('deploy', ', exclude: [gone]')}}}",
    "archive path": '{archive: {url: "WORLD/app/{version}.tar.gz", paths: [gone/*]}}',
    "block that is not there": '{docs: {url: "WORLD/app/{version}/a.md", blocks: [{file: a.yaml, heading: Gone}]}}',
    "two blocks": '{docs: {url: "WORLD/app/{version}/a.md", blocks: [{file: a.yaml, language: yaml}]}}',
    "block out of range": '{docs: {url: "WORLD/app/{version}/a.md", blocks: [{file: a.yaml, index: 7}]}}',
    "chart template": "{helm: {repository: WORLD/charts, chart: app, templates: [templates/gone.yaml]}}",
    "kustomization": "{kustomize: {repository: WORLD/git/app.git, path: gone}}",
    "two files, one name": f"{{{GIT % ('deploy', '')}, file: one.yaml}}",
}


@pytest.mark.parametrize("name", SOURCES)
def test_selection_that_matches_nothing_or_more_than_it_may(team: Team, name: str):
    for tag in ("v1.0.0", "v1.1.0"):
        team.world.file(f"app/{tag}/all.yaml", config_map("app", tag=tag))
        team.world.file(f"app/{tag}/a.md", "# A\n\n```yaml\na: 1\n```\n\n```yaml\nb: 1\n```\n")
        team.world.file(f"app/{tag}.tar.gz", tarball({"here/a.yaml": config_map("a")}))
        team.world.git("app").commit(
            {"deploy/a.yaml": config_map("a", tag=tag), "deploy/b.yaml": config_map("b")}, tag=tag
        )
        team.world.chart("charts", "app", tag[1:], created=None)
    source = SOURCES[name].replace("chart: app,", "chart: app, app_version: '{semver}',")
    error = refused(team, f"  source:\n  - {source}\n  base: app/base\n", Status.NOT_VENDORED)
    assert error.kind in ("selection", "content")
    place = re.match(r"\S*/vendors\.yaml:(\d+):(\d+): ", error.message)
    assert place is not None, error.message
    lines = team.expected["vendors.yaml"].decode().splitlines()
    assert "app" in lines[int(place[1]) - 1]
    assert int(place[1]) == next(number for number, line in enumerate(lines, 1) if line.startswith("  - {"))


@pytest.mark.slow
def test_the_command_line_says_so_and_ends_with_3(team: Team):
    refused(team, "  edits:\n  - {file: README.md, pattern: 'release (.*)', value: x}\n")
    environment = {**os.environ, "GITHUB_API_URL": f"{team.world.url}/api/v3", "NO_COLOR": "1"}
    for form in ("text", "json"):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "upstreamsync",
                "update",
                "--format",
                form,
                "--cache-dir",
                str(team.root.parent / "c"),
            ],
            cwd=team.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 3, done.stderr
        if form == "json":
            error = json.loads(done.stdout)["vendors"][1]["error"]
            assert error["message"].startswith("README.md:1:1: ")
            assert error["hint"]
        else:
            assert "README.md:1:1: `release (.*)` matches nothing" in done.stdout + done.stderr
            assert "hint: did the file change its form?" in done.stdout + done.stderr
