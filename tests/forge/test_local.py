"""``--forge local``: the same manners with a branch and a text, told as stories on real git."""

from __future__ import annotations

import pytest

from upstreamsync.errors import RepositoryError
from upstreamsync.forge import open_forge
from upstreamsync.forge.rules.marker import find
from upstreamsync.model import Action
from upstreamsync.testing.git import git

NEXT = {"app": "v1.1.0"}


@pytest.fixture
def local(make_story):
    return make_story("app", kind="local")


def text(story, name: str = "app"):
    return story.gitops.path / ".git" / "upstreamsync" / f"{name}.md"


def head(story, branch: str = "upstreamsync/app") -> str | None:
    return story.repository.branch_commit(branch)


def test_a_branch_and_a_text_and_nothing_else(local):
    result = local.one(NEXT, edits=True)
    assert (result.action, result.number, result.url) == (Action.OPENED, None, str(text(local)))
    assert text(local).read_text().startswith("# Update app to v1.1.0\n\n<!-- upstreamsync -->\n")
    assert local.gitops.git("log", "--format=%s", "main..upstreamsync/app").splitlines() == [
        "Follow app v1.1.0",
        "Update app to v1.1.0",
    ]
    assert local.gitops.git("diff", "--stat", "main", "upstreamsync/app").count("|") == 4
    assert local.writes() == []


def test_again_and_nothing_happens(local):
    local.run(NEXT)
    before, words = head(local), text(local).read_bytes()
    assert local.one(NEXT).action is Action.UNCHANGED
    assert (head(local), text(local).read_bytes()) == (before, words)


def test_a_newer_version_replaces_it(local):
    local.run(NEXT)
    assert local.one({"app": "v1.2.0"}).action is Action.UPDATED
    assert local.gitops.git("log", "--format=%s", "main..upstreamsync/app") == "Update app to v1.2.0"
    assert find(text(local).read_text()).head == head(local)


def test_a_persons_commit_stays(local):
    local.run(NEXT)
    tree = local.gitops.git("rev-parse", "upstreamsync/app^{tree}")
    mine = git("commit-tree", tree, "-p", head(local), "-m", "mine", cwd=local.gitops.path, env=PERSON)
    local.gitops.git("update-ref", "refs/heads/upstreamsync/app", mine)
    result = local.one({"app": "v1.2.0"})
    assert result.action is Action.SKIPPED
    assert "Ann" in result.reason
    assert head(local) == mine
    assert "commits by Ann" in text(local).read_text()
    text(local).write_text(text(local).read_text().replace("- [ ] <!--", "- [x] <!--"))
    assert local.one({"app": "v1.2.0"}).action is Action.UPDATED


PERSON = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "ann@example.com"), ("DATE", "1700000000 +0000"))
}


def test_a_merge_ends_it_and_tidies_up(local):
    local.run(NEXT)
    local.gitops.git("merge", "-q", "--no-edit", "upstreamsync/app")
    assert local.run({}).pull_requests == ()
    assert head(local) is None
    assert not text(local).exists()


def test_what_is_no_longer_needed_goes(local):
    local.run(NEXT)
    (result,) = local.run({}).pull_requests
    assert result.action is Action.CLOSED
    assert head(local) is None
    assert not text(local).exists()


def test_a_conflict_is_rebuilt(local):
    local.run(NEXT, edits=True)
    old = head(local)
    local.gitops.write({"app/kustomization.yaml": "images:\n- newTag: v1.0.0\n  name: app\n"})
    local.gitops.commit("Reorder by hand")
    assert local.one(NEXT, edits=True).action is Action.UPDATED
    assert head(local) != old
    local.gitops.git("merge", "-q", "--no-edit", "upstreamsync/app")


def test_a_branch_that_is_checked_out_is_left_alone(local):
    local.run(NEXT)
    local.gitops.git("checkout", "-q", "upstreamsync/app")
    local.gitops.git("branch", "-f", "main", "HEAD~1")
    with pytest.raises(RepositoryError, match="is checked out"):
        open_forge(
            "local", repository=local.repository, configuration=local.configuration(), environment={}
        ).delete_branch("upstreamsync/app", expected=head(local))


def test_a_folder_of_ones_own(local, tmp_path):
    from upstreamsync.forge import submit

    forge = open_forge(
        "local",
        repository=local.repository,
        configuration=local.configuration(),
        environment={},
        folder=tmp_path / "out",
    )
    submit(
        [local.proposal(local.change("app", "v1.1.0"))],
        forge=forge,
        repository=local.repository,
        configuration=local.configuration(),
    )
    assert (tmp_path / "out" / "app.md").is_file()
    assert not text(local).exists()


def test_a_dry_run_leaves_no_trace(local):
    assert local.one(NEXT, dry_run=True).action is Action.OPENED
    assert head(local) is None
    assert not text(local).exists()


def test_an_unrelated_move_of_the_base_branch_rebuilds_nothing(make_story):
    story = make_story("app", "web", kind="local")
    story.run(NEXT)
    before = head(story)
    story.gitops.write({"vendors.yaml": story.document({"app": "v1.0.0", "web": "v1.0.9"})})
    story.gitops.commit("web v1.0.9")
    assert story.one(NEXT).action is Action.UNCHANGED
    assert head(story) == before
