"""GitHub's answers as complete objects: every property that its OpenAPI description requires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from upstreamsync.testing.github.state import Comment, Issue, Milestone, Pull

if TYPE_CHECKING:
    from upstreamsync.testing.github.repository import Repository

Json = dict[str, Any]

#: URL properties of a repository, with what follows the repository's own URL.
_REPOSITORY_URLS: Mapping[str, str] = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}

_USER_URLS: Mapping[str, str] = {
    "events_url": "/events{/privacy}",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
    "repos_url": "/repos",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
}

_ZEROS = (
    "forks",
    "forks_count",
    "network_count",
    "open_issues",
    "open_issues_count",
    "size",
    "stargazers_count",
    "subscribers_count",
    "watchers",
    "watchers_count",
)


def stamp(when: datetime | None) -> str | None:
    """GitHub's way to write a time."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the server is, as this client sees it; makes accounts and repositories with URLs that lead there."""

    root: str

    @property
    def api(self) -> str:
        """The API's own root."""
        return f"{self.root}/api/v3"

    def repo_api(self, repo: Repository) -> str:
        """The repository's URL in the API."""
        return f"{self.api}/repos/{repo.full_name}"

    def repo_html(self, repo: Repository) -> str:
        """The repository's page."""
        return f"{self.root}/{repo.full_name}"

    def user(self, login: str) -> Json:
        """An account; whose name ends in [bot] is one."""
        url = f"{self.api}/users/{login}".replace("[", "%5B").replace("]", "%5D")
        number = sum(ord(letter) * 31**place for place, letter in enumerate(login)) % 10**8
        return {
            "login": login,
            "id": number,
            "node_id": f"U_{number}",
            "avatar_url": f"{self.root}/avatars/{number}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.root}/{login}".replace("[", "%5B").replace("]", "%5D"),
            "type": "Bot" if login.endswith("[bot]") else "User",
            "site_admin": False,
            "user_view_type": "public",
            **{name: url + rest for name, rest in _USER_URLS.items()},
        }

    def full_user(self, login: str) -> Json:
        """The account that asks."""
        names = ("name", "company", "blog", "location", "email", "hireable", "bio")
        counts = ("public_repos", "public_gists", "followers", "following")
        dates = dict.fromkeys(("created_at", "updated_at"), "2020-01-01T00:00:00Z")
        return {**self.user(login), **dict.fromkeys(names), **dict.fromkeys(counts, 0), **dates}

    def repository(self, repo: Repository) -> Json:
        """A repository with all its URLs."""
        api, html = self.repo_api(repo), self.repo_html(repo)
        clone = repo.git.url if repo.git else f"{html}.git"
        flags = (
            "fork",
            "disabled",
            "has_discussions",
            "has_downloads",
            "has_pages",
            "has_projects",
            "has_wiki",
        )
        return {
            "id": repo.id,
            "node_id": f"R_{repo.id}",
            "name": repo.name,
            "full_name": repo.full_name,
            "owner": self.user(repo.owner),
            "private": repo.private,
            "visibility": "private" if repo.private else "public",
            "html_url": html,
            "url": api,
            "clone_url": clone,
            "git_url": clone,
            "ssh_url": f"git@example.com:{repo.full_name}.git",
            "svn_url": html,
            "default_branch": repo.default_branch,
            "archived": repo.archived,
            "has_issues": True,
            "allow_auto_merge": repo.allow_auto_merge,
            "permissions": {"admin": False, "push": repo.push_access, "pull": True},
            **dict.fromkeys(flags, False),
            **dict.fromkeys(_ZEROS, 0),
            **dict.fromkeys(("description", "homepage", "language", "license", "mirror_url")),
            **dict.fromkeys(("created_at", "pushed_at", "updated_at"), "2024-01-01T00:00:00Z"),
            **{name: api + rest for name, rest in _REPOSITORY_URLS.items()},
        }

    def label(self, repo: Repository, name: str) -> Json:
        """A label."""
        label = repo.label(name)
        return {
            "id": label.id,
            "node_id": f"LA_{label.id}",
            "url": f"{self.repo_api(repo)}/labels/{name}",
            "name": label.name,
            "color": label.color,
            "description": label.description,
            "default": False,
        }

    def milestone(self, repo: Repository, milestone: Milestone) -> Json:
        """A milestone."""
        url = f"{self.repo_api(repo)}/milestones/{milestone.number}"
        return {
            "id": milestone.id,
            "node_id": f"MI_{milestone.id}",
            "number": milestone.number,
            "title": milestone.title,
            "state": milestone.state,
            "url": url,
            "html_url": f"{self.repo_html(repo)}/milestone/{milestone.number}",
            "labels_url": f"{url}/labels",
            "creator": self.user("human"),
            "created_at": stamp(milestone.created),
            "updated_at": stamp(milestone.created),
            **dict.fromkeys(("description", "closed_at", "due_on")),
            **dict.fromkeys(("open_issues", "closed_issues"), 0),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(Places):
    """Everything else that has URLs of the server: issues, pull requests, comments."""

    def _shared(self, repo: Repository, issue: Issue) -> Json:
        """What issues and pull requests have in common."""
        people = [self.user(login) for login in issue.assignees]
        milestone = repo.milestones.get(issue.milestone or 0)
        return {
            "id": issue.id,
            "number": issue.number,
            "title": issue.title,
            "body": issue.body,
            "state": issue.state,
            "locked": False,
            "active_lock_reason": None,
            "user": self.user(issue.author),
            "labels": [self.label(repo, name) for name in issue.labels],
            "assignee": people[0] if people else None,
            "assignees": people,
            "milestone": self.milestone(repo, milestone) if milestone else None,
            "author_association": "CONTRIBUTOR",
            "created_at": stamp(issue.created),
            "updated_at": stamp(issue.updated),
            "closed_at": stamp(issue.closed),
        }

    def issue(self, repo: Repository, issue: Issue) -> Json:
        """An issue, or a pull request in its issue's form."""
        api, pull = self.repo_api(repo), isinstance(issue, Pull)
        url = f"{api}/issues/{issue.number}"
        page = f"{self.repo_html(repo)}/{'pull' if pull else 'issues'}/{issue.number}"
        value = {
            **self._shared(repo, issue),
            "node_id": f"{'PR' if pull else 'I'}_{repo.id}_{issue.number}",
            "url": url,
            "repository_url": api,
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": page,
            "comments": len(issue.comments),
            "state_reason": issue.state_reason,
            "closed_by": self.user(issue.closed_by) if issue.closed_by else None,
        }
        if isinstance(issue, Pull):
            value["draft"] = issue.draft
            value["pull_request"] = {
                "url": f"{api}/pulls/{issue.number}",
                "html_url": page,
                "diff_url": f"{page}.diff",
                "patch_url": f"{page}.patch",
                "merged_at": stamp(issue.merged),
            }
        return value

    def pull(self, repo: Repository, pull: Pull, *, full: bool = True) -> Json:
        """A pull request; ``full`` as it stands alone, else as in a list."""
        api, page = self.repo_api(repo), f"{self.repo_html(repo)}/pull/{pull.number}"
        url, issue = f"{api}/pulls/{pull.number}", f"{api}/issues/{pull.number}"
        links = {
            "self": url,
            "html": page,
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{api}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{api}/statuses/{pull.head_sha}",
        }
        value = {
            **self._shared(repo, pull),
            "node_id": f"PR_{repo.id}_{pull.number}",
            "url": url,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "issue_url": issue,
            **{f"{name}_url": link for name, link in links.items() if name not in {"self", "html", "issue"}},
            "_links": {name: {"href": link} for name, link in links.items()},
            "head": self._side(repo, pull.head, pull.head_sha),
            "base": self._side(repo, pull.base, pull.base_sha),
            "draft": pull.draft,
            "merged_at": stamp(pull.merged),
            "merge_commit_sha": pull.merge_sha,
            "requested_reviewers": [self.user(login) for login in pull.reviewers],
            "requested_teams": [self._team(repo, slug) for slug in pull.team_reviewers],
            "auto_merge": self._auto_merge(pull),
        }
        return {**value, **self._merge_state(repo, pull)} if full else value

    def _merge_state(self, repo: Repository, pull: Pull) -> Json:
        merge = repo.merge_of(pull)
        clean = merge.tree is not None
        state = "draft" if pull.draft else "clean" if clean else "dirty"
        return {
            "merged": pull.merged is not None,
            "merged_by": self.user(pull.merged_by) if pull.merged_by else None,
            "mergeable": clean if pull.open else None,
            "mergeable_state": state if pull.open else "unknown",
            "rebaseable": clean if pull.open else None,
            "comments": len(pull.comments),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": merge.commits,
            "additions": merge.additions,
            "deletions": merge.deletions,
            "changed_files": merge.files,
        }

    def _side(self, repo: Repository, branch: str, sha: str) -> Json:
        return {
            "label": f"{repo.owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self.user(repo.owner),
            "repo": self.repository(repo),
        }

    def _team(self, repo: Repository, slug: str) -> Json:
        url = f"{self.api}/orgs/{repo.owner}/teams/{slug}"
        return {
            "id": 1,
            "node_id": f"T_{slug}",
            "name": slug,
            "slug": slug,
            "description": None,
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "permission": "push",
            "url": url,
            "html_url": f"{self.root}/orgs/{repo.owner}/teams/{slug}",
            "members_url": f"{url}/members{{/member}}",
            "repositories_url": f"{url}/repos",
            "type": "organization",
            "parent": None,
        }

    def _auto_merge(self, pull: Pull) -> Json | None:
        if not pull.auto_merge:
            return None
        return {
            "enabled_by": self.user(pull.auto_merge_by or "human"),
            "merge_method": pull.auto_merge,
            "commit_title": pull.title,
            "commit_message": "",
        }

    def comment(self, repo: Repository, number: int, comment: Comment) -> Json:
        """A comment."""
        return {
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "url": f"{self.repo_api(repo)}/issues/comments/{comment.id}",
            "html_url": f"{self.repo_html(repo)}/issues/{number}#issuecomment-{comment.id}",
            "issue_url": f"{self.repo_api(repo)}/issues/{number}",
            "user": self.user(comment.author),
            "body": comment.body,
            "author_association": "CONTRIBUTOR",
            "created_at": stamp(comment.created),
            "updated_at": stamp(comment.updated),
        }
