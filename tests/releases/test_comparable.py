"""Which versions on offer are of the current one's line, and what is said where nothing can be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from upstreamsync.config.spec import Follow
from upstreamsync.errors import VersionError
from upstreamsync.kit.versions import parse
from upstreamsync.model import Release, Status
from upstreamsync.releases.comparable import refuse_unreadable, scheme_for, variant
from upstreamsync.releases.policy import Choice, choose

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


def offer(*texts: str) -> list[Release]:
    return [Release(version=text, ref=text) for text in texts]


def decide(current: str, *offered: str, scheme: str = "semver", images: bool = False) -> Choice:
    return choose(
        releases=offer(current, *offered),
        current=current,
        follow=Follow(),
        now=NOW,
        scheme=scheme_for(scheme, current, images=images),
    )


# -- the variant of an image's tag -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "others", "target"),
    [
        ("1.2.3-alpine", ["1.2.4-alpine", "1.2.5"], "1.2.4-alpine"),
        ("1.2.3-alpine", ["1.2.5"], None),
        ("1.2.3-alpine3.18", ["1.2.4-alpine3.19", "1.2.5", "1.2.5-slim"], "1.2.4-alpine3.19"),
        ("1.2.3", ["1.2.4-alpine", "1.2.4"], "1.2.4"),
        ("1.2.3", ["1.2.4-alpine"], None),
        ("1.2.3-slim-bookworm", ["1.3.0-slim-bookworm", "1.3.0-slim", "1.3.0-bookworm"], "1.3.0-slim-bookworm"),
        ("1.2.3-debian-12-r9", ["1.2.3-debian-12-r10", "1.2.3"], "1.2.3-debian-12-r10"),
        ("1.2.3-debian-12-r10", ["1.2.3-debian-12-r9"], None),
        ("1.2.3-debian-11-r9", ["1.2.4-debian-12-r0", "1.2.4-ol-7-r0", "1.2.5-rc1"], "1.2.4-debian-12-r0"),
        ("v1.28.3-k3s1", ["v1.28.3-k3s10", "v1.28.3"], "v1.28.3-k3s10"),
        ("1.2.3-alpine", ["1.2.4-rc1-alpine", "1.2.4-alpine-rc1"], None),
        ("1.2.3-windows-ltsc2022", ["1.2.4-windows-ltsc2022", "1.2.4-linux"], "1.2.4-windows-ltsc2022"),
        ("1.2.3-rc1", ["1.2.3-rc2", "1.2.3"], "1.2.3"),
        ("1.2.3-amd64", ["1.2.4-arm64", "1.2.4-amd64"], "1.2.4-amd64"),
        ("1.2.3-alpine", ["1.2.4-alpine", "1.2.4-alpine3.20"], "1.2.4-alpine"),
        ("1.2.3-alpine", ["1.2.3-alpine3.20"], None),
        ("1.2.3-ubi", ["1.2.4-ubi9", "1.2.4-ubi"], "1.2.4-ubi"),
        ("1.2.3-debian", ["1.2.4-debian-12-r0", "1.2.4-debian"], "1.2.4-debian"),
        ("1.2.3-alpine3.18", ["1.2.4-alpine"], "1.2.4-alpine"),
        ("1.2.3-alpine", ["1.3.0-rc1-alpine", "1.2.4-alpine"], "1.2.4-alpine"),
    ],
)  # fmt: skip
def test_the_variant_of_an_images_tag_is_kept(current, others, target):
    choice = decide(current, *others, images=True)
    assert (choice.target.version if choice.target else None) == target


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.2.3", ""),
        ("1.2.3-alpine", "alpine"),
        ("1.2.3-alpine3.19", "alpine"),
        ("1.2.3-debian-12-r0", "debian"),
        ("1.2.3-fips-ubi8", "fips-ubi"),
        ("5.0.0.Final", ""),
        ("5.0.0.SP1", ""),
        ("1.2.3-rc.1", ""),
        ("v20240116-1a2b3c4", ""),
        ("1.2.3-4-g1a2b3c4", ""),
        ("RELEASE.2024-01-16T16-07-38Z", ""),
        ("RELEASE.2024-01-16T16-07-38Z-cpuv1", "cpuv"),
    ],
)
def test_what_names_a_variant(text, words):
    version = parse(text, "loose")
    assert version is not None
    assert variant(version) == words


def test_elsewhere_semver_is_as_it_was():
    """A git tag 1.2.3-alpha-like is a prerelease, whatever its word."""
    assert decide("1.2.3-beta.1", "1.2.3").target.version == "1.2.3"
    assert decide("1.2.3-tp1", "1.2.3").target.version == "1.2.3"


# -- rebuilds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "other", "newer"),
    [
        ("v1.28.3+k3s1", "v1.28.3+k3s2", True),
        ("v1.28.3+k3s9", "v1.28.3+k3s10", True),
        ("v1.28.3+k3s2", "v1.28.3+k3s1", False),
        ("v1.28.3+rke2r1", "v1.28.3+rke2r2", True),
        ("104.0.0+up1.2.3", "104.0.0+up1.3.0", True),
        ("1.2.3+20240101", "1.2.3+20240201", True),
        ("1.2.3", "1.2.3+k3s1", False),
        ("1.2.3+k3s1", "1.2.3", False),
        ("1.2.3+one", "1.2.3+two", False),
        ("1.2.3+k3s1", "1.2.3+rke2r2", False),
        ("1.2.3+1a2b3c4", "1.2.3+9f8e7d6", False),
        ("v1.28.3-rc1+k3s1", "v1.28.3-rc1+k3s2", True),
    ],
)
def test_a_later_build_of_one_version_is_newer(current, other, newer):
    choice = decide(current, other)
    assert (choice.status is Status.OUTDATED) is newer
    assert (choice.target is not None) is newer


def test_of_builds_the_latest_is_taken():
    choice = decide("v1.28.3+k3s1", "v1.28.3+k3s2", "v1.28.3+k3s10", "v1.28.3+k3s9")
    assert choice.target.version == "v1.28.3+k3s10"


# -- dates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "other", "scheme"),
    [
        ("v1.2.3", "20240116", "semver"),
        ("1.2.3", "20240116", "loose"),
        ("1.2.3", "20240116160738", "loose"),
        ("20240116", "v99999999.0.0", "semver"),
        ("1.2.3", "v20240116-1a2b3c4", "loose"),
    ],
)
def test_a_date_is_not_newer_than_a_number(current, other, scheme):
    choice = decide(current, other, scheme=scheme)
    assert choice.target is None
    assert choice.newest in (None, current)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2024-01-16", "2024-02-01"),
        ("2024-01-16T16-07-38Z", "2024-01-16T16-07-39Z"),
        ("RELEASE.2024-01-16T16-07-38Z", "RELEASE.2024-10-02T17-50-41Z"),
        ("20240116-1607", "20240116-1608"),
        ("v20240116-1a2b3c4", "v20240117-0a2b3c4"),
        ("2024_01_16", "2024_01_17"),
        ("5.0.0.CR1", "5.0.0.Final"),
        ("5.0.0.Final", "5.0.1.Final"),
        ("5.0.0.Final", "5.0.0.SP1"),
        ("5.0.0", "5.0.1.Final"),
        ("1.2.3-debian-12-r0", "1.2.3-debian-12-r1"),
        ("1.2.3-debian-12-r9", "1.2.4-debian-12-r0"),
        ("1.2.3.4", "1.2.3.10"),
        ("Hoxton.SR9", "Hoxton.SR10"),
        ("2024-01-16T16:07:38Z", "2024-01-17T00:00:00Z"),
        ("nightly-2024-01-16", "nightly-2024-01-17"),
    ],
)
def test_loose_reads_what_tags_look_like(older, newer):
    assert decide(older, newer, scheme="loose").target.version == newer
    assert decide(newer, older, scheme="loose").target is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5.0.0.Final", "5.0.0"),
        ("5.0.0.GA", "5.0.0.RELEASE"),
        ("1.2.3-1a2b3c4", "1.2.3-9f8e7d6"),
        ("1.2.3-1a2b3c4", "1.2.3"),
        ("v1.2.3.Final", "1.2.3"),
    ],
)
def test_loose_says_nothing_of_what_has_no_order(one, other):
    left, right = parse(one, "loose"), parse(other, "loose")
    assert left.same_as(right)
    assert decide(one, other, scheme="loose").target is None


# -- what can't be read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "scheme", "tag", "hint"),
    [
        ("latest", "semver", None, "write the version that is vendored now"),
        ("5.0.0.Final", "semver", None, "`releases.scheme: loose` reads it"),
        ("1.8.3.3", "semver", None, "`releases.scheme: loose` reads it"),
        ("release-1.2.3", "semver", None, "`releases.tag: ^release-(?P<version>.+)$` takes the version out of it"),
        ("app-1.2.3", "semver", r"^app-(?P<version>.+)$", "write `version: 1.2.3`"),
        ("RELEASE.2024-01-16T16-07-38Z", "pep440", None, "`releases.scheme: loose` reads it"),
        ("main", "loose", None, "write the version that is vendored now"),
    ],
)  # fmt: skip
def test_a_current_version_that_can_not_be_read_is_an_error_with_the_way_out(current, scheme, tag, hint):
    with pytest.raises(VersionError) as caught:
        refuse_unreadable(offer("1.2.3", current), current, scheme, tag=tag)
    assert f"`{current}` can't be read in the scheme {scheme}" in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("offered", "hint"),
    [
        (["5.0.0.Final", "5.1.0.Final"], "`releases.scheme: loose` reads them"),
        (["app-1.2.3", "app-1.2.4"], "`releases.tag: ^app-(?P<version>.+)$` takes the version out of them"),
        (["1.2.3.1", "1.2.4.1"], "`releases.scheme: loose` reads them"),
        (["stable", "edge"], "check the address, and `releases.tag`"),
        (["latest"], "check the address, and `releases.tag`"),
    ],
)
def test_likewise_when_no_candidate_can_be_read(offered, hint):
    with pytest.raises(VersionError) as caught:
        refuse_unreadable(offer(*offered), "1.2.3", "semver", tag=None)
    assert "be read in the scheme semver" in caught.value.message
    assert hint in caught.value.hint


def test_one_that_can_be_read_is_enough():
    refuse_unreadable(offer("latest", "v1.2.3"), "v1.2.3", "semver", tag=None)
    refuse_unreadable([], "v1.2.3", "semver", tag=None)
    refuse_unreadable(offer("a" * 40), "b" * 40, "semver", tag=None)


@pytest.mark.parametrize(
    ("current", "other", "helps"),
    [
        ("1.2.3", "1.2.4.1", True),
        ("1.2.3", "1.2.4.Final", True),
        ("1.2.3-eksbuild.1", "1.2.4-eksbuild.1", True),
        ("1.2.3", "20240116-1607", False),
        ("1.2.3", "chart-2.0.0", False),
        ("1.2.3", "1.2.2.Final", False),
        ("1.2.3", "1.3.0-rc1", False),
        ("1.2.3", "1.3.0-alpine", False),
    ],
)
def test_check_says_when_loose_would_help(current, other, helps):
    said = {one.version: one.reason for one in decide(current, other).passed_over}
    assert ("scheme: loose" in said.get(other, "")) is helps


# -- newest ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "offered", "newest"),
    [
        ("2.0.0-rc.1", ["1.9.0"], "2.0.0-rc.1"),
        ("2.0.0-rc.1", ["1.9.0", "2.0.0"], "2.0.0"),
        ("1.5.0", ["1.4.0"], "1.5.0"),
        ("1.5.0", ["1.4.0", "1.6.0-rc.1"], "1.5.0"),
        ("1.28.3+k3s2", ["1.28.3+k3s1"], "1.28.3+k3s2"),
        ("1.5.0", ["20240116"], "1.5.0"),
    ],
)
def test_newest_never_names_an_older_version(current, offered, newest):
    assert decide(current, *offered).newest == newest


def test_newest_of_a_withdrawn_version_is_not_older_either():
    choice = choose(releases=offer("1.4.0"), current="1.5.0", follow=Follow(), now=NOW)
    assert (choice.status, choice.newest) == (Status.WITHDRAWN, None)
