"""Operations on repositories: releases, tags, refs, commits, contents, statuses."""

from __future__ import annotations

from collections.abc import Mapping

from upstreamsync.errors import ToolFailed
from upstreamsync.testing.git import git
from upstreamsync.testing.github import history
from upstreamsync.testing.github.objects import Json
from upstreamsync.testing.github.requests import Ask, Handler, Out, Problem, invalid, not_found
from upstreamsync.testing.github.state import Release, Status, made_up_sha


def get(ask: Ask) -> Out:
    """The repository."""
    return Out(value=ask.site.repository(ask.repo))


def releases(ask: Ask) -> Out:
    """Releases, newest first; drafts for those alone who may push."""
    found = _visible(ask)
    return ask.page(found, lambda one: history.release(ask.site, ask.repo, one))


def _visible(ask: Ask) -> list[Release]:
    may_push = ask.repo.push_access and ask.token is not None
    return [one for one in ask.repo.releases if may_push or not one.draft]


def latest_release(ask: Ask) -> Out:
    """The newest release that is neither a draft nor a prerelease, by date."""
    found = [one for one in ask.repo.releases if not one.draft and not one.prerelease]
    if not found:
        raise not_found()
    return Out(value=history.release(ask.site, ask.repo, max(found, key=lambda one: one.created)))


def release(ask: Ask) -> Out:
    """One release by its number or its tag."""
    for one in _visible(ask):
        if ask.params.get("tag") == one.tag or ask.params.get("release_id") == str(one.id):
            return Out(value=history.release(ask.site, ask.repo, one))
    raise not_found()


def asset(ask: Ask) -> Out:
    """One release asset; a redirect to its bytes for who accepts these."""
    for one in _visible(ask):
        for file in one.assets:
            if str(file.id) == ask.params["asset_id"]:
                if "octet-stream" in ask.call.headers.get("accept", ""):
                    return Out(status=302, headers={"Location": file.url})
                when = one.created.strftime("%Y-%m-%dT%H:%M:%SZ")
                return Out(value=history.asset(ask.site, ask.repo, file, when))
    raise not_found()


def tags(ask: Ask) -> Out:
    """Tags with their commits."""
    return ask.page(list(ask.repo.tags().items()), lambda item: history.tag(ask.site, ask.repo, *item))


def branches(ask: Ask) -> Out:
    """Branches."""
    found = sorted(ask.repo.branches().items())
    return ask.page(found, lambda item: history.short_branch(ask.site, ask.repo, *item))


def branch(ask: Ask) -> Out:
    """One branch."""
    name = ask.params["branch"]
    if name not in ask.repo.branches():
        raise Problem(404, "Branch not found")
    (newest,) = history.commits(ask.repo.remote.path, "-1", f"refs/heads/{name}")
    return Out(value=history.branch(ask.site, ask.repo, name, newest))


def _refs(ask: Ask) -> dict[str, tuple[str, str]]:
    """All refs with the type and the name of their objects."""
    repo = ask.repo
    if repo.git is None:
        return {f"refs/tags/{name}": ("commit", sha) for name, sha in repo.tags().items()}
    lines = git("for-each-ref", "--format=%(refname) %(objecttype) %(objectname)", cwd=repo.git.path)
    return {name: (kind, sha) for name, kind, sha in map(str.split, lines.splitlines())}


def ref(ask: Ask) -> Out:
    """One ref."""
    name = f"refs/{ask.params['ref'].removeprefix('refs/')}"
    if name not in (refs := _refs(ask)):
        raise not_found()
    kind, sha = refs[name]
    return Out(value=history.ref(ask.site, ask.repo, name, sha, kind))


def matching_refs(ask: Ask) -> Out:
    """Refs that start with a name."""
    start = f"refs/{ask.params['ref'].removeprefix('refs/')}"
    found = [(name, sha, kind) for name, (kind, sha) in _refs(ask).items() if name.startswith(start)]
    return Out(value=[history.ref(ask.site, ask.repo, *item) for item in found])


def create_ref(ask: Ask) -> Out:
    """Make a branch or a tag."""
    name, sha, path = ask.data["ref"], ask.data["sha"], ask.repo.remote.path
    if name in _refs(ask):
        raise Problem(422, "Reference already exists")
    if not name.startswith("refs/") or ask.repo.remote.sha(sha) is None:
        raise Problem(422, "Object does not exist")
    git("update-ref", name, sha, cwd=path)
    return Out(value=history.ref(ask.site, ask.repo, name, sha), status=201)


