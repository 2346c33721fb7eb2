"""Operations on accounts: the user, GitHub Apps and their tokens, rate limits; and GraphQL's mutations."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.run import process
from upstreamsync.testing.github import history
from upstreamsync.testing.github.objects import Json
from upstreamsync.testing.github.repository import Repository
from upstreamsync.testing.github.requests import Ask, Handler, Out, Problem, not_found
from upstreamsync.testing.github.state import App, Pull


def user(ask: Ask) -> Out:
    """Who asks; apps and workflows are no users."""
    if ask.token is None:
        raise Problem(401, "Requires authentication")
    if ask.token.kind == "integration":
        raise Problem(403, "Resource not accessible by integration")
    return Out(value=ask.site.full_user(ask.login))


def any_user(ask: Ask) -> Out:
    """Somebody."""
    return Out(value=ask.site.full_user(ask.params["username"]))


def rate_limit(ask: Ask) -> Out:
    """What is left; asking costs nothing."""
    github = ask.github
    core = {
        "limit": github.rate_limit,
        "used": github.used,
        "remaining": max(0, github.rate_limit - github.used),
        "reset": github.reset_at,
    }
    return Out(value={"resources": {"core": core, "search": core}, "rate": core})


def _app(ask: Ask) -> App:
    """The app whose key signed the request's JWT. Raises Problem 401."""
    scheme, _, token = ask.call.headers.get("authorization", "").partition(" ")
    parts = token.split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        raise Problem(401, "A JSON web token could not be decoded")
    claims = json.loads(_decode(parts[1]))
    app = ask.github.apps.get(str(claims.get("iss")))
    if app is None or not _signed(ask, app, parts):
        raise Problem(401, "A JSON web token could not be decoded")
    if claims["exp"] - claims["iat"] > 660:
        raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _signed(ask: Ask, app: App, parts: list[str]) -> bool:
    folder = ask.github.folder
    key, signature = folder / f"app-{app.id}.pub", folder / f"app-{app.id}.sig"
    key.write_text(app.public_key)
    signature.write_bytes(_decode(parts[2]))
    words = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature)]
    try:
        process.run(words, stdin=".".join(parts[:2]).encode())
    except ToolFailed:
        return False
    return True


def app(ask: Ask) -> Out:
    """The app itself."""
    return Out(value=history.app(ask.site, _app(ask)))


def installations(ask: Ask) -> Out:
    """Where the app is installed."""
    found = _app(ask)
    return ask.page([found], lambda one: history.installation(ask.site, one))


def installation(ask: Ask) -> Out:
    """One installation, or the one of a repository, an organization or a user."""
    found = _app(ask)
    if ask.params.get("installation_id", str(found.installation)) != str(found.installation):
        raise not_found()
    if "repo" in ask.params:
        _ = ask.repo  # 404 for a repository that the app can't see
    return Out(value=history.installation(ask.site, found))


def access_token(ask: Ask) -> Out:
    """A token for an installation, at most with the app's permissions."""
    found = _app(ask)
    if ask.params["installation_id"] != str(found.installation):
        raise not_found()
    wanted = (ask.data or {}).get("permissions") or found.permissions
    if any(found.permissions.get(area) not in {level, "write"} for area, level in wanted.items()):
        raise Problem(422, "The permissions requested are not granted to this installation.")
    value = f"ghs_{found.slug}{ask.github.next_id()}"
    ask.github.token(value, login=f"{found.slug}[bot]", kind="integration", scopes=None, permissions=wanted)
    expires = "2099-01-01T00:00:00Z"
    return Out(
        value={
            "token": value,
            "expires_at": expires,
            "permissions": dict(wanted),
            "repository_selection": "all",
        },
        status=201,
    )


def installation_repositories(ask: Ask) -> Out:
    """What an installation's token may see."""
    shown = [ask.site.repository(repo) for repo in ask.github.repositories.values()]
    return Out(value={"total_count": len(shown), "repositories": shown})


_MUTATION = re.compile(r"mutation\b[^{]*\{\s*(?P<name>\w+)\s*\(\s*input\s*:\s*\$(?P<variable>\w+)\s*\)")


_EDITOR = re.compile(r"issue\(number: \$number\) \{ editor \{ login \} \}")


