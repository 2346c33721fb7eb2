"""Operations on pull requests."""

from __future__ import annotations

from collections.abc import Mapping

from upstreamsync.testing.git import git
from upstreamsync.testing.github import history
from upstreamsync.testing.github.objects import Json
from upstreamsync.testing.github.requests import Ask, Handler, Out, Problem, invalid
from upstreamsync.testing.github.state import Pull


def find(ask: Ask) -> Out:
    """List pull requests by state, head and base."""
    query, repo = ask.call.query, ask.repo
    found = repo.pulls(query.get("state", "open"))
    if head := query.get("head"):
        owner, _, branch = head.rpartition(":")
        # GitHub ignores a head without an owner, and so lists everything.
        found = [pull for pull in found if not owner or (owner, branch) == (repo.owner, pull.head)]
    if base := query.get("base"):
        found = [pull for pull in found if pull.base == base]
    key = "updated" if query.get("sort") == "updated" else "created"
    found.sort(
        key=lambda pull: (getattr(pull, key), pull.number), reverse=query.get("direction", "desc") == "desc"
    )
    return ask.page(found, lambda pull: ask.site.pull(repo, pull, full=False))


def get(ask: Ask) -> Out:
    """One pull request."""
    return Out(value=ask.site.pull(ask.repo, ask.pull))


def create(ask: Ask) -> Out:
    """Open a pull request, or say why not in GitHub's words."""
    repo, data = ask.repo, ask.data
    for name in ("head", "base"):
        if not data.get(name):
            raise invalid("PullRequest", name, "missing_field")
    owner, _, head = data["head"].rpartition(":")
    branches = repo.branches()
    if (owner and owner != repo.owner) or head not in branches:
        raise invalid("PullRequest", "head")
    if data["base"] not in branches:
        raise invalid("PullRequest", "base")
    if any((pull.head, pull.base) == (head, data["base"]) for pull in repo.pulls("open")):
        raise invalid("PullRequest", "", message=f"A pull request already exists for {repo.owner}:{head}.")
    span = f"{branches[data['base']]}..{branches[head]}"
    if git("rev-list", "--count", span, cwd=repo.remote.path) == "0":
        raise invalid("PullRequest", "", message=f"No commits between {data['base']} and {head}")
    pull = repo.open_pull(
        data.get("title") or head,
        head,
        base=data["base"],
        body=data.get("body"),
        draft=bool(data.get("draft")),
        author=ask.login,
    )
    return Out(value=ask.site.pull(repo, pull), status=201)


def update(ask: Ask) -> Out:
    """Change title, body, state or base."""
    repo, pull, data = ask.repo, ask.pull, ask.data
    if len(data.get("body") or "") > 65_536:
        raise invalid("PullRequest", "", message="body is too long (maximum is 65536 characters)")
    if data.get("base") and data["base"] not in repo.branches():
        raise invalid("PullRequest", "base")
    if data.get("state") == "open" and not pull.open:
        try:
            repo.check_reopening(pull)
        except ValueError as error:
            raise invalid("PullRequest", "state", message=str(error)) from None
        repo.reopen(pull.number)
    if data.get("state") == "closed":
        repo.close(pull.number, by=ask.login)
    pull.title = data.get("title", pull.title)
    pull.body = data.get("body", pull.body)
    pull.base = data.get("base", pull.base)
    pull.updated = repo.clock.tick()
    repo.refresh()
    return Out(value=ask.site.pull(repo, pull))


def commits(ask: Ask) -> Out:
    """The commits of a pull request, oldest first."""
    repo, pull = ask.repo, ask.pull
    found = history.commits(repo.remote.path, "--reverse", f"{_fork_point(ask, pull)}..{pull.head_sha}")
    return ask.page(found, lambda one: history.commit(ask.site, repo, one))


