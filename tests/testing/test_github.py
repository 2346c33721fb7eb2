"""The GitHub server, looked at with PyGithub; the `world` fixture validates every call it makes."""

from datetime import UTC, datetime

import github
import httpx
import pytest
from github import Auth, Github, GithubException

from upstreamsync.testing import World

#: PyGithub waits between requests, and longer between writes.
FAST = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0}


@pytest.fixture
def hub(world):
    with Github(base_url=world.github.url, auth=Auth.Token("any"), **FAST) as client:
        yield client


@pytest.fixture
def repo(gitops, hub):
    """A repository with one commit on main and one more on the branch `topic`."""
    gitops.origin.commit({"a.txt": "one\n"}, "First")
    gitops.origin.commit({"a.txt": "two\n"}, "Second", branch="topic", start="main")
    return hub.get_repo("acme/gitops")


@pytest.fixture
def pull(repo):
    return repo.create_pull(base="main", head="topic", title="Move", body="text")


def test_a_pull_request_is_opened_listed_and_edited(repo, pull, gitops):
    assert (pull.number, pull.state, pull.merged, pull.mergeable) == (1, "open", False, True)
    assert pull.head.sha == gitops.origin.sha("topic")
    assert (pull.commits, pull.additions, pull.deletions, pull.changed_files) == (1, 1, 1, 1)
    pull.edit(title="Move on", body="more")
    (found,) = repo.get_pulls(state="open", head="acme:topic", base="main")
    assert (found.title, found.body, found.user.login) == ("Move on", "more", "upstreamsync-bot")
    assert list(repo.get_pulls(state="open", head="acme:other")) == []
    assert [commit.commit.message for commit in pull.get_commits()] == ["Second"]
    assert [file.filename for file in pull.get_files()] == ["a.txt"]
    pull.edit(state="closed")
    assert [one.number for one in repo.get_pulls(state="closed")] == [1]
    assert gitops.github.pull(1).closed_by == "upstreamsync-bot"
    pull.edit(state="open")
    assert gitops.github.pull(1).open


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"head": "topic"}, "A pull request already exists for acme:topic."),
        ({"head": "same"}, "No commits between main and same"),
        ({"head": "gone"}, "'field': 'head', 'code': 'invalid'"),
        ({"head": "topic", "base": "gone"}, "'field': 'base', 'code': 'invalid'"),
    ],
)
def test_refusals_have_githubs_words(repo, pull, gitops, fields, words):
    repo.create_git_ref("refs/heads/same", gitops.origin.sha("main"))
    with pytest.raises(GithubException) as refusal:
        repo.create_pull(**{"base": "main", "title": "x", **fields})
    assert refusal.value.status == 422
    assert words in str(refusal.value.data["errors"])


def test_a_push_updates_and_a_deleted_branch_closes(repo, pull, gitops):
    sha = gitops.github.push_commit_as_human("topic", {"b.txt": "mine\n"})
    pull.update()
    assert (pull.head.sha, pull.commits) == (sha, 2)
    branch = repo.get_git_ref("heads/topic")
    branch.delete()
    pull.update()
    assert (pull.state, pull.merged) == ("closed", False)
    assert gitops.github.pull(1).closed_by == "upstreamsync-bot"
    with pytest.raises(GithubException) as refusal:
        branch.delete()
    assert refusal.value.status == 422


def test_people_merge_by_button_or_by_push(repo, pull, gitops):
    gitops.github.merge(1, delete=True)
    pull.update()
    assert (pull.state, pull.merged, pull.merged_by.login) == ("closed", True, "human")
    assert gitops.origin.read("a.txt") == b"two\n"
    assert "topic" not in gitops.origin.branches()
    assert [commit.commit.message for commit in pull.get_commits()] == ["Second"]

    gitops.origin.commit({"a.txt": "three\n"}, "Third", branch="next", start="main")
    second = repo.create_pull(base="main", head="next", title="Next")
    gitops.git("fetch", "-q", "origin")
    gitops.git("push", "-q", "origin", "origin/next:main")
    second.update()
    assert (second.state, second.merged) == ("closed", True)


