"""GitHub on a bad day, and repositories that are not like others; told as stories."""

from __future__ import annotations

import shutil

import pytest

from upstreamsync.errors import Denied, ForgeError, NotFound, RateLimited, Unreachable
from upstreamsync.forge.github.errors import refusal
from upstreamsync.forge.rules.marker import find
from upstreamsync.model import Action
from upstreamsync.testing import Fault
from upstreamsync.testing.git import git

NEXT = {"app": "v1.1.0"}
PULLS = "*/repos/acme/gitops/pulls"


def test_a_pull_request_whose_answer_got_lost_is_found_by_the_next_run(story):
    story.world.fault(PULLS, Fault.reset(), method="POST", times=1, done=True)
    result = story.one(NEXT)
    assert (result.action, result.error.kind) == (Action.FAILED, "unreachable")
    assert story.one(NEXT).action is Action.UNCHANGED
    assert len(story.hub.pulls()) == 1


def test_a_push_whose_answer_got_lost_is_found_by_the_next_run(story):
    story.world.fault("*/git-receive-pack", Fault.reset(), method="POST", times=1, done=True)
    assert story.one(NEXT).action is Action.FAILED
    assert story.head() is not None
    assert story.one(NEXT).action is Action.OPENED


def test_an_update_whose_push_got_lost(story):
    story.run(NEXT)
    story.world.fault("*/git-receive-pack", Fault.reset(), method="POST", times=1, done=True)
    assert story.one({"app": "v1.2.0"}).action is Action.FAILED
    assert story.one({"app": "v1.2.0"}).action is Action.UPDATED
    assert find(story.pull.body).head == story.head()
    assert story.pull.comments == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.status(500), "unreachable"),
        (Fault.status(403, message="API rate limit exceeded for user"), "rate-limited"),
        (
            Fault.status(429, retry_after=60, message="You have exceeded a secondary rate limit"),
            "rate-limited",
        ),
        (Fault.status(401, message="Bad credentials"), "denied"),
        (Fault.reset(), "unreachable"),
    ],
)
def test_a_list_that_github_does_not_give_fails_every_proposal(make_story, fault, kind):
    story = make_story("app", "web")
    story.world.fault(PULLS, fault)
    outcome = story.run({"app": "v1.1.0", "web": "v1.1.0"})
    assert [(each.action, each.error.kind) for each in outcome.pull_requests] == [(Action.FAILED, kind)] * 2
    assert story.gitops.origin.branches().keys() == {"main"}
    story.world.heal()
    assert {each.action for each in story.run({"app": "v1.1.0", "web": "v1.1.0"}).pull_requests} == {
        Action.OPENED
    }


def test_statuses_that_may_not_be_set_are_a_remark(story):
    story.world.fault("*/statuses/*", Fault.status(403, message="Resource not accessible by integration"))
    outcome = story.run(NEXT)
    assert outcome.pull_requests[0].action is Action.OPENED
    assert any("set commit statuses" in remark for remark in outcome.remarks)


def test_a_repository_without_drafts_gets_an_open_one(story, judged):
    story.world.fault(
        PULLS,
        Fault.status(422, message="Draft pull requests are not supported in this repository."),
        method="POST",
        times=1,
    )
    outcome = story.run(NEXT, judged=judged.bad)
    assert outcome.pull_requests[0].action is Action.OPENED
    assert not story.pull.draft
    assert "[!WARNING]" in story.pull.body
    assert any("no drafts" in remark for remark in outcome.remarks)


def test_a_shallow_clone_is_enough(story, tmp_path):
    """As actions/checkout makes it."""
    story.gitops.commit("One more")
    shallow = tmp_path / "shallow"
    git("clone", "-q", "--depth=1", story.gitops.origin.url, str(shallow), cwd=tmp_path)
    shutil.rmtree(story.gitops.path)
    shallow.rename(story.gitops.path)
    assert story.one(NEXT).action is Action.OPENED
    story.gitops.origin.commit({"other": "x"}, author="Ann <a@b.c>")
    assert story.one({"app": "v1.2.0"}).action is Action.UPDATED
    assert story.gitops.origin.log("upstreamsync/app", since="main") == ["Update app to v1.2.0"]


def test_another_clone_of_the_repository_goes_on_where_the_first_one_stopped(story, tmp_path):
    """Each run of a workflow starts from nothing: all memory is at GitHub."""
    story.run(NEXT)
    shutil.rmtree(story.gitops.path)
    git("clone", "-q", story.gitops.origin.url, str(story.gitops.path), cwd=tmp_path)
    assert story.one(NEXT).action is Action.UNCHANGED
    assert story.one({"app": "v1.2.0"}).action is Action.UPDATED


@pytest.mark.parametrize("asked_by", ["vendors.yaml", "git"])
def test_commits_are_signed_as_the_users_git_signs(make_story, tmp_path, asked_by):
    story = make_story("app", forge={"sign": True} if asked_by == "vendors.yaml" else None)
    key = tmp_path / "key"
    from upstreamsync.kit.run import process

    process.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    for name, value in (("gpg.format", "ssh"), ("user.signingkey", str(key))):
        story.gitops.git("config", name, value)
    story.gitops.git("config", "commit.gpgsign", "true" if asked_by == "git" else "false")
    assert story.one(NEXT).action is Action.OPENED
    commit = git("cat-file", "commit", "upstreamsync/app", cwd=story.gitops.origin.path)
    assert "-----BEGIN SSH SIGNATURE-----" in commit
    # A signature is new each time; that alone is no reason to push.
    assert story.one(NEXT).action is Action.UNCHANGED


@pytest.mark.parametrize(
    ("status", "data", "headers", "kind", "words"),
    [
        (401, {"message": "Bad credentials"}, {}, Denied, "expired"),
        (403, {"message": "no"}, {"X-Accepted-GitHub-Permissions": "contents=write,workflows=write; x=read"}, Denied,
         "contents: write and workflows: write or x: read"),
        (404, {"message": "Not Found"}, {"X-OAuth-Scopes": "gist", "X-Accepted-OAuth-Scopes": "repo"}, Denied,
         "give it the scope repo"),
        (404, {"message": "Not Found"}, {"X-OAuth-Scopes": "repo", "X-Accepted-OAuth-Scopes": "repo"}, NotFound,
         "GITHUB_REPOSITORY"),
        (404, None, None, NotFound, "GITHUB_REPOSITORY"),
        (403, {"message": "Resource not accessible"}, None, Denied, "pull requests: write"),
        (403, {"message": "secondary rate limit"}, {"Retry-After": "60"}, RateLimited, "in 60 s"),
        (502, "<html>", {}, Unreachable, "later"),
        (422, {"message": "Invalid", "errors": [{"field": "head", "code": "missing"}, "odd"]}, {}, ForgeError, ""),
    ],
)  # fmt: skip
def test_refusals_say_what_to_do(status, data, headers, kind, words):
    error = refusal("list things", status=status, data=data, headers=headers)
    assert type(error) is kind
    assert "list things" in error.message
    assert words in (error.hint or "")
    if status == 422:
        assert error.message.endswith("Invalid; head missing; odd")
