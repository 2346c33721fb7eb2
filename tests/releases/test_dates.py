"""Dates of releases whose lists tell none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from upstreamsync.config.spec import Follow, Releases
from upstreamsync.kit.store.dependencies import record_dependencies
from upstreamsync.model import Release, Status
from upstreamsync.project.check.age import MOST_ASKED, choose_by_age
from upstreamsync.releases import fetch_releases
from upstreamsync.releases.dates import dated
from upstreamsync.releases.policy import Policy
from upstreamsync.testing import Fault

FIRST = datetime(2024, 1, 1, 0, 1, tzinfo=UTC)
SECOND = FIRST + timedelta(minutes=1)


def dates(tools, declared: dict) -> dict[str, datetime | None]:
    spec = Releases.model_validate(declared)
    return {one.version: dated(one, spec, tools).published for one in fetch_releases(spec, tools)}


def test_tags_of_git_have_their_own_date_or_their_commits(tools, world):
    remote = world.git("tool")
    first = remote.commit({"x": "1"}, tag="v1.0.0")
    remote.commit({"x": "2"})
    remote.tag("v1.1.0")
    remote.tag("v1.2.0", first)
    found = dates(tools, {"git": f"{world.url}/git/tool.git"})
    assert found == {"v1.0.0": FIRST, "v1.1.0": SECOND, "v1.2.0": FIRST}


def test_also_where_the_ref_is_made_from_the_version(tools, world):
    world.git("tool").commit({"x": "1"}, tag="app-1.0.0")
    declared = {
        "git": f"{world.url}/git/tool.git",
        "tag": "app-(?P<version>.+)",
        "ref": "refs/heads/release-{major}",
    }
    assert dates(tools, declared) == {"1.0.0": FIRST}


def test_githubs_tags_have_the_date_of_their_commit(tools, world):
    remote = world.git("acme/tool")
    world.github.repository("acme/tool", git=remote)
    remote.commit({"x": "1"}, tag="v1.0.0")
    remote.commit({"x": "2"}, tag="v1.1.0")
    assert dates(tools, {"github_tags": "acme/tool"}) == {"v1.0.0": FIRST, "v1.1.0": SECOND}


def test_a_branch_has_the_date_of_its_commit(tools, world):
    commit = world.git("tool").commit({"x": "1"})
    assert dates(tools, {"branch": {"repository": f"{world.url}/git/tool.git", "name": "main"}}) == {
        commit: FIRST
    }


def test_images_say_when_they_were_made(tools, world):
    world.oci_image("acme/tool", ["1.0.0"], created="2025-12-01T10:00:00Z")
    world.oci_image("acme/tool", ["1.1.0"], created="1970-01-01T00:00:00Z")
    world.oci_image("acme/tool", ["1.2.0"])
    found = dates(tools, {"oci": f"{world.oci_url.removeprefix('oci://')}/acme/tool"})
    assert found == {"1.0.0": datetime(2025, 12, 1, 10, tzinfo=UTC), "1.1.0": None, "1.2.0": None}


def test_charts_in_a_registry_say_it_too(tools, world):
    world.oci_chart("charts/tool", "1.0.0", created="2025-12-01T10:00:00+01:00")
    world.oci_chart("charts/tool", "1.1.0")
    found = dates(tools, {"helm": {"repository": f"{world.oci_url}/charts", "chart": "tool"}})
    assert found == {"1.0.0": datetime(2025, 12, 1, 9, tzinfo=UTC), "1.1.0": None}


@pytest.mark.parametrize("kind", ["page", "json"])
def test_what_stands_on_a_page_was_there_when_it_was_last_changed(tools, world, kind):
    at = datetime(2025, 12, 30, tzinfo=UTC)
    world.file("versions", '["1.0.0", "1.1.0"]', modified=at)
    pattern = {"pattern": '"(?P<version>[0-9.]+)"'} if kind == "page" else {"path": "[*]"}
    spec = Releases.model_validate({kind: {"url": f"{world.url}/versions", **pattern}})
    releases = fetch_releases(spec, tools)
    assert [one.known_by for one in releases] == [at, at]
    assert [one.published for one in releases] == [None, None]
    wishes = Policy(current="1.0.0", follow=Follow(), cooldown=timedelta(days=3), now=tools.now)
    _, choice, _ = choose_by_age(spec, releases, wishes, tools)
    assert choice.status is Status.PENDING
    assert choice.passed_over[0].until == at + timedelta(days=3)
    later = replace(tools, now=tools.now + timedelta(days=1))
    _, choice, _ = choose_by_age(spec, releases, replace(wishes, now=later.now), later)
    assert choice.target.version == "1.1.0"


def test_a_page_that_is_new_each_time_holds_nothing_for_ever(tools, world):
    spec = Releases.model_validate({"page": {"url": f"{world.url}/v", "pattern": '"(?P<version>[0-9.]+)"'}})
    seen = []
    for day in range(5):
        run = replace(tools, now=tools.now + timedelta(days=day))
        world.file("v", f'"1.0.0" "1.1.0" visitor {day}', modified=run.now)
        tools.http.close()
        wishes = Policy(current="1.0.0", follow=Follow(), cooldown=timedelta(days=3), now=run.now)
        _, choice, _ = choose_by_age(spec, fetch_releases(spec, run), wishes, run)
        seen.append(choice.status)
    assert seen == [Status.PENDING] * 3 + [Status.OUTDATED] * 2


def choose(tools, world, *, cooldown: int = 3, now: datetime):
    spec = Releases.model_validate({"git": f"{world.url}/git/tool.git"})
    run = replace(tools, now=now)
    wishes = Policy(current="v1.0.0", follow=Follow(), cooldown=timedelta(days=cooldown), now=now)
    return choose_by_age(spec, fetch_releases(spec, run), wishes, run)


def test_dates_are_asked_for_only_where_they_decide(tools, world):
    remote = world.git("tool")
    for minor in range(20):
        remote.commit({"x": str(minor)}, tag=f"v1.{minor}.0")
    asked = lambda: sum("git-upload-pack" in one.path and one.method == "POST" for one in world.requests)  # noqa: E731
    _, choice, _ = choose(tools, world, cooldown=0, now=FIRST)
    listed = asked()
    assert choice.target.version == "v1.19.0"
    _, choice, _ = choose(tools, world, now=FIRST + timedelta(days=4))
    assert choice.target.version == "v1.19.0"
    assert asked() - listed <= 2, "one fetch, for the newest alone"
    releases, choice, _ = choose(tools, world, now=FIRST + timedelta(days=1))
    assert choice.status is Status.PENDING
    assert sum(one.published is not None for one in releases) == MOST_ASKED


def test_a_date_is_asked_for_once(tools, world, new_run):
    world.git("tool").commit({"x": "1"}, tag="v1.0.0")
    world.git("tool").commit({"x": "2"}, tag="v1.1.0")
    choose(tools, world, now=FIRST + timedelta(days=9))
    before = len(world.requests)
    with record_dependencies() as record:
        _, choice, _ = choose(new_run(), world, now=FIRST + timedelta(days=9))
    assert choice.target.version == "v1.1.0"
    assert len(world.requests) - before <= 2, "the refs alone"
    assert {question[0] for question in record.answers} == {"git-refs", "cache"}
    assert not record.doubtful


def test_what_does_not_answer_waits_by_its_first_sight(tools, world):
    world.git("acme/tool").commit({"x": "1"}, tag="v1.0.0")
    world.git("acme/tool").commit({"x": "2"}, tag="v1.1.0")
    world.github.repository("acme/tool", git=world.git("acme/tool"))
    world.fault("*/commits/*", Fault.status(500))
    spec = Releases.model_validate({"github_tags": "acme/tool"})
    wishes = Policy(current="v1.0.0", follow=Follow(), cooldown=timedelta(days=3), now=tools.now)
    _, choice, _ = choose_by_age(spec, fetch_releases(spec, tools), wishes, tools)
    assert choice.status is Status.PENDING
    assert choice.passed_over[0].reason == "first seen just now, cooldown 3d"


def test_what_has_a_date_is_left_alone(tools):
    release = Release(version="1", ref="1", published=FIRST)
    assert dated(release, Releases.model_validate({"git": "https://h/x.git"}), tools) is release
