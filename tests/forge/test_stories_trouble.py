"""What goes wrong, and heals: cuts, races, refusals, tokens; told as stories."""

from __future__ import annotations

import pytest

from upstreamsync.errors import Denied, RepositoryError, Unreachable
from upstreamsync.forge import write_notices
from upstreamsync.forge.rules.marker import find
from upstreamsync.model import Action, Failure

NEXT = {"app": "v1.1.0"}


class Cut(BaseException):
    """The power goes."""


class CutBefore:
    """A forge whose run is cut before it does one thing for the nth time."""

    def __init__(self, forge, method: str, nth: int = 1) -> None:
        self._forge, self._method, self._left = forge, method, nth

    def __getattr__(self, name):
        given = getattr(self._forge, name)
        if name != self._method:
            return given
        self._left -= 1
        if self._left > 0:
            return given

        def cut(*args, **kwargs):
            raise Cut

        return cut


def cut(story, method: str, nth: int, wanted) -> None:
    story.wrap = lambda forge: CutBefore(forge, method, nth)
    with pytest.raises(Cut):
        story.run(wanted)
    story.wrap = None


# -- a run that is cut, anywhere ---------------------------------------------------------------------


def test_a_run_cut_between_push_and_pull_request_is_completed(story):
    cut(story, "open", 1, NEXT)
    head = story.head()
    assert head is not None
    assert story.hub.pulls() == []
    result = story.one(NEXT)
    assert (result.action, result.reason) == (Action.OPENED, "the branch was pushed by an earlier run")
    assert story.head() == head
    assert story.one(NEXT).action is Action.UNCHANGED


def test_after_such_a_cut_a_newer_version_takes_over(story):
    cut(story, "open", 1, NEXT)
    assert story.one({"app": "v1.2.0"}).action is Action.OPENED
    assert story.gitops.origin.log("upstreamsync/app", since="main") == ["Update app to v1.2.0"]


def test_after_such_a_cut_a_branch_that_nobody_needs_goes(story):
    cut(story, "open", 1, NEXT)
    assert story.run({}).pull_requests == ()
    assert story.head() is None


@pytest.mark.parametrize(("method", "nth"), [("edit", 1), ("push", 1), ("edit", 2), ("set_statuses", 1)])
def test_an_update_cut_anywhere_is_completed(story, method, nth):
    story.run(NEXT)
    cut(story, method, nth, {"app": "v1.2.0"})
    assert story.one({"app": "v1.2.0"}).action in (Action.UPDATED, Action.UNCHANGED)
    marker = find(story.pull.body)
    assert (marker.head, marker.next) == (story.head(), None)
    assert set(story.hub.status_of(story.head())) == {"upstreamsync/patches", "upstreamsync/render"}
    assert story.one({"app": "v1.2.0"}).action is Action.UNCHANGED
    assert story.pull.comments == []


def test_a_cut_update_followed_by_a_newer_version(story):
    story.run(NEXT)
    cut(story, "edit", 2, {"app": "v1.2.0"})
    assert story.one({"app": "v1.3.0"}).action is Action.UPDATED
    assert find(story.pull.body).head == story.head()


@pytest.mark.parametrize("method", ["comment", "close", "delete_branch"])
def test_a_closing_cut_anywhere_is_completed(story, method):
    story.run(NEXT)
    cut(story, method, 1, {})
    story.run({})
    assert story.hub.pulls("open") == []
    assert story.head() is None
    assert len(story.hub.pull(1).comments) == 1
    assert story.one(NEXT).action is Action.OPENED


# -- races -------------------------------------------------------------------------------------------


def test_already_exists_is_an_update(story):
    """Another run opened it between our look and our opening."""
    story.run(NEXT)

    class Blind:
        def __init__(self, forge):
            self._forge = forge
            self._looked = False

        def __getattr__(self, name):
            return getattr(self._forge, name)

        def open_pull_requests(self, prefix):
            if prefix == "upstreamsync/" and not self._looked:
                self._looked = True
                return []
            return self._forge.open_pull_requests(prefix)

        def past_pull_requests(self, branch):
            return []

    story.wrap = Blind
    assert story.one({"app": "v1.2.0"}).number == 1
    story.wrap = None
    assert len(story.hub.pulls()) == 1
    assert find(story.pull.body).head == story.head()
    assert story.one({"app": "v1.2.0"}).action is Action.UNCHANGED


