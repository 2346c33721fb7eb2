"""Pull requests with manners, told as stories on real git and a GitHub that checks every request."""

from __future__ import annotations

import pytest

from upstreamsync.forge.rules.marker import find
from upstreamsync.forge.state import REBUILD_LABEL
from upstreamsync.model import Action

NEXT = {"app": "v1.1.0"}


def tick(story) -> None:
    """A person ticks the box in the description."""
    pull = story.pull
    pull.body = pull.body.replace(
        "- [ ] <!-- upstreamsync:rebuild -->", "- [x] <!-- upstreamsync:rebuild -->"
    )
    assert "[x]" in pull.body


# -- identity and idempotence ------------------------------------------------------------------------


def test_the_first_run_opens_one_pull_request_with_two_commits(story):
    result = story.one(NEXT, edits=True)
    pull = story.pull
    assert (result.action, result.number, result.branch) == (Action.OPENED, pull.number, "upstreamsync/app")
    assert (pull.title, pull.base, pull.draft) == ("Update app to v1.1.0", "main", False)
    assert story.gitops.origin.log("upstreamsync/app", since="main") == [
        "Follow app v1.1.0",
        "Update app to v1.1.0",
    ]
    base, edits = (set(story.gitops.origin.files(f"upstreamsync/app{back}")) for back in ("~1", ""))
    assert base == edits
    assert b"newTag: v1.0.0" in story.gitops.origin.read("app/kustomization.yaml", "upstreamsync/app~1")
    assert b"newTag: v1.1.0" in story.gitops.origin.read("app/kustomization.yaml", "upstreamsync/app")
    marker = find(pull.body)
    assert (marker.key, marker.steps) == ("app", (("app", "v1.0.0", "v1.1.0"),))
    assert marker.head == story.head()


def test_the_second_run_changes_nothing_at_all(story):
    story.run(NEXT)
    body, head = story.pull.body, story.head()
    story.writes()
    result = story.one(NEXT)
    assert (result.action, result.number) == (Action.UNCHANGED, story.pull.number)
    assert story.writes() == []
    assert (story.pull.body, story.head()) == (body, head)


def test_the_page_of_another_run_is_no_change(story):
    story.run(NEXT, page="https://example.com/runs/1")
    body = story.pull.body
    assert "](https://example.com/runs/1) is among its artifacts." in body
    story.writes()
    assert story.one(NEXT, page="https://example.com/runs/2").action is Action.UNCHANGED
    assert story.writes() == []
    story.run({"app": "v1.2.0"}, page="https://example.com/runs/3")
    assert "runs/3)" in story.pull.body
    assert "runs/1)" not in story.pull.body


def test_it_is_found_again_whatever_its_title(story):
    story.run(NEXT)
    story.pull.title = "Please hold this one back"
    assert story.one(NEXT).action is Action.UNCHANGED
    assert story.one({"app": "v1.2.0"}).action is Action.UPDATED
    assert story.pull.title == "Please hold this one back"
    assert len(story.hub.pulls()) == 1


def test_a_newer_version_updates_the_same_pull_request(story):
    first = story.one(NEXT)
    result = story.one({"app": "v1.2.0"})
    assert (result.action, result.number) == (Action.UPDATED, first.number)
    assert story.pull.title == "Update app to v1.2.0"
    assert "v1.2.0" in story.pull.body
    assert "v1.1.0" not in story.pull.body
    # Rebuilt, not piled up.
    assert story.gitops.origin.log("upstreamsync/app", since="main") == ["Update app to v1.2.0"]


def test_the_same_version_with_another_result_is_rebuilt(story):
    """Changed configuration, or new tool versions: the lock or the base differs."""
    story.run(NEXT)
    result = story.one(NEXT, content=story.content("app", "v1.1.0") + "# rendered by a newer helm\n")
    assert result.action is Action.UPDATED
    assert b"newer helm" in story.gitops.origin.read("app/upstream/install.yaml", "upstreamsync/app")


def test_other_words_alone_edit_the_description_and_push_nothing(story, judged):
    story.run(NEXT)
    head = story.head()
    story.writes()
    result = story.one(NEXT, judged=judged.of(judged.item(), judged.item(item="apps/prod: images[0]")))
    assert result.action is Action.UPDATED
    assert "2 ok" in story.pull.body
    assert story.head() == head
    assert not any("receive-pack" in write for write in story.writes())


def test_words_of_people_around_our_text_stay(story):
    story.run(NEXT)
    story.pull.body = f"Ann: wait for Monday.\r\n\r\n{story.pull.body}\r\n\r\nBob: fine."
    assert story.one(NEXT).action is Action.UNCHANGED
    assert story.one({"app": "v1.2.0"}).action is Action.UPDATED
    assert story.pull.body.startswith("Ann: wait for Monday.")
    assert story.pull.body.endswith("Bob: fine.")
    assert find(story.pull.body).steps == (("app", "v1.0.0", "v1.2.0"),)


