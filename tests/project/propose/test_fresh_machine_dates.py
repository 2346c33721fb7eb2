"""What a workflow without a cache makes of dates that count as none: first sights that every run finds."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from tests.project.propose.test_fresh_machine import DAY, UNDATED, Workflow, moved

from upstreamsync.kit.git.notes import REF

ROW = """\
- name: undated
  version: 1.0.0
  base: undated/base
  source: {{url: "WORLD/undated/{{version}}.yaml"}}
  releases: {releases}
"""
NOBODY = datetime(1980, 1, 1, tzinfo=UTC)


@pytest.fixture
def workflow(tmp_path, world, gitops) -> Workflow:
    flow = Workflow(tmp_path, world, gitops)
    flow.publish("undated", "1.0.0", "1.1.0", "1.2.0")
    return flow


def offer(world, *versions: str, modified: datetime | None = None) -> None:
    listed = ", ".join(f'"{version}"' for version in versions)
    world.file("undated/versions.json", f"[{listed}]", modified=modified)


def index(world, at: datetime) -> None:
    rows = "".join(
        f"  - {{name: undated, version: {version}, urls: [x.tgz], created: '{at.isoformat()}'}}\n"
        for version in ("1.1.0", "1.0.0")
    )
    world.file("charts/index.yaml", f"apiVersion: v1\nentries:\n  undated:\n{rows}")


def test_a_page_that_nobody_dated(workflow, world):
    offer(world, "1.0.0", "1.1.0", modified=NOBODY)
    workflow.begin(UNDATED)
    assert moved(workflow.run(1)) == {}
    assert moved(workflow.run(3.9)) == {}
    assert moved(workflow.run(4)) == {"undated": "1.1.0"}


def test_an_image_that_nobody_dated(workflow, world):
    world.oci_image("acme/undated", ["1.0.0"], created="2020-01-01T00:00:00Z")
    world.oci_image("acme/undated", ["1.1.0"], created="1970-01-01T00:00:00Z")
    where = f"{world.oci_url.removeprefix('oci://')}/acme/undated"
    workflow.begin(ROW.format(releases=f"{{oci: {where}}}"))
    assert moved(workflow.run(1)) == {}
    assert moved(workflow.run(3.9)) == {}
    assert moved(workflow.run(4)) == {"undated": "1.1.0"}


def test_an_index_that_is_made_anew_before_each_run(workflow, world):
    index(world, DAY)
    workflow.begin(ROW.format(releases="{helm: {repository: WORLD/charts, chart: undated}}"))
    for day in (1, 2, 3):
        index(world, DAY + timedelta(days=day - 0.1))
        assert moved(workflow.run(day)) == {}, day
    index(world, DAY + timedelta(days=3.9))
    assert moved(workflow.run(4)) == {"undated": "1.1.0"}


def test_a_version_that_is_gone_for_a_while(workflow, world):
    offer(world, "1.0.0", "1.1.0")
    workflow.begin(UNDATED)
    workflow.run(1)
    offer(world, "1.0.0")
    assert moved(workflow.run(2)) == {}
    offer(world, "1.0.0", "1.1.0")
    assert moved(workflow.run(3.9)) == {}
    assert moved(workflow.run(4)) == {"undated": "1.1.0"}


def test_a_machine_whose_clock_was_ahead(workflow, world):
    offer(world, "1.0.0", "1.1.0")
    workflow.begin(UNDATED)
    workflow.run(300)
    assert moved(workflow.run(1)) == {}
    assert moved(workflow.run(4)) == {"undated": "1.1.0"}


def test_a_note_that_says_something_else(workflow, world):
    offer(world, "1.0.0", "1.1.0")
    workflow.begin(UNDATED)
    workflow.run(1)
    folder = workflow.clone()
    words = ("git", "-c", "user.name=T", "-c", "user.email=t@example.com")
    tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    for more in (
        ("fetch", "-q", "origin", f"+{REF}:{REF}"),
        (
            "notes",
            f"--ref={REF}",
            "add",
            "-f",
            "-m",
            '{"schema": "upstreamsync/first-seen/v1", "feeds": [1]}',
            tree,
        ),
        ("push", "-q", "origin", f"{REF}:{REF}"),
    ):
        subprocess.run([*words, *more], cwd=folder, check=True, capture_output=True)
    assert moved(workflow.run(3)) == {}
    assert moved(workflow.run(5.9)) == {}
    assert moved(workflow.run(6)) == {"undated": "1.1.0"}, "counted anew"