def test_a_conflict_is_not_mergeable(repo, pull, gitops):
    gitops.origin.commit({"a.txt": "else\n"}, "Theirs")
    pull.update()
    assert (pull.mergeable, pull.mergeable_state) == (False, "dirty")
    with pytest.raises(GithubException) as refusal:
        pull.merge()
    assert refusal.value.status == 405
    with pytest.raises(ValueError, match="can't be merged"):
        gitops.github.merge(1)


def test_comments_labels_reviewers_and_assignees(repo, pull, gitops):
    comment = pull.create_issue_comment("hello")
    comment.edit("hello again")
    gitops.github.comment(1, "and me", author="ann")
    bodies = [(one.user.login, one.body) for one in pull.get_issue_comments()]
    assert bodies == [("upstreamsync-bot", "hello again"), ("ann", "and me")]
    comment.delete()
    assert len(gitops.github.pull(1).comments) == 1
    pull.add_to_labels("upgrade", "review")
    pull.remove_from_labels("review")
    assert [label.name for label in pull.get_labels()] == ["upgrade"]
    pull.create_review_request(reviewers=["ann"], team_reviewers=["platform"])
    pull.add_to_assignees("ann", "bob")
    users, teams = pull.get_review_requests()
    assert ([user.login for user in users], [team.slug for team in teams]) == (["ann"], ["platform"])
    milestone = gitops.github.milestone("v1")
    pull.as_issue().edit(milestone=repo.get_milestone(milestone.number))
    (listed,) = repo.get_pulls()
    assert [user.login for user in listed.assignees] == ["ann", "bob"]
    assert listed.milestone.title == "v1"
    with pytest.raises(GithubException, match="author"):
        pull.create_review_request(reviewers=["upstreamsync-bot"])


def test_issues(repo, pull, gitops):
    repo.create_label("broken", "ff0000", "does not work")
    issue = repo.create_issue("acme can't be fetched", body="why", labels=["broken"])
    issue.edit(body="still")
    gitops.github.comment(issue.number, "looking")
    found = repo.get_issues(state="open", labels=["broken"], creator="upstreamsync-bot")
    assert [(one.number, one.body, one.comments) for one in found] == [(2, "still", 1)]
    assert {one.number: one.pull_request is not None for one in repo.get_issues()} == {2: False, 1: True}
    issue.edit(state="closed", state_reason="completed")
    assert [one.state for one in gitops.github.notes()] == ["closed"]
    assert repo.get_issue(2).closed_by.login == "upstreamsync-bot"


def test_statuses_of_a_commit(repo, pull):
    commit = repo.get_commit(pull.head.sha)
    commit.create_status("pending", context="upstreamsync/patches")
    commit.create_status("success", description="fine", context="upstreamsync/patches")
    commit.create_status("failure", context="upstreamsync/render", target_url="https://example.com/x")
    assert [status.state for status in commit.get_statuses()] == ["failure", "success", "pending"]
    combined = commit.get_combined_status()
    assert (combined.state, combined.total_count) == ("failure", 2)
    with pytest.raises(GithubException):
        commit.create_status("success", description="x" * 141)


def test_draft_and_auto_merge_go_through_graphql(repo, gitops):
    pull = repo.create_pull(base="main", head="topic", title="Move", draft=True)
    assert pull.draft
    pull.mark_ready_for_review()
    assert not gitops.github.pull(1).draft
    pull.enable_automerge("SQUASH")
    assert gitops.github.pull(1).auto_merge == "squash"
    assert repo.get_pull(1).raw_data["auto_merge"]["merge_method"] == "squash"
    pull.convert_to_draft()
    assert gitops.github.pull(1).draft
    gitops.github.allow_auto_merge = False
    pull.mark_ready_for_review()
    with pytest.raises(GithubException, match="Auto merge is not allowed"):
        pull.enable_automerge()