def update_ref(ask: Ask) -> Out:
    """Move a ref, by force or only forward."""
    name, repo = f"refs/{ask.params['ref']}", ask.repo
    if name not in (refs := _refs(ask)):
        raise Problem(422, "Reference does not exist")
    sha = ask.data["sha"]
    if repo.remote.sha(sha) is None:
        raise Problem(422, "Object does not exist")
    if (
        not ask.data.get("force")
        and git("merge-base", refs[name][1], sha, cwd=repo.remote.path) != refs[name][1]
    ):
        raise Problem(422, "Update is not a fast forward")
    git("update-ref", name, sha, cwd=repo.remote.path)
    repo.refresh()
    return Out(value=history.ref(ask.site, repo, name, sha))


def delete_ref(ask: Ask) -> Out:
    """Delete a branch or a tag; open pull requests of the branch are closed."""
    name = f"refs/{ask.params['ref']}"
    if name not in _refs(ask):
        raise Problem(422, "Reference does not exist")
    ask.repo.remote.delete(name)
    for pull in ask.repo.pulls("closed"):
        # GitHub says that whoever deleted the branch closed the pull request.
        if pull.closed_by == "ghost" and name == f"refs/heads/{pull.head}":
            pull.closed_by = ask.login
    return Out(status=204)


def _sha(ask: Ask, revision: str) -> str:
    repo = ask.repo
    if repo.git is None:
        raise Problem(422, f"No commit found for SHA: {revision}")
    sha = repo.git.sha(revision)
    if sha is None or revision.startswith("-"):
        raise Problem(422, f"No commit found for SHA: {revision}")
    return sha


def commits(ask: Ask) -> Out:
    """Commits of a branch, newest first."""
    start = _sha(ask, ask.call.query.get("sha", ask.repo.default_branch))
    paths = ["--", ask.call.query["path"]] if "path" in ask.call.query else []
    found = history.commits(ask.repo.remote.path, start, *paths)
    return ask.page(found, lambda one: history.commit(ask.site, ask.repo, one))


def commit(ask: Ask) -> Out:
    """One commit."""
    (one,) = history.commits(ask.repo.remote.path, "-1", _sha(ask, ask.params["ref"]))
    return Out(value=history.commit(ask.site, ask.repo, one))


def compare(ask: Ask) -> Out:
    """How two revisions relate, with the commits that the second has more."""
    repo = ask.repo
    base, dots, head = ask.params["basehead"].partition("...")
    if not dots or repo.git is None:
        raise not_found()
    path, old, new = repo.git.path, repo.git.sha(base), repo.git.sha(head)
    if old is None or new is None:
        raise not_found()
    point = git("merge-base", old, new, cwd=path)
    behind, ahead = map(int, git("rev-list", "--left-right", "--count", f"{old}...{new}", cwd=path).split())
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    api, html = ask.site.repo_api(repo), f"{ask.site.repo_html(repo)}/compare/{base}...{head}"
    show = {
        one.sha: history.commit(ask.site, repo, one) for one in history.commits(path, "--no-walk", old, point)
    }
    more = [
        history.commit(ask.site, repo, one) for one in history.commits(path, "--reverse", f"{old}..{new}")
    ]
    value: Json = {
        "url": f"{api}/compare/{base}...{head}",
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": show[old],
        "merge_base_commit": show[point],
        "status": status.get((ahead > 0, behind > 0), "diverged"),
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": more,
        "files": [],
    }
    return Out(value=value)


def contents(ask: Ask) -> Out:
    """A file's content."""
    repo, path = ask.repo, ask.params["path"]
    revision = ask.call.query.get("ref", repo.default_branch)
    sha = repo.git.sha(revision) if repo.git else None
    if repo.git is None or sha is None:
        raise Problem(404, f"No commit found for the ref {revision}")
    try:
        data = repo.git.read(path, sha)
    except ToolFailed:
        raise not_found() from None
    blob = git("rev-parse", f"{sha}:{path}", cwd=repo.git.path)
    return Out(value=history.content(ask.site, repo, path, revision, blob, data))