def test_a_description_that_lost_its_marker_gets_it_back(story):
    story.run(NEXT)
    head = story.head()
    story.pull.body = "Ann: I rewrote this."
    assert story.one(NEXT).action is Action.UPDATED
    assert find(story.pull.body).head == head == story.head()
    assert "Ann: I rewrote this." in story.pull.body
    assert story.one(NEXT).action is Action.UNCHANGED


# -- the base branch ---------------------------------------------------------------------------------


def test_an_unrelated_move_of_the_base_branch_rebuilds_nothing(make_story):
    story = make_story("app", "web")
    story.run(NEXT)
    head = story.head()
    # Another vendor's version line, in the file that our branch changes too.
    story.gitops.write({"vendors.yaml": story.document({"app": "v1.0.0", "web": "v1.0.9"})})
    story.gitops.commit("web v1.0.9")
    assert story.one(NEXT).action is Action.UNCHANGED
    assert story.head() == head


def test_a_conflict_with_the_base_branch_is_solved_by_rebuilding(story):
    story.run(NEXT, edits=True)
    old = story.head()
    story.gitops.write({"app/kustomization.yaml": "images:\n- newTag: v1.0.0\n  name: app\n"})
    story.gitops.commit("Reorder by hand")
    result = story.one(NEXT, edits=True)
    assert result.action is Action.UPDATED
    assert story.head() != old
    assert story.gitops.origin.log("upstreamsync/app", since="main") == [
        "Follow app v1.1.0",
        "Update app to v1.1.0",
    ]
    story.hub.merge(story.pull.number)


def test_another_base_branch_is_followed(make_story):
    story = make_story("app")
    story.run(NEXT)
    story.gitops.origin.commit({"x": "y"}, branch="release", start="main")
    story.vendor_fields["app"] = {"pull_request": {"base": "release"}}
    story.gitops.write({"vendors.yaml": story.document({"app": "v1.0.0"})})
    story.gitops.commit("Go to release")
    assert story.one(NEXT).action is Action.UPDATED
    assert story.pull.base == "release"


# -- people come first -------------------------------------------------------------------------------


def test_a_persons_commit_is_never_overwritten(story):
    story.run(NEXT)
    head = story.human_commit()
    result = story.one({"app": "v1.2.0"})
    assert result.action is Action.SKIPPED
    assert "Ann Human" in result.reason
    assert story.head() == head
    assert "commits by Ann Human" in story.pull.body
    assert "`v1.2.0`" in story.pull.body
    (comment,) = story.pull.comments
    assert "Nothing of yours is overwritten" in comment.body


def test_it_is_said_once(story):
    story.run(NEXT)
    story.human_commit()
    story.run({"app": "v1.2.0"})
    story.writes()
    story.run({"app": "v1.2.0"})
    assert story.writes() == []
    story.human_commit()
    story.run({"app": "v1.3.0"})
    assert len(story.pull.comments) == 1
    assert "`v1.3.0`" in story.pull.body
    assert story.pull.body.count("[!NOTE]") == 1


def test_an_amended_commit_is_a_persons_too(story):
    """The author is still ours, the head is not."""
    story.run(NEXT)
    bot = "upstreamsync <upstreamsync@users.noreply.github.com>"
    head = story.hub.push_commit_as_human("upstreamsync/app", {"app/x.yaml": "a: 1\n"}, author=bot)
    assert story.one({"app": "v1.2.0"}).action is Action.SKIPPED
    assert story.head() == head


def test_a_branch_that_was_set_back_is_left_alone(story):
    story.run(NEXT, edits=True)
    story.gitops.origin.delete("refs/heads/upstreamsync/app")
    raise_to = find(story.hub.pulls()[0].body).head + "~1"
    story.gitops.git("push", "-q", "origin", f"{raise_to}:refs/heads/upstreamsync/app")
    story.hub.reopen(1)
    head = story.head()
    assert story.one({"app": "v1.2.0"}, edits=True).action is Action.SKIPPED
    assert story.head() == head


def test_the_box_asks_for_a_rebuild(story):
    story.run(NEXT)
    story.human_commit()
    story.run({"app": "v1.2.0"})
    tick(story)
    result = story.one({"app": "v1.2.0"})
    assert (result.action, result.reason) == (Action.UPDATED, "a rebuild was asked for")
    assert story.gitops.origin.log("upstreamsync/app", since="main") == ["Update app to v1.2.0"]
    assert "[x]" not in story.pull.body
    assert "[!NOTE]" not in story.pull.body
    assert story.one({"app": "v1.2.0"}).action is Action.UNCHANGED


def test_so_does_the_label(story):
    story.run(NEXT)
    story.human_commit()
    story.hub.add_label(story.pull.number, REBUILD_LABEL)
    assert story.one(NEXT).action is Action.UPDATED
    assert story.pull.labels == []
    assert story.gitops.origin.log("upstreamsync/app", since="main") == ["Update app to v1.1.0"]