def test_branches_refs_commits_contents_compare(repo, gitops):
    assert repo.default_branch == "main"
    assert [branch.name for branch in repo.get_branches()] == ["main", "topic"]
    assert repo.get_branch("topic").commit.commit.message == "Second"
    assert repo.get_git_ref("heads/main").object.sha == gitops.origin.sha("main")
    assert [one.ref for one in repo.get_git_matching_refs("heads/")] == [
        "refs/heads/main",
        "refs/heads/topic",
    ]
    assert repo.get_contents("a.txt", ref="topic").decoded_content == b"two\n"
    compared = repo.compare("main", "topic")
    assert (compared.status, compared.ahead_by, compared.total_commits) == ("ahead", 1, 1)
    assert [commit.commit.message for commit in repo.get_commits(sha="topic")] == ["Second", "First"]
    repo.create_git_ref("refs/heads/new/one", gitops.origin.sha("main"))
    repo.get_git_ref("heads/new/one").edit(gitops.origin.sha("topic"), force=False)
    assert gitops.origin.sha("new/one") == gitops.origin.sha("topic")
    with pytest.raises(github.UnknownObjectException):
        repo.get_branch("none")
    with pytest.raises(github.UnknownObjectException):
        repo.get_contents("none.txt")


def test_releases_and_tags_are_paged(world, hub):
    upstream = world.github.repository("acme/tool")
    for minor in range(45):
        day = datetime(2024, 1, 1 + minor % 28, tzinfo=UTC)
        upstream.release(f"v1.{minor}.0", published=day, prerelease=minor == 44)
    upstream.release("v2.0.0", draft=True)
    repo = hub.get_repo("acme/tool")
    tags = [release.tag_name for release in repo.get_releases()]
    assert (len(tags), tags[0]) == (45, "v1.44.0")
    assert "v2.0.0" not in tags  # a draft, and we may not push there
    assert len(list(repo.get_tags())) == 45
    assert world.count("/api/v3/repos/acme/tool/releases") == 2
    assert repo.get_latest_release().tag_name == "v1.27.0"
    upstream.remove("v1.44.0")
    with pytest.raises(github.UnknownObjectException):
        repo.get_release("v1.44.0")


def test_assets_have_digests_and_are_served(world, hub):
    import hashlib

    upstream = world.github.repository("acme/tool")
    upstream.release(
        "v1", assets={"install.yaml": "a: 1\n", "old.yaml": "b: 2\n"}, digests={"old.yaml": None}
    )
    install, old = hub.get_repo("acme/tool").get_release("v1").assets
    body = httpx.get(install.browser_download_url).content
    assert body == b"a: 1\n"
    assert install.raw_data["digest"] == "sha256:" + hashlib.sha256(body).hexdigest()
    assert old.raw_data["digest"] is None


def test_tags_come_from_git(world, hub):
    remote = world.git("upstream")
    first = remote.commit({"x": "1"}, "One", tag="v1.0.0")
    remote.commit({"x": "2"}, "Two")
    remote.tag("v1.1.0")
    world.github.repository("acme/tool", git=remote)
    repo = hub.get_repo("acme/tool")
    assert {tag.name: tag.commit.sha for tag in repo.get_tags()} == {
        "v1.0.0": first,
        "v1.1.0": remote.sha("main"),
    }
    annotated = repo.get_git_ref("tags/v1.0.0").object
    assert annotated.type == "tag"
    assert repo.get_git_tag(annotated.sha).object.sha == first


def test_a_304_is_free_and_the_rest_is_counted(world):
    world.github.repository("acme/tool").release("v1")
    url = f"{world.github.url}/repos/acme/tool/releases"
    first = httpx.get(url)
    assert first.headers["x-ratelimit-limit"] == "5000"
    again = httpx.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, world.github.used) == (304, 1)
    world.github.rate_limit = 1
    refused = httpx.get(url)
    assert refused.status_code == 403
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert "API rate limit exceeded" in refused.json()["message"]


