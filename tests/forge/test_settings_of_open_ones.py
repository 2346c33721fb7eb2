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


@pytest.mark.parametrize("kind", ["github", "local"])
def test_a_branch_in_the_way_is_said(make_story, kind):
    story = make_story("app", kind=kind)
    story.gitops.git("branch", "upstreamsync", "main")
    story.gitops.git("push", "-q", "origin", "upstreamsync")
    result = story.one(NEXT)
    assert result.action is Action.FAILED
    assert "a branch is in the way" in result.error.hint
    assert "`forge.branch_prefix`" in result.error.hint
