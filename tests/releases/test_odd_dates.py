"""Dates as wild upstreams give them: which of them count for a cooldown, and which are as good as none.

What tools write where they know no date (1970, 1980, the year 1), and what lies in the future, never makes a
release old enough by itself, and never holds it for ever: its first sight counts then.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.releases.conftest import NOW

from upstreamsync.config.spec import Follow, Releases
from upstreamsync.kit.run import process
from upstreamsync.model import Release, Status
from upstreamsync.project.check.age import choose_by_age
from upstreamsync.releases import fetch_releases
from upstreamsync.releases.answers import timestamp
from upstreamsync.releases.dates import dated
from upstreamsync.releases.policy import Choice, Policy

DAY = timedelta(days=1)
OLD, NEW = NOW - 60 * DAY, NOW - 10 * DAY
AT = datetime(2025, 12, 1, 10, tzinfo=UTC)


def date(tools, declared: dict, version: str) -> datetime | None:
    spec = Releases.model_validate(declared)
    (release,) = [one for one in fetch_releases(spec, tools) if one.version == version]
    return dated(release, spec, tools).published


def choice(tools, declared: dict, *, days: float = 0, current: str = "1.0.0") -> Choice:
    """What is chosen so many days from now, with a cooldown of three."""
    spec = Releases.model_validate(declared)
    run = replace(tools, now=NOW + days * DAY)
    run.http.close()
    wishes = Policy(current=current, follow=Follow(), cooldown=3 * DAY, now=run.now)
    return choose_by_age(spec, fetch_releases(spec, run), wishes, run)[1]


def assert_waits_from_its_first_sight(tools, declared: dict, current: str = "1.0.0") -> None:
    first = choice(tools, declared, current=current)
    assert first.status is Status.PENDING
    assert first.passed_over[0].until == NOW + 3 * DAY
    assert choice(tools, declared, days=2.9, current=current).status is Status.PENDING
    assert choice(tools, declared, days=3, current=current).status is Status.OUTDATED


# -- how dates are written ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-01T10:00:00Z",
        "2025-12-01T11:00:00+01:00",
        "2025-12-01T11:00:00+0100",
        "2025-12-01T03:30:00.000000000-06:30",
        "2025-12-01t10:00:00z",
        "2025-12-01 10:00:00",
        "2025-12-01 10:00:00 +0000 UTC",
        "2025-12-01 12:00:00.000000001 +0200 CEST m=+0.01",
        "20251201T100000Z",
        "Mon, 01 Dec 2025 10:00:00 GMT",
        "Mon, 01 Dec 2025 11:00:00 +0100",
        " 2025-12-01T10:00:00Z\n",
    ],
)
def test_forms_of_one_moment(text):
    assert timestamp(text) == AT


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2025-13-01T10:00:00Z", "2025-12-01T25:00:00Z", "1764583200", 1764583200, None, True, [],
        "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z", "1980-01-01T00:00:01Z",
        "1979-12-31T19:00:00-05:00", "1985-10-26T08:15:00Z", "2000-01-01T00:00:00Z", "1900-01-01", "9" * 400,
        "99999-01-01T00:00:00Z", "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00",
    ],
)  # fmt: skip
def test_what_is_no_date_of_a_release(text):
    assert timestamp(text) is None


# -- tags of git --------------------------------------------------------------------------------------


class Tags:
    """A repository whose commits and tags have the dates that a test gives them."""

    def __init__(self, world) -> None:
        self.remote = world.git("tool")
        self.declared = {"git": f"{world.url}/git/tool.git"}
        self.tag("1.0.0", self.commit(OLD - 100 * DAY))

    def _git(self, *words: str, stdin: bytes = b"", when: str = "") -> str:
        people = ("GIT_AUTHOR", "GIT_COMMITTER")
        names = {f"{who}_{what}": "t" for who in people for what in ("NAME", "EMAIL")}
        dates = {"GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": "2001-02-03T04:05:06Z"} if when else {}
        environment = {"PATH": os.environ["PATH"], **names, **dates}
        return (
            process.run(["git", *words], cwd=self.remote.path, stdin=stdin, env=environment)
            .stdout.decode()
            .strip()
        )

    def commit(self, at: datetime | str) -> str:
        when = at if isinstance(at, str) else f"@{int(at.timestamp())} +0000"
        tree = self._git("mktree")
        return self._git("commit-tree", tree, "-m", f"{at}", when=when)

    def raw_commit(self, seconds: str) -> str:
        text = f"tree {self._git('mktree')}\nauthor t <t> {seconds} +0000\ncommitter t <t> {seconds} +0000\n\nx\n"
        return self._git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=text.encode())

    def tag(self, name: str, target: str) -> str:
        self._git("update-ref", f"refs/tags/{name}", target)
        return target

    def annotated(
        self,
        name: str,
        target: str,
        at: datetime | None,
        *,
        kind: str = "commit",
        zone: str = "+0000",
        more: str = "",
    ) -> str:
        tagger = f"tagger T <t@example.com> {int(at.timestamp())} {zone}\n" if at is not None else ""
        text = f"object {target}\ntype {kind}\ntag {name}\n{tagger}\n{name}\n{more}"
        return self.tag(name, self._git("hash-object", "-t", "tag", "-w", "--stdin", stdin=text.encode()))


SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\niQEzBAABCAAdFiEE\n-----END PGP SIGNATURE-----\n"


@pytest.fixture
def tags(world) -> Tags:
    return Tags(world)


@pytest.mark.parametrize(
    ("commit", "tagged", "options", "right"),
    [
        (OLD, NEW, {}, NEW),
        (NEW, OLD, {}, NEW),
        (OLD, NEW, {"zone": "+1345"}, NEW),
        (OLD, NEW, {"zone": "-0930"}, NEW),
        (OLD, NEW, {"more": SIGNATURE}, NEW),
        (OLD, None, {}, OLD),
        (OLD, datetime.fromtimestamp(0, UTC), {}, OLD),
        (datetime.fromtimestamp(0, UTC), NEW, {}, NEW),
    ],
    ids=["newer tag", "older tag", "east", "west", "signed", "no tagger", "tag of 1970", "commit of 1970"],
)
def test_an_annotated_tag_is_as_old_as_the_younger_of_the_two(tags, tools, commit, tagged, options, right):
    tags.annotated("1.1.0", tags.commit(commit), tagged, **options)
    assert date(tools, tags.declared, "1.1.0") == right


def test_a_tag_of_a_tag_has_its_own_date(tags, tools):
    inner = tags.annotated("inner", tags.commit(OLD), OLD)
    tags.annotated("1.1.0", inner, NEW, kind="tag")
    assert date(tools, tags.declared, "1.1.0") == NEW


@pytest.mark.parametrize(
    ("when", "right"),
    [
        ("2025-12-01T10:00:00Z", AT),
        ("2025-12-01T23:45:00+1345", AT),
        ("2025-11-30T22:00:00-1200", AT),
        ("1764583200 +0530", AT),
        ("@0 +0000", None),
        ("@315532801 +0000", None),
    ],
)
def test_a_lightweight_tag_is_as_old_as_its_commit(tags, tools, when, right):
    tags.tag("1.1.0", tags.commit(when))
    assert date(tools, tags.declared, "1.1.0") == right


@pytest.mark.parametrize("seconds", ["9" * 18, "9" * 30, "253402300800"])
def test_no_date_of_a_commit_stops_a_run(tags, tools, seconds):
    tags.tag("1.1.0", tags.raw_commit(seconds))
    assert date(tools, tags.declared, "1.1.0") is None
    assert_waits_from_its_first_sight(tools, tags.declared)


@pytest.mark.parametrize("of", ["a tree", "a blob"])
def test_tags_of_something_else_have_none(tags, tools, of):
    target = (
        tags._git("mktree") if of == "a tree" else tags._git("hash-object", "-w", "--stdin", stdin=b"key")
    )
    tags.tag("1.1.0", tags.commit(OLD))
    tags.tag("1.2.0", target)
    assert date(tools, tags.declared, "1.2.0") is None
    assert choice(tools, tags.declared).target.version == "1.1.0", "which is asked all the same"


def test_a_tag_that_moved_is_as_old_as_what_it_stands_on_now(tags, tools, new_run):
    tags.tag("1.1.0", tags.commit(OLD))
    assert choice(tools, tags.declared).target.version == "1.1.0"
    tags.tag("1.1.0", tags.commit(NOW - DAY))
    moved = choice(new_run(), tags.declared)
    assert (moved.status, moved.passed_over[0].until) == (Status.PENDING, NOW + 2 * DAY)


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), 30 * DAY, 4000 * DAY])
def test_what_is_dated_in_the_future_waits_from_its_first_sight(tags, tools, ahead):
    tags.tag("1.1.0", tags.commit(NOW + ahead))
    assert choice(tools, tags.declared).passed_over[0].until == NOW + 3 * DAY
    assert choice(tools, tags.declared, days=3.01).status is Status.OUTDATED


def test_githubs_commits_are_held_to_the_same(world, tools, tags):
    world.github.repository("acme/tool", git=tags.remote)
    declared = {"github_tags": "acme/tool"}
    tags.tag("1.1.0", tags.commit(OLD))
    tags.tag("1.2.0", tags.commit("@0 +0000"))
    tags.annotated("1.3.0", tags.commit("2025-12-01T23:45:00+1345"), NEW)
    assert date(tools, declared, "1.1.0") == OLD
    assert date(tools, declared, "1.2.0") is None
    assert date(tools, declared, "1.3.0") == AT


# -- registries ---------------------------------------------------------------------------------------


class Images:
    def __init__(self, world) -> None:
        self.store = world.registry.repository("acme/tool")
        self.declared = {"oci": f"{world.oci_url.removeprefix('oci://')}/acme/tool"}
        self.add("1.0.0", config="2025-01-01T00:00:00Z")

    def manifest(self, config: object = None, annotation: object = None, name: str = "") -> dict:
        facts = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"n": name}}}
        blob = json.dumps({**facts, **({} if config is None else {"created": config})}).encode()
        made = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.store.blob(blob, "application/vnd.oci.image.config.v1+json"),
            "layers": [],
        }
        return self.annotate(made, annotation)

    def annotate(self, manifest: dict, annotation: object) -> dict:
        more = (
            {"annotations": {"org.opencontainers.image.created": annotation}}
            if annotation is not None
            else {}
        )
        return {**manifest, **more}

    def add(self, tag: str, **dates: object) -> None:
        self.store.put(tag, self.manifest(name=tag, **dates))

    def index(self, tag: str, children: list[dict], annotation: object = None) -> None:
        listed = []
        for number, one in enumerate(children):
            platform = {
                "os": "unknown" if one.pop("attestation", False) else "linux",
                "architecture": f"{number}",
            }
            digest = self.store.put(f"child-{number}", self.manifest(name=f"{tag}-{number}", **one))
            del self.store.tags[f"child-{number}"]
            listed.append({"digest": digest, "size": 1, "platform": platform})
        kind = "application/vnd.oci.image.index.v1+json"
        self.store.put(
            tag, self.annotate({"schemaVersion": 2, "mediaType": kind, "manifests": listed}, annotation), kind
        )


@pytest.fixture
def images(world) -> Images:
    return Images(world)


SAID, OTHER = "2025-12-01T10:00:00Z", "2025-06-01T00:00:00Z"


@pytest.mark.parametrize(
    ("dates", "right"),
    [
        ({"config": SAID}, AT),
        ({"annotation": SAID}, AT),
        ({"annotation": SAID, "config": OTHER}, AT),
        ({"annotation": "1970-01-01T00:00:00Z", "config": SAID}, AT),
        ({"annotation": "today", "config": SAID}, AT),
        ({"annotation": 5, "config": SAID}, AT),
        ({"annotation": SAID, "config": "0001-01-01T00:00:00Z"}, AT),
        ({"config": "0001-01-01T00:00:00Z"}, None),
        ({"config": "1970-01-01T00:00:00Z"}, None),
        ({"config": "1980-01-01T00:00:01Z"}, None),
        ({"config": 1764583200}, None),
        ({"config": ["x"]}, None),
        ({}, None),
    ],
)
def test_when_an_image_was_made(images, tools, dates, right):
    images.add("1.1.0", **dates)
    assert date(tools, images.declared, "1.1.0") == right


@pytest.mark.parametrize(
    ("children", "annotation", "right"),
    [
        ([{"config": SAID}, {"config": SAID}], None, AT),
        ([{"config": OTHER}], SAID, AT),
        ([{"config": SAID}], "1970-01-01T00:00:00Z", AT),
        ([{"annotation": SAID, "config": OTHER}], None, AT),
        ([{"attestation": True, "config": OTHER}, {"config": SAID}], None, AT),
        ([{}, {"config": SAID}], None, AT),
        ([{"config": "1970-01-01T00:00:00Z"}, {"annotation": SAID}], None, AT),
        ([{"attestation": True, "config": SAID}], None, None),
        ([{}, {}], None, None),
        ([], None, None),
    ],
)
def test_when_an_image_for_several_platforms_was_made(images, tools, children, annotation, right):
    images.index("1.1.0", children, annotation)
    assert date(tools, images.declared, "1.1.0") == right


@pytest.mark.parametrize(
    "made", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2046-01-01T00:00:00Z", None]
)
def test_an_image_without_a_date_that_counts_waits_from_its_first_sight(images, tools, made):
    images.add("1.1.0", config=made)
    assert_waits_from_its_first_sight(tools, images.declared)


def test_one_without_a_date_keeps_no_other_from_being_asked(images, tools):
    images.add("1.1.0", config="2025-12-01T10:00:00Z")
    images.add("1.2.0", config="1970-01-01T00:00:00Z")
    images.add("1.3.0")
    found = choice(tools, images.declared)
    assert found.target.version == "1.1.0"
    assert {one.version for one in found.passed_over} == {"1.2.0", "1.3.0"}


def test_an_image_that_was_made_anew_waits_anew(images, tools, new_run):
    images.add("1.1.0", config="2025-12-01T10:00:00Z")
    assert choice(tools, images.declared).status is Status.OUTDATED
    images.add("1.1.0", config="2025-12-31T12:00:00Z")
    assert choice(new_run(), images.declared).passed_over[0].until == NOW + 2.5 * DAY


@pytest.mark.parametrize(
    ("created", "right"),
    [
        ("2025-12-01T10:00:00Z", AT),
        ("2025-12-01T11:00:00.123456789+01:00", AT.replace(microsecond=123456)),
        ("1970-01-01T00:00:00Z", None),
        ("today", None),
        (None, None),
    ],
)
def test_when_a_chart_in_a_registry_was_made(world, tools, created, right):
    world.oci_chart("charts/tool", "1.1.0", created=created)
    assert date(tools, {"helm": {"repository": f"{world.oci_url}/charts", "chart": "tool"}}, "1.1.0") == right


# -- indexes of charts ----------------------------------------------------------------------------------


def index(world, **created: str | None) -> dict:
    rows = "".join(
        f"  - name: tool\n    version: {version.replace('_', '.')}\n    urls: [x.tgz]\n"
        + (f"    created: {at}\n" if at is not None else "")
        for version, at in created.items()
    )
    world.file("charts/index.yaml", f"apiVersion: v1\nentries:\n  tool:\n{rows}")
    return {"helm": {"repository": f"{world.url}/charts", "chart": "tool"}}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2025-12-01T10:00:00Z", AT),
        ('"2025-12-01T10:00:00.000000000Z"', AT),
        ("2025-12-01T05:00:00-05:00", AT),
        ("'2025-12-01 10:00:00 +0000 UTC'", AT),
        ("2025-12-01 10:00:00", AT),
        ('"0001-01-01T00:00:00Z"', None),
        ("1970-01-01T00:00:00Z", None),
        ("1764583200", None),
        ("never", None),
        ("~", None),
        (None, None),
    ],
)
def test_what_an_index_says_of_a_chart(world, tools, text, right):
    declared = index(world, **{"1_1_0": text, "1_0_0": "2025-01-01T00:00:00Z"})
    assert date(tools, declared, "1.1.0") == right


@pytest.mark.parametrize("text", ["1980-01-01T00:00:00Z", "2046-01-01T00:00:00Z", "never", None])
def test_a_chart_without_a_date_that_counts_waits_from_its_first_sight(world, tools, text):
    declared = index(world, **{"1_1_0": text, "1_0_0": "2025-01-01T00:00:00Z"})
    assert_waits_from_its_first_sight(tools, declared)


def test_an_index_that_dates_all_its_charts_anew_holds_nothing_for_ever(world, tools):
    """`helm repo index` without `--merge` writes the time of indexing to every version."""
    seen = []
    for day in range(5):
        at = NOW + day * DAY
        rows = {"1_1_0": at.isoformat(), "1_0_0": (at + timedelta(seconds=2)).isoformat()}
        declared = index(world, **rows)
        seen.append(choice(tools, declared, days=day).status)
    assert seen == [Status.PENDING] * 3 + [Status.OUTDATED] * 2


def test_an_index_that_was_made_at_once_still_dates_its_charts(world, tools):
    declared = index(world, **{"1_1_0": OLD.isoformat(), "1_0_0": OLD.isoformat()})
    assert choice(tools, declared).target.version == "1.1.0"


def test_a_new_version_in_a_merged_index_has_its_own_date(world, tools):
    rows = {"1_0_0": OLD.isoformat(), "0_9_0": OLD.isoformat(), "1_1_0": (NOW - DAY).isoformat()}
    found = choice(tools, index(world, **rows))
    assert found.passed_over[0].until == NOW + 2 * DAY
    assert found.passed_over[0].reason == "published 1 day ago, cooldown 3d"


# -- GitHub's releases ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("published", "created", "right"),
    [
        ("2025-12-01T10:00:00Z", "2025-01-01T00:00:00Z", AT),
        ("2025-12-01T10:00:00Z", "2025-12-31T00:00:00Z", AT),
        ("2025-12-01T10:00:00Z", None, AT),
        (None, "2025-12-01T10:00:00Z", None),
        ("1970-01-01T00:00:00Z", "2025-12-01T10:00:00Z", None),
        ("", "2025-12-01T10:00:00Z", None),
        (1764583200, None, None),
    ],
)
def test_a_release_of_github_is_as_old_as_its_publication(world, tools, published, created, right):
    entry = {"tag_name": "1.1.0", "draft": False, "published_at": published, "created_at": created}
    world.file("repos/acme/tool/releases", json.dumps([entry]), content_type="application/json")
    assert date(replace(tools, github_api=world.url), {"github": "acme/tool"}, "1.1.0") == right


# -- pages and documents ------------------------------------------------------------------------------------

PAGE = {"pattern": '"(?P<version>[0-9.]+)"'}


def page(world, modified: str | None, kind: str = "page", text: str = '["1.0.0", "1.1.0"]') -> dict:
    headers = {"Last-Modified": modified} if modified is not None else {}
    world.file("versions", text, modified=None, headers=headers)
    return {kind: {"url": f"{world.url}/versions", **(PAGE if kind == "page" else {"path": "[*]"})}}


@pytest.mark.parametrize("kind", ["page", "json"])
@pytest.mark.parametrize(
    ("modified", "right"),
    [
        ("Mon, 01 Dec 2025 10:00:00 GMT", AT),
        ("Monday, 01-Dec-25 10:00:00 GMT", AT),
        ("Mon Dec  1 10:00:00 2025", AT),
        ("Mon, 01 Dec 2025 11:00:00 +0100", AT),
        ("01 Dec 2025 10:00:00 -0000", AT),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:01 GMT", None),
        ("Tue, 01 Jan 1980 00:00:00 GMT", None),
        ("Mo, 01 Dez 2025 10:00:00 GMT", None),
        ("0", None),
        ("-1", None),
        ("", None),
        (None, None),
    ],
)
def test_when_a_document_was_changed(world, tools, kind, modified, right):
    spec = Releases.model_validate(page(world, modified, kind))
    assert {one.known_by for one in fetch_releases(spec, tools)} == {right}


@pytest.mark.parametrize("kind", ["page", "json"])
@pytest.mark.parametrize(
    "modified",
    [
        None,
        "gibberish",
        "Thu, 01 Jan 1970 00:00:01 GMT",
        "Tue, 01 Jan 1980 00:00:00 GMT",
        format_datetime(NOW + 90 * DAY),
    ],
)
def test_a_document_without_a_date_that_counts_is_counted_from_its_first_sight(world, tools, kind, modified):
    assert_waits_from_its_first_sight(tools, page(world, modified, kind))


@pytest.mark.parametrize("root", ["feed", "rss"])
def test_dates_within_a_feed_are_no_dates_of_its_own(world, tools, root):
    dates = "<updated>2020-01-01T00:00:00Z</updated><pubDate>Wed, 01 Jan 2020 00:00:00 GMT</pubDate>"
    text = f'<{root}><entry v="1.1.0">{dates}</entry><entry v="1.0.0">{dates}</entry></{root}>'
    declared = page(world, format_datetime(NEW, usegmt=True), text=text)
    spec = Releases.model_validate(declared)
    assert {one.known_by for one in fetch_releases(spec, tools)} == {NEW}
    assert choice(tools, declared).target.version == "1.1.0"


@pytest.mark.parametrize("changed", ["docs/install.md", "other/x.md"])
def test_a_branch_is_as_old_as_the_last_change_of_its_paths(world, tools, changed):
    remote = world.git("pages")
    first = remote.commit({"docs/install.md": "1"})
    second = remote.commit({changed: "2"})
    declared = {"branch": {"repository": f"{world.url}/git/pages.git", "name": "main", "paths": ["docs"]}}
    begin = datetime(2024, 1, 1, 0, 1, tzinfo=UTC)
    if changed == "docs/install.md":
        assert date(tools, declared, second) == begin + timedelta(minutes=1)
    else:
        assert date(tools, declared, first) == begin


# -- the policy and the sources together ------------------------------------------------------------------------


def test_a_version_that_comes_and_goes_is_counted_from_its_first_sight(world, tools):
    declared = page(world, None)
    choice(tools, declared)
    page(world, None, text='["1.0.0"]')
    assert choice(tools, declared, days=1).status is Status.UP_TO_DATE
    page(world, None)
    assert choice(tools, declared, days=2).passed_over[0].until == NOW + 3 * DAY


def test_a_date_that_comes_later_counts_from_then_on(images, tools, new_run):
    images.add("1.1.0")
    assert choice(tools, images.declared).passed_over[0].until == NOW + 3 * DAY
    images.add("1.1.0", config="2025-12-01T10:00:00Z")
    assert choice(new_run(), images.declared, days=1).target.version == "1.1.0"


def test_what_has_a_date_is_not_asked_again(tools):
    release = Release(version="1", ref="1", published=AT)
    assert dated(release, Releases.model_validate({"oci": "h/x"}), tools) is release