def test_a_branch_of_that_name_that_a_person_made_is_left_alone(story):
    story.gitops.origin.commit({"mine": "x"}, branch="upstreamsync/app", start="main", author="Ann <a@b.c>")
    head = story.head()
    result = story.one(NEXT)
    assert result.action is Action.SKIPPED
    assert "commits by Ann" in result.reason
    assert story.head() == head
    assert story.hub.pulls() == []


# -- the end of a pull request -----------------------------------------------------------------------


def test_a_merge_ends_the_matter(story):
    story.run(NEXT)
    story.hub.merge(story.pull.number)
    assert story.version_of("app") == "v1.1.0"
    assert story.run({}).pull_requests == ()
    # What the merge left behind is tidied up.
    assert story.head() is None
    assert [pull.number for pull in story.hub.pulls()] == [1]


def test_a_squash_merge_ends_it_too(story):
    story.run(NEXT)
    story.hub.merge(story.pull.number, method="squash")
    assert story.run({}).pull_requests == ()
    assert story.head() is None


def test_what_was_merged_is_not_proposed_again_when_it_is_reverted(story):
    story.run(NEXT)
    story.hub.merge(story.pull.number)
    story.gitops.git("pull", "-q", "origin", "main")
    story.gitops.git("revert", "--no-edit", "-m", "1", "HEAD")
    story.gitops.commit("Undo")
    result = story.one(NEXT)
    assert (result.action, result.reason) == (Action.SKIPPED, "#1 brought this and was merged")
    assert story.one({"app": "v1.2.0"}).action is Action.OPENED


def test_closing_unmerged_mutes_that_version_until_a_newer_one(story):
    story.run(NEXT)
    story.hub.close(story.pull.number)
    story.writes()
    result = story.one(NEXT)
    assert result.action is Action.SKIPPED
    assert "#1 for this version was closed without merging" in result.reason
    assert story.writes() == []
    result = story.one({"app": "v1.2.0"})
    assert (result.action, result.number) == (Action.OPENED, 2)


def test_closing_a_major_step_mutes_that_major(story):
    story.run({"app": "v2.0.0"})
    story.hub.close(story.pull.number)
    assert "this major version" in story.one({"app": "v2.1.0"}).reason
    assert story.one(NEXT).action is Action.OPENED
    story.hub.close(story.pull.number)
    assert story.one({"app": "v3.0.0"}).action is Action.OPENED


def test_a_closed_one_comes_back_when_its_box_is_ticked(story):
    story.run(NEXT)
    tick(story)
    story.hub.close(1)
    assert story.one(NEXT).action is Action.OPENED


def test_deleting_the_branch_is_closing(story):
    story.run(NEXT)
    story.gitops.origin.delete("refs/heads/upstreamsync/app")
    assert story.one(NEXT).action is Action.SKIPPED


def test_what_is_no_longer_needed_is_closed_with_its_reason(story):
    story.run(NEXT)
    (result,) = story.run({}).pull_requests
    pull = story.hub.pull(1)
    assert (result.action, pull.state) == (Action.CLOSED, "closed")
    assert "app stays at v1.0.0" in pull.comments[-1].body
    assert story.head() is None
    # We closed it ourselves, so that mutes nothing.
    assert story.one(NEXT).action is Action.OPENED


def test_a_vendor_that_could_not_be_looked_at_keeps_its_pull_request(story):
    story.run(NEXT)
    assert story.run({}, settled={}).pull_requests == ()
    assert story.pull.number == 1


def test_a_vendor_that_is_no_longer_configured_loses_it(make_story):
    story = make_story("app", "web")
    story.run(NEXT)
    story.gitops.write({"vendors.yaml": story.document({"web": "v1.0.0"})})
    story.gitops.commit("Without app")
    (result,) = story.run({}).pull_requests
    assert (result.action, result.reason) == (Action.CLOSED, "app is no longer configured")


def test_one_that_a_person_touched_is_not_closed(story):
    story.run(NEXT)
    head = story.human_commit()
    (result,) = story.run({}).pull_requests
    assert result.action is Action.SKIPPED
    assert story.pull.number == 1
    assert story.head() == head
    assert "it is left to you" in story.pull.comments[-1].body
    story.run({})
    assert len(story.pull.comments) == 1


@pytest.mark.parametrize("needed", [True, False])
def test_a_dry_run_leaves_no_trace(story, needed):
    story.run(NEXT)
    head, body = story.head(), story.pull.body
    story.writes()
    outcome = story.run({"app": "v1.2.0"} if needed else {}, dry_run=True)
    assert [each.action for each in outcome.pull_requests] == [Action.UPDATED if needed else Action.CLOSED]
    assert story.writes() == []
    assert (story.head(), story.pull.body) == (head, body)