def create_status(ask: Ask) -> Out:
    """Set a status of a commit that exists."""
    repo, data, sha = ask.repo, ask.data, ask.params["sha"]
    if repo.git is None or repo.git.sha(sha) != sha:
        raise Problem(422, f"No commit found for SHA: {sha}")
    if len(data.get("description") or "") > 140:
        raise invalid("Status", "", message="description is too long (maximum is 140 characters)")
    made = Status(
        id=ask.github.next_id(),
        sha=sha,
        context=data.get("context", "default"),
        state=data["state"],
        description=data.get("description"),
        target_url=data.get("target_url"),
        author=ask.login,
        created=repo.clock.tick(),
    )
    repo.statuses.append(made)
    return Out(value=history.status(ask.site, repo, made), status=201)


def statuses(ask: Ask) -> Out:
    """All statuses of a commit, newest first."""
    sha = _sha(ask, ask.params["ref"])
    found = [one for one in reversed(ask.repo.statuses) if one.sha == sha]
    return ask.page(found, lambda one: history.status(ask.site, ask.repo, one))


def check_runs(ask: Ask) -> Out:
    """The checks of a commit, the newest run of each name."""
    sha, repo = _sha(ask, ask.params["ref"]), ask.repo
    newest = {one.name: one for one in repo.check_runs if one.sha == sha}
    shown = [history.check_run(ask.site, repo, one) for one in newest.values()]
    return Out(value={"total_count": len(shown), "check_runs": shown})


def combined_status(ask: Ask) -> Out:
    """The newest status of each context, and what they come to."""
    repo = ask.repo
    sha = _sha(ask, ask.params["ref"])
    found = list(repo.status_of(sha).values())
    states = {one.state for one in found}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    api = ask.site.repo_api(repo)
    value = {
        "state": state,
        "statuses": [history.status(ask.site, repo, one, simple=True) for one in found],
        "sha": sha,
        "total_count": len(found),
        "repository": ask.site.repository(repo),
        "commit_url": f"{api}/commits/{sha}",
        "url": f"{api}/commits/{sha}/status",
    }
    return Out(value=value)


def tag_object(ask: Ask) -> Out:
    """An annotated tag."""
    repo, sha = ask.repo, ask.params["tag_sha"]
    form = "--format=%(objectname) %(*objectname) %(refname:short) %(taggerdate:iso-strict)"
    for line in git("for-each-ref", form, "refs/tags/", cwd=repo.remote.path).splitlines():
        own, _, rest = line.partition(" ")
        if own == sha and len(words := rest.split(" ")) == 3:
            api, (target, name, when) = ask.site.repo_api(repo), words
            tagger = {"name": "Upstream", "email": "upstream@example.com", "date": when}
            goal = {"sha": target, "type": "commit", "url": f"{api}/git/commits/{target}"}
            value = {"tag": name, "sha": sha, "node_id": f"TA_{made_up_sha(name)}", "message": name}
            return Out(value={**value, "url": f"{api}/git/tags/{sha}", "tagger": tagger, "object": goal})
    raise not_found()


_REPO = "/repos/{owner}/{repo}"

ROUTES: Mapping[str, Handler] = {
    f"GET {_REPO}": get,
    f"GET {_REPO}/releases": releases,
    f"GET {_REPO}/releases/latest": latest_release,
    f"GET {_REPO}/releases/tags/{{tag}}": release,
    f"GET {_REPO}/releases/assets/{{asset_id}}": asset,
    f"GET {_REPO}/releases/{{release_id}}": release,
    f"GET {_REPO}/tags": tags,
    f"GET {_REPO}/branches": branches,
    f"GET {_REPO}/branches/{{branch}}": branch,
    f"GET {_REPO}/git/ref/{{ref}}": ref,
    f"GET {_REPO}/git/matching-refs/{{ref}}": matching_refs,
    f"POST {_REPO}/git/refs": create_ref,
    f"PATCH {_REPO}/git/refs/{{ref}}": update_ref,
    f"DELETE {_REPO}/git/refs/{{ref}}": delete_ref,
    f"GET {_REPO}/git/tags/{{tag_sha}}": tag_object,
    f"GET {_REPO}/commits": commits,
    f"GET {_REPO}/commits/{{ref}}": commit,
    f"GET {_REPO}/commits/{{ref}}/check-runs": check_runs,
    f"GET {_REPO}/commits/{{ref}}/status": combined_status,
    f"GET {_REPO}/commits/{{ref}}/statuses": statuses,
    f"GET {_REPO}/statuses/{{ref}}": statuses,
    f"GET {_REPO}/compare/{{basehead}}": compare,
    f"GET {_REPO}/contents/{{path}}": contents,
    f"POST {_REPO}/statuses/{{sha}}": create_status,
}
