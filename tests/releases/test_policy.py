"""What to move to, and why not elsewhere."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.config.spec import Follow
from upstreamsync.model import PassedOver, Release, Status
from upstreamsync.releases.policy import Choice, Policy, choose, explain, is_enough

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


def release(text: str, days: float | None = 100, **facts) -> Release:
    published = None if days is None else NOW - timedelta(days=days)
    return Release(version=text, ref=text, published=published, **facts)


def decide(offered, current="v1.0.0", **options) -> Choice:
    releases = [one if isinstance(one, Release) else release(one) for one in offered]
    follow = Follow.model_validate(options.pop("follow", {}))
    options.setdefault("cooldown", follow.cooldown)
    return choose(releases=releases, current=current, follow=follow, now=NOW, **options)


def reasons(choice: Choice) -> dict[str, str]:
    return {one.version: one.reason for one in choice.passed_over}


def test_the_newest_by_version_wins_whatever_the_order_and_the_dates():
    offered = [release("v1.1.9", 1), release("v1.2.0", 50), release("v1.0.5", 0), release("v1.0.0", 90)]
    for order in itertools.permutations(offered):
        choice = decide(order)
        assert choice.status is Status.OUTDATED
        assert [one.version for one in choice.candidates] == ["v1.2.0", "v1.1.9", "v1.0.5"]
        assert choice.newest == "v1.2.0"
        assert reasons(choice) == {"v1.1.9": "superseded by v1.2.0", "v1.0.5": "superseded by v1.2.0"}


def test_up_to_date():
    choice = decide(["v1.0.0", "v0.9.0"])
    assert (choice.status, choice.target, choice.newest) == (Status.UP_TO_DATE, None, "v1.0.0")
    assert choice.passed_over == ()


def test_another_spelling_of_the_current_version_is_the_current_version():
    assert decide(["1.0.0", "1.0"]).status is Status.UP_TO_DATE


@pytest.mark.parametrize(
    ("offered", "follow", "reason"),
    [
        ("v2.0.0-rc.1", {}, "a prerelease"),
        (release("v2.0.0", prerelease=True), {}, "a prerelease"),
        (release("v2.0.0", note="deprecated upstream: moved"), {}, "deprecated upstream: moved"),
        ("v3.0.0", {"range": ">=1 <3"}, "outside the range >=1 <3"),
        ("v2.0.0-rc.1", {"range": "^1", "prereleases": True}, "outside the range ^1"),
        ("v2.0.0", {"ignore": ["v2.0.0"]}, "ignored by `follow.ignore`"),
        ("v2.0.0", {"ignore": ["2.0.0"]}, "ignored by `follow.ignore` (2.0.0)"),
        ("v2.0.1", {"ignore": ["nonsense", "~2.0"]}, "ignored by `follow.ignore` (~2.0)"),
        ("v2.0.0-rc.1", {"ignore": [">=2-0"], "prereleases": True}, "ignored by `follow.ignore` (>=2-0)"),
        ("v2.0.0", {"max": "minor"}, "a major step, `follow.max: minor` holds it back"),
        ("v1.1.0", {"max": "patch"}, "a minor step, `follow.max: patch` holds it back"),
        (release("v2.0.0", 1), {"cooldown": "3d"}, "published 1 day ago, cooldown 3d"),
        (release("v2.0.0", 0.1), {"cooldown": "12h"}, "published 2 hours ago, cooldown 12h"),
        (release("v2.0.0", None), {"cooldown": "90m"}, "first seen just now, cooldown 90m"),
    ],
)
def test_reasons(offered, follow, reason):
    choice = decide([offered, "v1.0.0"], follow=follow)
    assert choice.target is None
    assert [one.reason for one in choice.passed_over] == [reason]


@pytest.mark.parametrize(
    ("offered", "follow"),
    [
        ("v2.0.0-rc.1", {"prereleases": True}),
        ("v2.0.0-rc.1", {"prereleases": True, "range": ">=1"}),
        ("v1.9.0", {"max": "minor"}),
        ("v1.0.1", {"max": "patch"}),
        ("v2.0.0", {"max": "major"}),
        ("v2.0.0", {"ignore": ["v2.0.1", "<2"]}),
        (release("v2.0.0", 3), {"cooldown": "3d"}),
        ("v2.9.1", {"range": "^1 || ^2"}),
    ],
)
def test_what_is_taken(offered, follow):
    choice = decide([offered, "v1.0.0"], follow=follow)
    assert choice.status is Status.OUTDATED
    assert choice.passed_over == ()


def test_pending_until_the_cooldown_is_over():
    choice = decide(
        [release("v2.0.0", 1), release("v1.5.0", 2), release("v1.0.0")], cooldown=timedelta(days=3)
    )
    assert (choice.status, choice.target, choice.newest) == (Status.PENDING, None, "v2.0.0")
    assert [one.until for one in choice.passed_over] == [NOW + timedelta(days=2), NOW + timedelta(days=1)]


def test_an_older_candidate_is_taken_while_the_newest_is_too_young():
    choice = decide(
        [release("v2.0.0", 1), release("v1.5.0", 20), release("v1.0.0")], cooldown=timedelta(days=3)
    )
    assert choice.status is Status.OUTDATED
    assert choice.target.version == "v1.5.0"
    assert reasons(choice) == {"v2.0.0": "published 1 day ago, cooldown 3d"}


def test_not_pending_when_something_else_holds_it_back():
    choice = decide([release("v2.0.0", 1), "v1.0.0"], follow={"max": "minor", "cooldown": "3d"})
    assert choice.status is Status.UP_TO_DATE


def test_first_sight_stands_in_for_a_date():
    offered = [release("v2.0.0", None), release("v1.0.0", None)]
    young = decide(offered, cooldown=timedelta(days=3), first_seen={"v2.0.0": NOW - timedelta(days=1)})
    old = decide(offered, cooldown=timedelta(days=3), first_seen={"v2.0.0": NOW - timedelta(days=3)})
    assert young.passed_over == (
        PassedOver(
            version="v2.0.0", reason="first seen 1 day ago, cooldown 3d", until=NOW + timedelta(days=2)
        ),
    )
    assert old.target.version == "v2.0.0"


def test_withdrawn_still_says_where_to_go():
    choice = decide(["v1.1.0", "v0.9.0"])
    assert choice.status is Status.WITHDRAWN
    assert choice.target.version == "v1.1.0"
    assert decide(["v0.9.0"]).status is Status.WITHDRAWN


def test_a_prerelease_moves_on_to_its_own_release():
    choice = decide(["v2.0.0-rc.1", "v2.0.0-rc.2", "v2.1.0-rc.1"], current="v2.0.0-rc.1")
    assert choice.target.version == "v2.0.0-rc.2"
    assert reasons(choice) == {"v2.1.0-rc.1": "a prerelease"}
    assert decide(["v2.0.0-rc.1", "v2.0.0"], current="v2.0.0-rc.1").target.version == "v2.0.0"
    held = decide(["v2.0.0-rc.1", "v2.0.0-rc.2"], current="v2.0.0-rc.1", follow={"range": ">=2.0-0 <3"})
    assert held.target.version == "v2.0.0-rc.2"


def test_a_short_tag_that_points_at_another_is_not_a_version_to_move_to():
    choice = decide(["2", "2.1", "2.1.3", "2.1.4", "2.2", "1.0.0"], current="1.0.0")
    assert choice.target.version == "2.2", "nothing else has its number, so it is a version"
    assert reasons(choice)["2.1"] == "says less than 2.1.4, and may move with it"
    assert reasons(choice)["2"] == "says less than 2.2, and may move with it"
    assert decide(["2", "1"], current="1").target.version == "2"


def test_charts_and_controllers_in_one_list_do_not_mix():
    offered = ["controller-v1.12.0", "helm-chart-4.12.0", "controller-v1.11.5", "helm-chart-4.11.5"]
    choice = decide(offered, current="controller-v1.11.5", scheme="loose")
    assert (choice.target.version, choice.newest) == ("controller-v1.12.0", "controller-v1.12.0")
    assert reasons(choice)["helm-chart-4.12.0"] == "named unlike the current version controller-v1.11.5"


def test_a_rebuild_is_a_patch():
    choice = decide(
        ["1.8.3.4", "1.8.3.3", "1.9.0.1"], current="1.8.3.3", scheme="loose", follow={"max": "patch"}
    )
    assert choice.target.version == "1.8.3.4"


def test_commits_have_the_order_of_the_list():
    first, second, third = "a" * 40, "b" * 40, "c" * 40
    assert decide([first, second, third], current=second).target.version == first
    assert decide([first], current=first).status is Status.UP_TO_DATE
    assert decide([first], current="d" * 40).target.version == first, "a branch has moved on"
    assert decide([first], current="main").target.version == first
    pending = decide([release(first, None)], current=second, cooldown=timedelta(days=1))
    assert pending.status is Status.PENDING
    assert decide([first], current=second, follow={"ignore": ["aaaaaaa"]}).status is Status.UP_TO_DATE


def test_a_current_version_that_is_none_can_not_be_compared():
    choice = decide(["v2.0.0"], current="latest")
    assert choice.status is Status.WITHDRAWN
    assert reasons(choice) == {"v2.0.0": "can't be compared with the current version latest"}
    assert decide(["v2.0.0", "latest"], current="latest").status is Status.UP_TO_DATE


def test_explain_has_a_reason_for_every_version():
    offered = [
        release(text) for text in ("v2.0.0-rc.1", "v1.2.0", "v1.1.0", "v1.0.0", "1.0.0", "v0.9.0", "nightly")
    ]
    said = explain(releases=offered, current="v1.0.0", follow=Follow(), now=NOW)
    assert [(one.version, one.reason) for one in said] == [
        ("v2.0.0-rc.1", "a prerelease"),
        ("v1.2.0", "the version to move to"),
        ("v1.1.0", "superseded by v1.2.0"),
        ("v1.0.0", "the current version"),
        ("1.0.0", "the same version as the current one, v1.0.0"),
        ("v0.9.0", "older than the current version v1.0.0"),
        ("nightly", "not a version in the scheme semver"),
    ]


def test_explain_names_a_current_version_that_is_gone():
    said = explain(
        releases=[release("v1.1.0"), release("v0.9.0")], current="v1.0.0", follow=Follow(), now=NOW
    )
    assert [(one.version, one.reason) for one in said][1] == (
        "v1.0.0",
        "the current version, which is not on offer",
    )


# -- how far to read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "follow", "enough"),
    [
        (["v1.1.0", "v1.0.0"], {}, True),
        (["v1.0.0", "v0.9.0"], {}, True),
        (["v1.1.0"], {}, False),
        (["v2.0.0", "v1.0.0"], {"range": "^1"}, False),
        (["v2.0.0", "v1.1.0", "v1.0.0"], {"range": "^1"}, True),
        (["v2.0.0", "v1.0.0"], {"max": "minor"}, False),
        (["v2.0.0-rc.1", "v1.0.0"], {}, True),
        ([], {}, False),
    ],
)
def test_when_further_pages_are_needed(offered, follow, enough):
    policy = Policy(current="v1.0.0", follow=Follow.model_validate(follow), now=NOW)
    assert is_enough([release(one) for one in offered], policy) is enough


# -- always ------------------------------------------------------------------------------------------

_versions = st.builds(
    lambda a, b, c, pre: f"{a}.{b}.{c}{pre}",
    st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.sampled_from(["", "", "", "-rc.1", "-rc.2"]),
)  # fmt: skip
_offers = st.lists(
    st.builds(release, _versions, st.sampled_from([0, 1, 5, None])), max_size=8, unique_by=lambda r: r.version
)
_follows = st.fixed_dictionaries(
    {},
    optional={
        "range": st.sampled_from(["^1", ">=1 <3", "~1.2 || ^2"]),
        "prereleases": st.booleans(),
        "ignore": st.lists(_versions, max_size=2),
        "max": st.sampled_from(["major", "minor", "patch"]),
        "cooldown": st.sampled_from(["3d", "12h"]),
    },
)


@given(_offers, _versions, _follows, st.randoms())
def test_every_newer_version_is_taken_or_has_a_reason(offered, current, follow, random):
    choice = decide(offered, current=current, follow=follow)
    shuffled = list(offered)
    random.shuffle(shuffled)
    assert decide(shuffled, current=current, follow=follow) == choice, "the order of the list does not matter"
    passed = {one.version for one in choice.passed_over}
    newer = {one.version for one in offered if _newer(one.version, current)}
    assert passed | ({choice.target.version} if choice.target else set()) == newer
    assert all(_newer(one.version, current) for one in choice.candidates)
    said = explain(releases=offered, current=current, follow=Follow.model_validate(follow), now=NOW)
    assert {one.version for one in said} == {one.version for one in offered} | {current}


def _newer(text: str, than: str) -> bool:
    def key(version: str):
        numbers, _, pre = version.partition("-")
        return [int(part) for part in numbers.split(".")], pre == "", pre

    return key(text) > key(than)