def test_tokens_have_owners_scopes_and_permissions(world, repo, gitops):
    hub = world.github
    hub.token("classic", login="ann", scopes=("repo",))
    hub.token("narrow", scopes=("gist",))
    hub.token("fine", scopes=None, permissions={"contents": "write"})
    hub.token("actions", login="github-actions[bot]", kind="integration", scopes=None)

    def ask(token):
        return Github(base_url=hub.url, auth=Auth.Token(token), **FAST)

    client = ask("classic")
    assert client.get_user().login == "ann"
    assert client.oauth_scopes == ["repo"]
    with pytest.raises(github.BadCredentialsException):
        ask("unknown").get_repo("acme/gitops")
    for token, status in (("narrow", 404), ("fine", 403)):
        with pytest.raises(GithubException) as refusal:
            ask(token).get_repo("acme/gitops").create_pull(base="main", head="topic", title="x")
        assert refusal.value.status == status
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        _ = ask("actions").get_user().login
    made = ask("actions").get_repo("acme/gitops").create_pull(base="main", head="topic", title="x")
    assert made.user.type == "Bot"
    with pytest.raises(GithubException) as refusal:
        Github(base_url=hub.url, **FAST).get_repo("acme/gitops").create_issue("x")
    assert refusal.value.status == 401


def test_an_app_gets_a_token_for_its_installation(world, gitops):
    gitops.origin.commit({"a": "1"}, "First")
    gitops.origin.commit({"a": "2"}, "Second", branch="topic", start="main")
    app = world.github.app(7, slug="sync")
    auth = Auth.AppAuth(7, app.private_key)
    integration = github.GithubIntegration(auth=auth, base_url=world.github.url, **FAST)
    installed = integration.get_repo_installation("acme", "gitops")
    assert installed.id == app.installation
    client = installed.get_github_for_installation()
    pull = client.get_repo("acme/gitops").create_pull(base="main", head="topic", title="x")
    assert pull.user.login == "sync[bot]"
    other = World()
    with other:
        wrong = other.github.app(7, slug="sync")
    forged = github.GithubIntegration(auth=Auth.AppAuth(7, wrong.private_key), base_url=world.github.url)
    with pytest.raises(GithubException) as refusal:
        forged.get_repo_installation("acme", "gitops")
    assert refusal.value.status == 401


def test_what_the_world_lacks_is_said_aloud():
    with World() as world:
        answer = httpx.get(f"{world.github.url}/repos/acme/gitops/stargazers")
        assert answer.status_code == 501
        assert world.github.violations == [
            "GET /repos/acme/gitops/stargazers: the test world has no such operation"
        ]


def test_what_was_forced_elsewhere_can_not_be_reopened(repo, pull, gitops):
    pull.edit(state="closed")
    gitops.github.push_commit_as_human("topic", {"b.txt": "more"})
    pull.edit(state="open")
    assert pull.state == "open"
    pull.edit(state="closed")
    gitops.origin.delete("refs/heads/topic")
    gitops.origin.commit({"a.txt": "anew\n"}, "Anew", branch="topic", start="main")
    with pytest.raises(GithubException, match="force-pushed"):
        pull.edit(state="open")
    successor = repo.create_pull(base="main", head="topic", title="Again")
    with pytest.raises(GithubException, match="already an open pull request"):
        pull.as_issue().edit(state="open")
    assert successor.number == 2


def test_pushes_with_a_password_and_a_lease(world, repo, gitops):
    from upstreamsync.errors import ToolFailed

    world.protect("/git/acme/gitops.git/", "x-access-token", "secret")
    gitops.write({"c.txt": "1"})
    gitops.commit("Mine", push=False)
    with pytest.raises(ToolFailed):
        gitops.git("fetch", "-q", gitops.origin.url)
    url = gitops.origin.url.replace("://", "://x-access-token:secret@")
    old = gitops.origin.sha("topic")
    gitops.git("push", "-q", f"--force-with-lease=topic:{old}", url, "HEAD:topic")
    gitops.commit("Later", push=False)
    with pytest.raises(ToolFailed, match="failed to push"):
        gitops.git("push", "-q", f"--force-with-lease=topic:{old}", url, "HEAD:topic")
    assert gitops.origin.log("topic") == ["Mine"]