def test_a_branch_that_moves_meanwhile_is_not_overwritten(story):
    story.run(NEXT)
    seen = {}

    class Slow:
        def __init__(self, forge):
            self._forge = forge

        def __getattr__(self, name):
            return getattr(self._forge, name)

        def push(self, branch, commit, *, expected):
            seen["head"] = story.human_commit()
            self._forge.push(branch, commit, expected=expected)

    story.wrap = Slow
    result = story.one({"app": "v1.2.0"})
    assert (result.action, result.error.kind) == (Action.FAILED, "push-refused")
    assert story.head() == seen["head"]
    story.wrap = None
    assert story.one({"app": "v1.2.0"}).action is Action.SKIPPED
    assert story.head() == seen["head"]


def test_the_base_branch_moves_during_the_run(story):
    class Slow:
        def __init__(self, forge):
            self._forge = forge

        def __getattr__(self, name):
            return getattr(self._forge, name)

        def push(self, branch, commit, *, expected):
            story.gitops.origin.commit({"app/kustomization.yaml": "images: []\n"}, author="Ann <a@b.c>")
            self._forge.push(branch, commit, expected=expected)

    story.wrap = Slow
    assert story.one(NEXT, edits=True).action is Action.OPENED
    story.wrap = None
    # The edit is in conflict now; the base alone is what is left of it.
    assert story.one(NEXT).action is Action.UPDATED
    story.hub.merge(story.pull.number)


def test_two_runs_at_once(story):
    with story.repository.lock(), pytest.raises(RepositoryError, match="another run"):
        story.run(NEXT)
    assert story.one(NEXT).action is Action.OPENED


# -- refusals ----------------------------------------------------------------------------------------


def test_a_forge_that_is_down_is_told_as_a_failure(story):
    story.environment["GITHUB_API_URL"] = "http://127.0.0.1:9/api/v3"
    forge = story.forge()
    with pytest.raises(Unreachable):
        forge.open_pull_requests("upstreamsync/")


def test_a_token_that_lacks_a_permission_is_told_which(story):
    rights = {"contents": "write", "metadata": "read", "pull_requests": "read"}
    story.world.github.token("weak", permissions=rights, scopes=None, kind="integration")
    story.environment["GITHUB_TOKEN"] = "weak"
    result = story.one(NEXT)
    assert result.action is Action.FAILED
    assert result.error.kind == "denied"
    assert "pull_requests: write" in result.error.hint


def test_a_token_that_lacks_a_scope_is_told_which(story):
    story.world.github.token("weak", scopes=("read:org",))
    story.environment["GITHUB_TOKEN"] = "weak"
    result = story.one(NEXT)
    assert (result.action, result.error.kind) == (Action.FAILED, "denied")
    assert "scope" in result.error.hint


def test_a_workflows_own_token_is_told_plainly(story):
    story.environment["GITHUB_ACTIONS"] = "true"
    outcome = story.run(NEXT)
    assert "starts no workflows" in outcome.remarks[0]
    story.environment["UPSTREAMSYNC_TOKEN"] = "another"
    assert story.run(NEXT).remarks == ()


def test_without_a_token_it_says_what_to_do(story):
    story.environment["GITHUB_TOKEN"] = ""
    with pytest.raises(Denied) as refusal:
        story.forge()
    assert "--forge local" in refusal.value.hint


def test_a_github_app_signs_in_by_its_key(story):
    app = story.world.github.app(7)
    story.environment |= {
        "GITHUB_TOKEN": "",
        "UPSTREAMSYNC_APP_ID": "7",
        "UPSTREAMSYNC_APP_KEY": app.private_key,
    }
    assert story.one(NEXT).action is Action.OPENED
    assert story.pull.author == "upstreamsync[bot]"