def files(ask: Ask) -> Out:
    """The files that a pull request changes."""
    repo, pull = ask.repo, ask.pull
    path, span = repo.remote.path, f"{_fork_point(ask, pull)}..{pull.head_sha}"
    kinds = {"A": "added", "D": "removed", "M": "modified"}
    rows = git("diff", "--no-renames", "--raw", "--no-abbrev", "--numstat", span, cwd=path).splitlines()
    counts = {row.split("\t")[2]: row.split("\t")[:2] for row in rows if not row.startswith(":")}
    found = [row.split("\t") for row in rows if row.startswith(":")]

    def show(row: list[str]) -> Json:
        head, name = row[0].split(), row[1]
        added, removed = (int(count) if count != "-" else 0 for count in counts[name])
        html, api = ask.site.repo_html(repo), ask.site.repo_api(repo)
        return {
            "sha": head[3] if set(head[3]) != {"0"} else head[2],
            "filename": name,
            "status": kinds.get(head[4][0], "changed"),
            "additions": added,
            "deletions": removed,
            "changes": added + removed,
            "blob_url": f"{html}/blob/{pull.head_sha}/{name}",
            "raw_url": f"{html}/raw/{pull.head_sha}/{name}",
            "contents_url": f"{api}/contents/{name}?ref={pull.head_sha}",
        }

    return ask.page(found, show)


def _fork_point(ask: Ask, pull: Pull) -> str:
    # After a merge the base contains the head: count from where the merge left the base.
    base = f"{pull.merge_sha}^1" if pull.merge_sha and pull.merge_sha != pull.head_sha else pull.base_sha
    return git("merge-base", base, pull.head_sha, cwd=ask.repo.remote.path)


def merge(ask: Ask) -> Out:
    """Merge a pull request."""
    repo, pull = ask.repo, ask.pull
    if (ask.data or {}).get("sha", pull.head_sha) != pull.head_sha:
        raise Problem(409, "Head branch was modified. Review and try the merge again.")
    if pull.draft or not pull.open:
        raise Problem(405, "Pull Request is not mergeable")
    method = (ask.data or {}).get("merge_method", "merge")
    try:
        sha = repo.merge(pull.number, by=ask.login, method=method)
    except ValueError:
        raise Problem(405, "Pull Request is not mergeable") from None
    return Out(value={"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def is_merged(ask: Ask) -> Out:
    """204 when merged, else 404."""
    return Out(status=204 if ask.pull.merged else 404)


def request_reviewers(ask: Ask) -> Out:
    """Ask people or teams for a review; not the author."""
    pull = ask.pull
    people, teams = ask.data.get("reviewers", []), ask.data.get("team_reviewers", [])
    if pull.author in people:
        raise Problem(422, "Review cannot be requested from pull request author.")
    for name in [name for name in people if name in ask.github.strangers]:
        raise Problem(
            422,
            "Reviews may only be requested from collaborators. One or more of the users or teams you "
            f"specified is not a collaborator of the {ask.repo.full_name} repository. ({name})",
        )
    pull.reviewers += [name for name in people if name not in pull.reviewers]
    pull.team_reviewers += [name for name in teams if name not in pull.team_reviewers]
    return Out(value=ask.site.pull(ask.repo, pull, full=False), status=201)


def drop_reviewers(ask: Ask) -> Out:
    """Withdraw requests for a review."""
    pull = ask.pull
    pull.reviewers = [name for name in pull.reviewers if name not in ask.data.get("reviewers", [])]
    pull.team_reviewers = [
        name for name in pull.team_reviewers if name not in ask.data.get("team_reviewers", [])
    ]
    return Out(value=ask.site.pull(ask.repo, pull, full=False))


def reviewers(ask: Ask) -> Out:
    """Whose review is waited for."""
    value = ask.site.pull(ask.repo, ask.pull, full=False)
    return Out(value={"users": value["requested_reviewers"], "teams": value["requested_teams"]})


_PULLS = "/repos/{owner}/{repo}/pulls"
_PULL = f"{_PULLS}/{{pull_number}}"

ROUTES: Mapping[str, Handler] = {
    f"GET {_PULLS}": find,
    f"POST {_PULLS}": create,
    f"GET {_PULL}": get,
    f"PATCH {_PULL}": update,
    f"GET {_PULL}/commits": commits,
    f"GET {_PULL}/files": files,
    f"GET {_PULL}/merge": is_merged,
    f"PUT {_PULL}/merge": merge,
    f"GET {_PULL}/requested_reviewers": reviewers,
    f"POST {_PULL}/requested_reviewers": request_reviewers,
    f"DELETE {_PULL}/requested_reviewers": drop_reviewers,
}
