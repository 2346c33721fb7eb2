"""Commits, refs, releases and statuses as GitHub's answers."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.testing.git import git
from upstreamsync.testing.github.objects import Json, Site, stamp
from upstreamsync.testing.github.repository import Repository
from upstreamsync.testing.github.state import App, Asset, CheckRun, Release, Status

_FORM = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x1e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit as git has it; people are (name, e-mail, date)."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    committer: tuple[str, str, str]
    message: str


def commits(path: Path, *span: str) -> list[Commit]:
    """Commits of ``span`` (arguments of git log), newest first."""
    found = []
    for record in git("log", f"--format={_FORM}", *span, cwd=path).split("\x1e"):
        if fields := record.lstrip("\n").split("\0"):
            if len(fields) < 10:
                continue
            sha, tree, parents, an, ae, ad, cn, ce, cd, message = fields
            found.append(
                Commit(
                    sha=sha,
                    tree=tree,
                    parents=tuple(parents.split()),
                    author=(an, ae, ad),
                    committer=(cn, ce, cd),
                    message=message.rstrip("\n"),
                )
            )
    return found


def commit(site: Site, repo: Repository, one: Commit) -> Json:
    """A commit; its people are accounts where the e-mail says so, as with GitHub's noreply addresses."""
    api, html = site.repo_api(repo), site.repo_html(repo)
    url = f"{api}/commits/{one.sha}"
    return {
        "sha": one.sha,
        "node_id": f"C_{one.sha}",
        "url": url,
        "html_url": f"{html}/commit/{one.sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "url": f"{api}/git/commits/{one.sha}",
            "message": one.message,
            "author": _person(one.author),
            "committer": _person(one.committer),
            "comment_count": 0,
            "tree": {"sha": one.tree, "url": f"{api}/git/trees/{one.tree}"},
            "verification": _UNSIGNED,
        },
        "author": _account(site, one.author),
        "committer": _account(site, one.committer),
        "parents": [{"sha": sha, "url": f"{api}/commits/{sha}"} for sha in one.parents],
    }


_UNSIGNED = {
    "verified": False,
    "reason": "unsigned",
    **dict.fromkeys(("payload", "signature", "verified_at")),
}


def _person(who: tuple[str, str, str]) -> Json:
    return {"name": who[0], "email": who[1], "date": who[2]}


def _account(site: Site, who: tuple[str, str, str]) -> Json | None:
    local, _, domain = who[1].partition("@")
    return site.user(local.rpartition("+")[2]) if domain == "users.noreply.github.com" else None


def branch(site: Site, repo: Repository, name: str, one: Commit) -> Json:
    """A branch with its newest commit."""
    url = f"{site.repo_api(repo)}/branches/{name}"
    return {
        "name": name,
        "commit": commit(site, repo, one),
        "_links": {"self": url, "html": f"{site.repo_html(repo)}/tree/{name}"},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{url}/protection",
    }


def short_branch(site: Site, repo: Repository, name: str, sha: str) -> Json:
    """A branch as in a list."""
    where = f"{site.repo_api(repo)}/commits/{sha}"
    return {"name": name, "commit": {"sha": sha, "url": where}, "protected": False}


def ref(site: Site, repo: Repository, name: str, sha: str, kind: str = "commit") -> Json:
    """A git ref; ``name`` is full, as refs/heads/main."""
    api = site.repo_api(repo)
    return {
        "ref": name,
        "node_id": f"REF_{name}",
        "url": f"{api}/git/{name}",
        "object": {"type": kind, "sha": sha, "url": f"{api}/git/{kind}s/{sha}"},
    }


def tag(site: Site, repo: Repository, name: str, sha: str) -> Json:
    """A tag as in a list."""
    api = site.repo_api(repo)
    return {
        "name": name,
        "node_id": f"REF_{name}",
        "commit": {"sha": sha, "url": f"{api}/commits/{sha}"},
        "zipball_url": f"{api}/zipball/refs/tags/{name}",
        "tarball_url": f"{api}/tarball/refs/tags/{name}",
    }


def release(site: Site, repo: Repository, one: Release) -> Json:
    """A release with its assets."""
    api, html = site.repo_api(repo), site.repo_html(repo)
    url = f"{api}/releases/{one.id}"
    return {
        "id": one.id,
        "node_id": f"RE_{one.id}",
        "url": url,
        "html_url": f"{html}/releases/tag/{one.tag}",
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "tarball_url": f"{api}/tarball/{one.tag}",
        "zipball_url": f"{api}/zipball/{one.tag}",
        "tag_name": one.tag,
        "target_commitish": one.target,
        "name": one.name,
        "body": one.body,
        "draft": one.draft,
        "prerelease": one.prerelease,
        "immutable": False,
        "created_at": stamp(one.created),
        "published_at": stamp(one.published),
        "author": site.user("release-bot"),
        "assets": [asset(site, repo, file, stamp(one.created)) for file in one.assets],
    }


