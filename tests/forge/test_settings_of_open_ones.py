"""What vendors.yaml wants of a pull request takes effect on one that is open already."""

from __future__ import annotations

import pytest

from upstreamsync.forge.rules.marker import find
from upstreamsync.model import Action

NEXT = {"app": "v1.1.0"}


def asking(story, **wanted) -> Action:
    story.vendor_fields["app"] = {"pull_request": wanted}
    story.gitops.write({"vendors.yaml": story.document({"app": "v1.0.0"})})
    story.gitops.commit("Other settings")
    return story.one(NEXT).action


def test_labels_come_and_go_and_those_of_people_stay(make_story):
    story = make_story("app", app={"pull_request": {"labels": ["one", "two"]}})
    story.one(NEXT)
    story.pull.labels.append("theirs")
    assert asking(story, labels=["two", "three"]) is Action.UPDATED
    assert sorted(story.pull.labels) == ["theirs", "three", "two"]
    assert story.one(NEXT).action is Action.UNCHANGED
    assert asking(story) is Action.UPDATED
    assert story.pull.labels == ["theirs"]


def test_reviewers_and_assignees(make_story):
    story = make_story("app", app={"pull_request": {"reviewers": ["ann"]}})
    story.one(NEXT)
    assert asking(story, reviewers=["bob", "acme/team"], assignees=["cy"]) is Action.UPDATED
    assert (story.pull.reviewers, story.pull.assignees) == (["bob"], ["cy"])
    assert story.one(NEXT).action is Action.UNCHANGED
    assert asking(story, reviewers=["bob"]) is Action.UPDATED
    assert (story.pull.reviewers, story.pull.assignees) == (["bob"], [])


@pytest.mark.parametrize("first", [True, False])
def test_automerge_is_switched(make_story, first):
    story = make_story("app", app={"pull_request": {"automerge": first}})
    story.one(NEXT)
    assert (story.pull.auto_merge is not None) is first
    assert asking(story, automerge=not first) is Action.UPDATED
    assert (story.pull.auto_merge is not None) is not first
    assert story.one(NEXT).action is Action.UNCHANGED


def test_one_that_was_opened_without_any_gets_them(story):
    story.one(NEXT)
    assert find(story.pull.body).settings == {}
    assert asking(story, labels=["new"]) is Action.UPDATED
    assert story.pull.labels == ["new"]
    assert find(story.pull.body).settings == {"labels": ("new",)}


def test_a_dry_run_says_so_and_does_nothing(make_story):
    story = make_story("app", app={"pull_request": {"labels": ["one"]}})
    story.one(NEXT)
    story.vendor_fields["app"] = {"pull_request": {"labels": ["two"]}}
    story.gitops.write({"vendors.yaml": story.document({"app": "v1.0.0"})})
    story.gitops.commit("Other settings")
    story.writes()
    (result,) = story.run(NEXT, dry_run=True).pull_requests
    assert result.action is Action.UPDATED
    assert story.writes() == []
    assert story.pull.labels == ["one"]


def test_nothing_changed_writes_nothing(make_story):
    story = make_story("app", app={"pull_request": {"labels": ["one"], "reviewers": ["ann"]}})
    story.one(NEXT)
    story.writes()
    assert story.one(NEXT).action is Action.UNCHANGED
    assert story.writes() == []


@pytest.mark.parametrize(
    ("first", "then", "milestone"),
    [({}, {"milestone": "Q3"}, 1), ({"milestone": "Q3"}, {"milestone": "Q4"}, 2), ({"milestone": "Q3"}, {}, None)],
    ids=["set", "moved", "taken away"],
)  # fmt: skip
def test_milestones(make_story, first, then, milestone):
    story = make_story("app", app={"pull_request": first})
    for title in ("Q3", "Q4"):
        story.hub.milestone(title)
    story.one(NEXT)
    assert asking(story, **then) is Action.UPDATED
    assert story.pull.milestone == milestone
    assert story.one(NEXT).action is Action.UNCHANGED


def test_a_milestone_that_a_person_chose_stays(make_story):
    story = make_story("app", app={"pull_request": {"milestone": "Q3"}})
    for title in ("Q3", "Q4"):
        story.hub.milestone(title)
    story.one(NEXT)
    story.hub.issues[story.pull.number].milestone = 2
    assert asking(story) is Action.UPDATED
    assert story.pull.milestone == 2


def test_teams_come_and_go(make_story):
    story = make_story("app", app={"pull_request": {"reviewers": ["acme/sre", "ann"]}})
    story.one(NEXT)
    assert asking(story, reviewers=["ann", "acme/web"]) is Action.UPDATED
    assert (story.pull.reviewers, story.pull.team_reviewers) == (["ann"], ["web"])


@pytest.mark.parametrize("then", [["two", "one"], ["one", "two", "one"]], ids=["order", "twice"])
def test_the_same_in_other_words_is_no_change(make_story, then):
    story = make_story("app", app={"pull_request": {"labels": ["one", "two"]}})
    story.one(NEXT)
    assert asking(story, labels=then) is Action.UNCHANGED


@pytest.mark.parametrize(
    ("branch", "prefix", "fails"),
    [
        ("bot", "bot/updates/", True),
        ("bot/updates", "bot/updates/", True),
        ("upstreamsync/app/mine", None, True),
        ("upstreamsync-app", None, False),
        ("Upstreamsync", None, False),
        ("upstreamsync/web", None, False),
        ("upstreamsync", "bot/", False),
    ],
)
def test_branches_that_are_in_the_way_and_others(make_story, branch, prefix, fails):
    story = make_story("app", forge={"branch_prefix": prefix} if prefix else None)
    story.gitops.git("push", "-q", "origin", f"main:refs/heads/{branch}")
    result = story.one(NEXT)
    assert result.action is (Action.FAILED if fails else Action.OPENED)
    assert not fails or "a branch is in the way" in result.error.hint


def test_a_tag_of_that_name_is_in_nobodys_way(story):
    story.gitops.git("push", "-q", "origin", "main:refs/tags/upstreamsync")
    assert story.one(NEXT).action is Action.OPENED


@pytest.mark.parametrize("kind", ["github", "local"])
def test_a_branch_in_the_way_is_said(make_story, kind):
    story = make_story("app", kind=kind)
    story.gitops.git("branch", "upstreamsync", "main")
    story.gitops.git("push", "-q", "origin", "upstreamsync")
    result = story.one(NEXT)
    assert result.action is Action.FAILED
    assert "a branch is in the way" in result.error.hint
    assert "`forge.branch_prefix`" in result.error.hint
