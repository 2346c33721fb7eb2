"""The GitHub server: who asks, what for, how often; each operation lives in a module of its area."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from upstreamsync.kit.run import process
from upstreamsync.testing.git import GitRemote
from upstreamsync.testing.github import accounts, issues, pulls, repos
from upstreamsync.testing.github.objects import Site
from upstreamsync.testing.github.repository import Publish, Repository
from upstreamsync.testing.github.requests import Ask, Handler, Out, Problem, not_found
from upstreamsync.testing.github.state import App, Clock, Pull, Token
from upstreamsync.testing.openapi import Validator
from upstreamsync.testing.server import Call, Content, Reply, unchanged

#: Path parameters that may hold slashes.
_WIDE = {"ref", "path", "basehead", "branch", "name", "tag"}

#: Old routes that the description mentions in prose, with the ones that took their place.
_LEGACY = {"/repos/{owner}/{repo}/statuses/{ref}": "/repos/{owner}/{repo}/commits/{ref}/statuses"}

#: What a token with permissions must be able to write, by the last fixed word of the path.
_AREAS = {"pulls": "pull_requests", "issues": "issues", "labels": "issues", "statuses": "statuses"}


def _compile(routes: Mapping[str, Handler]) -> list[tuple[str, str, re.Pattern[str], Handler]]:
    """Routes with longer and more literal paths first, as these are the more particular ones."""
    table = []
    for route, handler in routes.items():
        method, template = route.split(" ")
        pattern = re.sub(
            r"\{(\w+)\}",
            lambda found: f"(?P<{found[1]}>{'.+' if found[1] in _WIDE else '[^/]+'})",
            template,
        )
        table.append((method, template, re.compile(pattern), handler))
    return sorted(table, key=lambda row: (-row[1].count("/"), row[1].count("{"), row[1]))


_TABLE = _compile({**accounts.ROUTES, **issues.ROUTES, **pulls.ROUTES, **repos.ROUTES})


class GitHub:
    """The forge of a test world, ``world.github``; its API is at ``url`` (for GITHUB_API_URL).

    Stateful: pull requests follow the branches of real bare repositories, issues and comments stay.
    Without tokens of your own every token is good and speaks for ``upstreamsync-bot``; requests without
    one may read. ``rate_limit`` and ``used`` drive the rate limit, ``strangers`` are accounts without
    access. ``violations`` lists what did not fit GitHub's OpenAPI description, requests and answers.
    """

    def __init__(
        self, url: str, folder: Path, publish: Publish, validator: Callable[[], Validator] | None
    ) -> None:
        self.url = url
        self.folder = folder
        self.publish = publish
        self.clock = Clock()
        self.lock = threading.RLock()
        self.repositories: dict[str, Repository] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[str, App] = {}
        self.strangers: set[str] = set()
        self.rate_limit = 5000
        self.used = 0
        self.reset_at = 4_000_000_000
        self._found: list[str] = []
        self._unchecked: list[tuple[Call, str, Any, int, Any]] = []
        self._validator = validator
        self._ids = 1000

    @property
    def violations(self) -> list[str]:
        """What did not fit so far, in the order of the calls but for those that fit no operation.

        Validated when it is looked at, so that loading the description keeps no client waiting.
        """
        with self.lock:
            if self._validator is not None:
                for one in self._unchecked:
                    self._found += self._validator().check(*one)
            self._unchecked.clear()
            return list(self._found)

    def next_id(self) -> int:
        """A number that nothing else has."""
        self._ids += 1
        return self._ids

    def repository(self, full_name: str, *, git: GitRemote | None = None) -> Repository:
        """The repository OWNER/NAME, made when there is none; ``git`` puts a bare repository behind it."""
        key = full_name.lower()
        if key not in self.repositories:
            self.repositories[key] = Repository(self, full_name, git, self.next_id())
        elif git is not None:
            self.repositories[key].git = git
            self.repositories[key].push_access = True
        return self.repositories[key]

    def token(
        self,
        value: str,
        *,
        login: str = "upstreamsync-bot",
        kind: str = "user",
        scopes: tuple[str, ...] | None = ("repo", "workflow"),
        permissions: Mapping[str, str] | None = None,
    ) -> None:
        """Make a token known; from the first one on, unknown tokens are refused. See state.Token."""
        rights = None if permissions is None else dict(permissions)
        self.tokens[value] = Token(login=login, kind=kind, scopes=scopes, permissions=rights)

    def app(self, number: int = 1, *, slug: str = "upstreamsync", **permissions: str) -> App:
        """Register a GitHub App, installed on everything; its key is made by openssl."""
        granted = permissions or {"contents": "write", "pull_requests": "write", "issues": "write"}
        key = process.run(["openssl", "genrsa", "2048"]).stdout
        public = process.run(["openssl", "rsa", "-pubout"], stdin=key).stdout
        made = App(
            id=number,
            slug=slug,
            installation=self.next_id(),
            private_key=key.decode(),
            public_key=public.decode(),
            permissions={"metadata": "read", **granted},
        )
        self.apps[str(number)] = made
        if not self.tokens:
            self.token("unguessable")  # who has apps means to check tokens
        return made

    def pulls(self, state: str = "all") -> list[Pull]:
        """Pull requests of all repositories."""
        return [pull for repo in self.repositories.values() for pull in repo.pulls(state)]

    def serve(self, call: Call, root: str) -> Reply:
        """Answer a call below /api/."""
        path = call.path.removeprefix("/api/v3").removeprefix("/api")
        for method, template, pattern, handler in _TABLE:
            if method == call.method and (found := pattern.fullmatch(path)):
                with self.lock:
                    return self._operate(call, root, template, found.groupdict(), handler)
        self._found.append(f"{call.method} {path}: the test world has no such operation")
        return Reply.text(501, f"the test world has no operation {call.method} {path}\n")

    def _operate(
        self, call: Call, root: str, template: str, params: Mapping[str, str], handler: Handler
    ) -> Reply:
        headers: dict[str, str] = {}
        data: Any = None
        try:
            route = f"{call.method} {template}"
            token = None if route in accounts.FOR_APPS else self._authenticate(call)
            headers = self._limits(token)
            self._ration(token, template)
            data = _read_json(call)
            self._authorize(call, template, token, route)
            site = Site(root=root)
            out = handler(Ask(github=self, call=call, site=site, params=params, data=data, token=token))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # A request of another shape than the description asks for; or a bug here: to be looked at.
            self._found.append(f"{call.method} {call.target}: not understood: {error!r}")
            out = Out(value=Problem(422, f"not understood: {error!r}").value, status=422)
        except Problem as problem:
            out = Out(value=problem.value, status=problem.status, headers=problem.headers)
        if self._validator is not None and template != "/graphql":
            described = _LEGACY.get(template, template) if call.method == "GET" else template
            self._unchecked.append((call, described, data, out.status, out.value))
        return self._reply(call, out, headers, template)

    def _reply(self, call: Call, out: Out, headers: Mapping[str, str], template: str) -> Reply:
        merged = {**headers, **out.headers, "X-GitHub-Media-Type": "github.v3; format=json"}
        if out.status in {204, 302} or (out.value is None and out.status == 404):
            return Reply(status=out.status, headers=merged)
        content = Content(json.dumps(out.value).encode(), "application/json; charset=utf-8", modified=None)
        if call.method == "GET" and out.status == 200:
            merged |= {"ETag": f"W/{content.etag}", "Cache-Control": "private, max-age=60, s-maxage=60"}
            if unchanged(call, content.etag, None):
                return Reply(content=content, headers=merged)  # a 304 is free
        if template != "/rate_limit":
            self.used += 1
        return Reply(status=out.status, content=content, headers=merged)

    def _authenticate(self, call: Call) -> Token | None:
        words = call.headers.get("authorization", "").split()
        if len(words) != 2:
            return None
        if not self.tokens:
            return Token(login="upstreamsync-bot")
        if words[1] not in self.tokens:
            raise Problem(401, "Bad credentials")
        return self.tokens[words[1]]

    def _ration(self, token: Token | None, template: str) -> None:
        if self.used >= self.rate_limit and template != "/rate_limit":
            raise Problem(403, f"API rate limit exceeded for user {token.login if token else 'unknown'}.")

    def _limits(self, token: Token | None) -> dict[str, str]:
        headers = {
            "X-RateLimit-Limit": str(self.rate_limit),
            "X-RateLimit-Remaining": str(max(0, self.rate_limit - self.used)),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Reset": str(self.reset_at),
            "X-RateLimit-Resource": "core",
        }
        if token and token.kind == "user" and token.scopes is not None:
            headers["X-OAuth-Scopes"] = ", ".join(token.scopes)
        return headers

    def _authorize(self, call: Call, template: str, token: Token | None, route: str) -> None:
        """Let read whoever asks, and write whom a token allows to. Raises Problem 401, 403 or 404."""
        if call.method == "GET" or template == "/graphql" or route in accounts.FOR_APPS:
            return
        if token is None:
            raise Problem(401, "Requires authentication")
        if token.permissions is not None:
            words = [word for word in template.split("/") if word in _AREAS]
            area = _AREAS[words[0]] if words else "contents"
            # GitHub lets either permission do where a pull request is also an issue.
            enough = {area, "pull_requests"} if area == "issues" else {area}
            if not any(token.permissions.get(one) == "write" for one in enough):
                whose = "integration" if token.kind == "integration" else "personal access token"
                accepted = {"X-Accepted-GitHub-Permissions": f"{area}=write"}
                raise Problem(403, f"Resource not accessible by {whose}", headers=accepted)
        elif token.scopes is not None and not {"repo", "public_repo"} & set(token.scopes):
            raise Problem(404, not_found().value["message"], headers={"X-Accepted-OAuth-Scopes": "repo"})


def _read_json(call: Call) -> Any:
    if not call.body:
        return {}
    try:
        return json.loads(call.body)
    except ValueError:
        raise Problem(400, "Problems parsing JSON") from None