def asset(site: Site, repo: Repository, file: Asset, when: str | None) -> Json:
    """A file of a release."""
    return {
        "id": file.id,
        "node_id": f"RA_{file.id}",
        "url": f"{site.repo_api(repo)}/releases/assets/{file.id}",
        "browser_download_url": file.url,
        "name": file.name,
        "label": None,
        "state": "uploaded",
        "content_type": "application/octet-stream",
        "size": file.size,
        "digest": file.digest,
        "download_count": 0,
        "created_at": when,
        "updated_at": when,
        "uploader": site.user("release-bot"),
    }


def status(site: Site, repo: Repository, one: Status, *, simple: bool = False) -> Json:
    """A commit status; ``simple`` as in the combined one."""
    value = {
        "id": one.id,
        "node_id": f"SC_{one.id}",
        "url": f"{site.repo_api(repo)}/statuses/{one.sha}",
        "avatar_url": site.user(one.author)["avatar_url"],
        "state": one.state,
        "context": one.context,
        "description": one.description,
        "target_url": one.target_url,
        "created_at": stamp(one.created),
        "updated_at": stamp(one.created),
    }
    return value if simple else {**value, "creator": site.user(one.author)}


def check_run(site: Site, repo: Repository, one: CheckRun) -> Json:
    """A check of a commit."""
    api, html = site.repo_api(repo), site.repo_html(repo)
    done = one.conclusion is not None
    return {
        "id": one.id,
        "node_id": f"CR_{one.id}",
        "head_sha": one.sha,
        "name": one.name,
        "external_id": "",
        "url": f"{api}/check-runs/{one.id}",
        "html_url": f"{html}/runs/{one.id}",
        "details_url": f"{html}/runs/{one.id}",
        "status": "completed" if done else "in_progress",
        "conclusion": one.conclusion,
        "started_at": stamp(one.started),
        "completed_at": stamp(one.started) if done else None,
        "output": {
            "title": None,
            "summary": None,
            "text": None,
            "annotations_count": 0,
            "annotations_url": f"{api}/check-runs/{one.id}/annotations",
        },
        "check_suite": {"id": one.id},
        "app": None,
        "pull_requests": [],
    }


def content(site: Site, repo: Repository, path: str, revision: str, sha: str, data: bytes) -> Json:
    """A file's content."""
    api = site.repo_api(repo)
    url, blob = f"{api}/contents/{path}?ref={revision}", f"{api}/git/blobs/{sha}"
    page = f"{site.repo_html(repo)}/blob/{revision}/{path}"
    return {
        "type": "file",
        "encoding": "base64",
        "size": len(data),
        "name": path.rpartition("/")[2],
        "path": path,
        "content": base64.encodebytes(data).decode(),
        "sha": sha,
        "url": url,
        "git_url": blob,
        "html_url": page,
        "download_url": f"{site.root}/raw/{repo.full_name}/{revision}/{path}",
        "_links": {"self": url, "git": blob, "html": page},
    }


def app(site: Site, one: App) -> Json:
    """A GitHub App."""
    return {
        "id": one.id,
        "node_id": f"A_{one.id}",
        "slug": one.slug,
        "name": one.slug,
        "owner": site.user("acme"),
        "description": None,
        "external_url": f"{site.root}/{one.slug}",
        "html_url": f"{site.root}/apps/{one.slug}",
        "permissions": dict(one.permissions),
        "events": [],
        "installations_count": 1,
        **dict.fromkeys(("created_at", "updated_at"), "2024-01-01T00:00:00Z"),
    }


def installation(site: Site, one: App) -> Json:
    """Where an app is installed."""
    url = f"{site.api}/app/installations/{one.installation}"
    return {
        "id": one.installation,
        "account": site.user("acme"),
        "repository_selection": "all",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{site.api}/installation/repositories",
        "html_url": f"{site.root}/settings/installations/{one.installation}",
        "app_id": one.id,
        "app_slug": one.slug,
        "target_id": 1,
        "target_type": "Organization",
        "permissions": dict(one.permissions),
        "events": [],
        "single_file_name": None,
        **dict.fromkeys(("suspended_by", "suspended_at")),
        **dict.fromkeys(("created_at", "updated_at"), "2024-01-01T00:00:00Z"),
    }