def test_half_an_app_is_refused(story):
    story.environment["UPSTREAMSYNC_APP_ID"] = "7"
    with pytest.raises(Denied, match="both"):
        story.forge()


def test_an_unknown_forge_is_refused(story):
    story.kind = "gerrit"
    with pytest.raises(Exception, match="there is no forge `gerrit`"):
        story.forge()


# -- failure is a product ----------------------------------------------------------------------------


def test_patches_that_need_a_person_make_a_draft(story, judged):
    result = story.one(NEXT, judged=judged.bad)
    assert (result.action, result.draft, story.pull.draft) == (Action.OPENED, True, True)
    assert "[!WARNING]" in story.pull.body
    assert "aim it at `new-name`" in story.pull.body
    states = {status.context: status.state for status in story.hub.status_of(story.head()).values()}
    assert states == {"upstreamsync/patches": "failure", "upstreamsync/render": "success"}


def test_the_broken_item_is_shown_with_the_old_and_the_new_object(story, judged):
    item = judged.item(
        "lost",
        "silent-break",
        resources=("apps/v1 Deployment prod/app",),
        paths=("spec.template.spec.containers[name=app].image",),
        why="the container was renamed",
    )
    story.run(NEXT, judged=judged.of(item))
    body = story.pull.body
    assert "image: example.com/app:v1.0.0" in body
    assert "image: example.com/app:v1.1.0" in body
    assert body.index("before:") < body.index("example.com/app:v1.0.0") < body.index("after:")


def test_a_draft_becomes_ready_when_the_next_version_is_fine(story, judged):
    story.run(NEXT, judged=judged.bad)
    story.run({"app": "v1.2.0"})
    assert not story.pull.draft
    story.run({"app": "v1.3.0"}, judged=judged.bad)
    assert story.pull.draft


def test_a_person_may_call_it_ready(story, judged):
    story.run(NEXT, judged=judged.bad)
    story.pull.draft = False
    assert story.one(NEXT, judged=judged.bad).action is Action.UNCHANGED
    assert not story.pull.draft


def test_a_vendor_that_fails_gets_one_notice_until_it_is_well(story):
    down = Failure(kind="unreachable", message="example.com does not answer", hint="is it up?")
    forge = story.forge()
    assert write_notices(forge, failures={"app": down}, healthy=[]) == ("opened notice #1 about app",)
    (issue,) = story.hub.notes()
    assert (issue.title, issue.labels) == ("upstreamsync can't follow app", ["upstreamsync"])
    assert "is it up?" in issue.body
    assert write_notices(story.forge(), failures={"app": down}, healthy=[]) == ()
    gone = Failure(kind="not-found", message="@all see #1 <b>")
    assert write_notices(story.forge(), failures={"app": gone}, healthy=[]) == (
        "updated notice #1 about app",
    )
    assert len(story.hub.notes()) == 1
    assert write_notices(story.forge(), failures={}, healthy=["web"]) == ()
    assert write_notices(story.forge(), failures={}, healthy=["app"]) == ("closed notice #1 about app",)
    (issue,) = story.hub.notes()
    assert issue.state == "closed"
    assert write_notices(story.forge(), failures={"app": down}, healthy=[]) == ("opened notice #2 about app",)


# -- beside the text ---------------------------------------------------------------------------------

PEOPLE = {
    "labels": ["dependencies"],
    "reviewers": ["human", "acme/sre"],
    "assignees": ["human"],
    "milestone": "Q3",
}


def test_labels_reviewers_assignees_and_the_milestone_are_set_once(make_story):
    story = make_story("app", app={"pull_request": PEOPLE})
    story.hub.milestone("Q3")
    outcome = story.run(NEXT)
    assert outcome.remarks == ()
    pull = story.pull
    assert (pull.labels, pull.reviewers, pull.team_reviewers) == (["dependencies"], ["human"], ["sre"])
    assert (pull.assignees, pull.milestone) == (["human"], 1)
    # What people take off again stays off.
    pull.labels.clear()
    pull.reviewers.clear()
    story.run({"app": "v1.2.0"})
    assert (story.pull.labels, story.pull.reviewers) == ([], [])


