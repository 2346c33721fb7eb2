"""``--to`` takes any version that is on offer, and says what speaks against it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from upstreamsync.model import VendorUpdate
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import World

VERSIONS = ("v0.9.0", "v1.0.0", "v1.0.1", "v1.1.0", "v1.2.0-rc.1", "v2.0.0")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], VendorUpdate]]:
    """What an update to a version would be, of a vendor at v1.0.0 that follows in that way."""
    root = tmp_path_factory.mktemp("repository")
    with World() as world:
        for version in VERSIONS:
            text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app}}\ndata: {{v: '{version}'}}\n"
            world.file(f"app/{version}.yaml", text)
            world.github.repository("acme/app").tag(version)
        environment = {**os.environ, "GITHUB_API_URL": f"{world.url}/api/v3"}
        settings = Settings(cache_folder=root.parent / "cache", environment=environment)

        def update(follow: str, to: str, *, write: bool = False) -> VendorUpdate:
            (root / "vendors.yaml").write_text(
                "version: 1\nvendors:\n- name: app\n  version: v1.0.0\n  base: base\n"
                f"  source: {{url: '{world.url}/app/{{version}}.yaml', file: app.yaml}}\n"
                f"  releases: {{github_tags: acme/app}}\n  follow: {follow}\n"
            )
            with open_project(root, settings=settings) as project:
                changes = project.update(["app"], to=to)
                if write:
                    changes.write()
            return changes.updates[0]

        update("{}", "v1.0.0", write=True)
        yield update


@pytest.mark.parametrize(
    ("follow", "to", "after", "against"),
    [
        ("{range: '>=1 <2'}", "v2.0.0", "v2.0.0", "outside the range >=1 <2"),
        ("{range: '^1.0'}", "2.0.0", "v2.0.0", "outside the range ^1.0"),
        ("{range: '<1.1'}", "v1.1.0", "v1.1.0", "outside the range <1.1"),
        ("{range: '~1.0.0'}", "v1.1.0", "v1.1.0", "outside the range ~1.0.0"),
        ("{range: '>=1'}", "v0.9.0", "v0.9.0", "outside the range >=1"),
        ("{range: '>1.0'}", "v1.0.0", "v1.0.0", "outside the range >1.0"),
        ("{range: '>=1'}", "v1.2.0-rc.1", "v1.2.0-rc.1", "a prerelease"),
        ("{ignore: [v1.1.0]}", "v1.1.0", "v1.1.0", "ignored by `follow.ignore`"),
        ("{max: minor}", "v2.0.0", "v2.0.0", "a major step"),
        ("{cooldown: 9999d}", "v1.1.0", "v1.1.0", "cooldown 9999d"),
        ("{}", "v0.9.0", "v0.9.0", "older than v1.0.0"),
    ],
)
def test_what_is_held_back_is_taken_and_said(asked, follow, to, after, against):
    one = asked(follow, to)
    assert one.after == after
    (note,) = one.notes
    assert note.startswith(f"{after} was asked for by --to, though it is ")
    assert against in note


@pytest.mark.parametrize(
    ("follow", "to"),
    [
        ("{}", "v1.1.0"),
        ("{range: '<2'}", "v1.0.1"),
        ("{range: '>=1 <2'}", "1.1.0"),
        ("{range: '>=1', prereleases: true}", "v1.2.0-rc.1"),
        ("{max: minor}", "v1.1.0"),
    ],
)
def test_what_is_followed_is_taken_without_a_word(asked, follow, to):
    assert (asked(follow, to).status, asked(follow, to).notes) == ("updated", ())


def test_what_nobody_offers_is_a_usage_mistake(asked):
    error = asked("{}", "v7.0.0").error
    assert (error.kind, error.message) == ("usage", "`app` has no version `v7.0.0`")