def graphql(ask: Ask) -> Out:
    """What REST does not have: draft, ready for review, auto-merge; who edited an issue."""
    if ask.token is None:
        raise Problem(401, "This endpoint requires you to be authenticated.")
    if _EDITOR.search(ask.data.get("query", "")):
        return _editor(ask)
    found = _MUTATION.search(ask.data.get("query", ""))
    mutation = _MUTATIONS.get(found["name"]) if found else None
    if found is None or mutation is None:
        return _graphql_error("the test world knows no such query", "NOT_IMPLEMENTED")
    given = ask.data.get("variables", {}).get(found["variable"], {})
    place = _by_node(ask, str(given.get("pullRequestId")))
    if place is None:
        return _graphql_error(f"Could not resolve to a node with the global id of '{given}'", "NOT_FOUND")
    repo, pull = place
    if problem := mutation(ask, repo, pull, given):
        return _graphql_error(problem, "UNPROCESSABLE")
    pull.updated = repo.clock.tick()
    value: Json = {
        "id": given["pullRequestId"],
        "number": pull.number,
        "isDraft": pull.draft,
        "autoMergeRequest": {"mergeMethod": pull.auto_merge.upper()} if pull.auto_merge else None,
    }
    answer = {"clientMutationId": given.get("clientMutationId"), "pullRequest": value}
    return Out(value={"data": {found["name"]: answer}})


def _editor(ask: Ask) -> Out:
    """Who changed an issue's text last."""
    given = ask.data["variables"]
    repo = ask.github.repositories[f"{given['owner']}/{given['name']}".lower()]
    login = repo.issues[given["number"]].editor
    return Out(value={"data": {"repository": {"issue": {"editor": {"login": login} if login else None}}}})


def permission(ask: Ask) -> Out:
    """What an account may do: strangers read, everybody else writes."""
    login = ask.params["username"]
    may = "read" if login in ask.github.strangers else "write"
    return Out(value={"permission": may, "role_name": may, "user": None})


def _graphql_error(message: str, kind: str) -> Out:
    return Out(value={"data": None, "errors": [{"type": kind, "message": message}]})


def _by_node(ask: Ask, node: str) -> tuple[Repository, Pull] | None:
    for repo in ask.github.repositories.values():
        for pull in repo.pulls():
            if node == f"PR_{repo.id}_{pull.number}":
                return repo, pull
    return None


def _draft(ask: Ask, repo: Repository, pull: Pull, given: Mapping[str, Any]) -> str | None:
    del ask, repo, given
    pull.draft, pull.auto_merge = True, None
    return None


def _ready(ask: Ask, repo: Repository, pull: Pull, given: Mapping[str, Any]) -> str | None:
    del ask, repo, given
    pull.draft = False
    return None


def _enable(ask: Ask, repo: Repository, pull: Pull, given: Mapping[str, Any]) -> str | None:
    if not repo.allow_auto_merge:
        return "Auto merge is not allowed for this repository"
    if pull.draft:
        return "Pull request Pull request is in draft state"
    pull.auto_merge = str(given.get("mergeMethod", "MERGE")).lower()
    pull.auto_merge_by = ask.login
    return None


def _disable(ask: Ask, repo: Repository, pull: Pull, given: Mapping[str, Any]) -> str | None:
    del ask, repo, given
    pull.auto_merge = None
    return None


_MUTATIONS = {
    "convertPullRequestToDraft": _draft,
    "markPullRequestReadyForReview": _ready,
    "enablePullRequestAutoMerge": _enable,
    "disablePullRequestAutoMerge": _disable,
}

ROUTES: Mapping[str, Handler] = {
    "GET /user": user,
    "GET /users/{username}": any_user,
    "GET /rate_limit": rate_limit,
    "GET /app": app,
    "GET /app/installations": installations,
    "GET /app/installations/{installation_id}": installation,
    "POST /app/installations/{installation_id}/access_tokens": access_token,
    "GET /repos/{owner}/{repo}/installation": installation,
    "GET /orgs/{org}/installation": installation,
    "GET /users/{username}/installation": installation,
    "GET /installation/repositories": installation_repositories,
    "POST /graphql": graphql,
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission": permission,
}

#: Signed by an app's key, not by a token.
FOR_APPS = frozenset(route for route in ROUTES if "/app" in route or route.endswith("/installation"))