def test_a_reviewer_whom_github_refuses_does_not_stop_it(make_story):
    story = make_story("app", app={"pull_request": {"reviewers": ["nobody"], "milestone": "Q9"}})
    story.world.github.strangers.add("nobody")
    outcome = story.run(NEXT)
    assert outcome.pull_requests[0].action is Action.OPENED
    assert any("nobody" in remark for remark in outcome.remarks)
    assert "there is no open milestone `Q9`" in outcome.remarks


def test_automerge_needs_the_wish_and_every_verdict_ok(make_story, judged):
    story = make_story("app", "web", app={"pull_request": {"automerge": True}})
    story.run({"app": "v1.1.0", "web": "v1.1.0"})
    pulls = {pull.head: pull for pull in story.hub.pulls()}
    assert pulls["upstreamsync/app"].auto_merge is not None
    assert pulls["upstreamsync/web"].auto_merge is None
    story.run({"app": "v1.2.0"}, judged=judged.of(judged.item("redundant", "cleanup")), settled={})
    assert pulls["upstreamsync/app"].auto_merge is None


def test_statuses_are_set_once(story):
    story.run(NEXT)
    story.run(NEXT)
    assert len([status for status in story.hub.statuses if status.sha == story.head()]) == 2


def test_commits_are_made_by_the_bot_of_the_configuration(make_story):
    story = make_story("app", forge={"bot_name": "acme bot", "bot_email": "bot@acme.example"})
    story.run(NEXT)
    from upstreamsync.testing.git import git

    made = git("log", "-1", "--format=%an %ae %cn %ce", "upstreamsync/app", cwd=story.gitops.origin.path)
    assert made == "acme bot bot@acme.example acme bot bot@acme.example"
    assert story.one(NEXT).action is Action.UNCHANGED


def test_pushes_use_the_token_and_nobody_elses(story):
    """The git side of GitHub wants the token too; what the user's git has for that host steps back."""
    import base64

    story.world.protect("/git/", "x-access-token", "any")
    story.gitops.git("config", "http.extraHeader", "Authorization: Basic d3Jvbmc6d3Jvbmc=")
    key = f"http.{story.world.url}/.extraHeader"
    story.gitops.git("config", key, "Authorization: Basic d3Jvbmc6d3Jvbmc=")
    own = base64.b64encode(b"x-access-token:any").decode()
    story.monkeypatch.setattr(
        type(story), "base_commit", lambda self: self.repository.resolve("refs/remotes/origin/main")
    )
    assert story.one(NEXT).action is Action.OPENED
    sent = [each.headers.get("authorization") for each in story.world.requests if "/git/" in each.path]
    assert set(sent) == {f"Basic {own}"}


def test_a_persons_own_automerge_is_left_alone(make_story, judged):
    story = make_story("app", "web", web={"pull_request": {"automerge": True}})
    story.run({"app": "v1.1.0", "web": "v1.1.0"})
    pulls = {pull.head.rpartition("/")[2]: pull for pull in story.hub.pulls()}
    # Somebody wants the one and not the other.
    pulls["app"].auto_merge, pulls["app"].auto_merge_by = "squash", "human"
    pulls["web"].auto_merge = None
    story.run({"app": "v1.1.0", "web": "v1.1.0"})
    assert pulls["web"].auto_merge is None
    story.run({"app": "v1.2.0"}, judged=judged.of(judged.item("redundant", "cleanup")), settled={})
    assert pulls["app"].auto_merge == "squash"


def test_nothing_merges_by_itself_that_was_not_verified(make_story):
    from upstreamsync.model import Verification

    story = make_story("app", app={"pull_request": {"automerge": True}})
    story.run(NEXT, judged=Verification())
    assert story.pull.auto_merge is None
