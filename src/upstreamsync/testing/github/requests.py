"""What handlers of the GitHub server get and give: a request understood so far, and GitHub's own errors."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from upstreamsync.testing.github.objects import Json, Site
from upstreamsync.testing.github.repository import Repository
from upstreamsync.testing.github.state import App, Issue, Pull, Token
from upstreamsync.testing.server import Call


class Server(Protocol):
    """What operations need of the server: what it remembers, and new numbers and tokens."""

    folder: Path
    repositories: dict[str, Repository]
    apps: dict[str, App]
    strangers: set[str]
    rate_limit: int
    used: int
    reset_at: int

    def next_id(self) -> int:
        """A number that nothing else has."""

    def token(
        self,
        value: str,
        *,
        login: str = ...,
        kind: str = ...,
        scopes: tuple[str, ...] | None = ...,
        permissions: Mapping[str, str] | None = ...,
    ) -> None:
        """Make a token known."""


class Problem(Exception):
    """An answer that is an error, in GitHub's form."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Json] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.value: Json = {
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(status),
        }
        if errors:
            self.value["errors"] = list(errors)


def invalid(resource: str, field_name: str, code: str = "invalid", message: str | None = None) -> Problem:
    """422 in GitHub's form; a message makes it a custom one."""
    error: Json = {"resource": resource, "field": field_name, "code": code}
    if message:
        error = {"resource": resource, "code": "custom", "message": message}
    return Problem(422, "Validation Failed", errors=[error])


def not_found() -> Problem:
    """404."""
    return Problem(404, "Not Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """An answer's value, to be written as JSON; None for an empty one."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request to one operation: its path parameters, its JSON, and who asks."""

    github: Server
    call: Call
    site: Site
    params: Mapping[str, str]
    data: Any
    token: Token | None

    @property
    def login(self) -> str:
        """Who asks."""
        return self.token.login if self.token else "ghost"

    @property
    def repo(self) -> Repository:
        """The repository of the path. Raises Problem 404."""
        found = self.github.repositories.get(f"{self.params['owner']}/{self.params['repo']}".lower())
        if found is None or (found.private and self.token is None):
            raise not_found()
        return found

    @property
    def issue(self) -> Issue:
        """The issue or pull request of the path. Raises Problem 404."""
        repo = self.repo
        repo.refresh()
        found = repo.issues.get(int(self.params["issue_number"]))
        if found is None:
            raise not_found()
        return found

    @property
    def pull(self) -> Pull:
        """The pull request of the path. Raises Problem 404."""
        repo = self.repo
        repo.refresh()
        found = repo.issues.get(int(self.params["pull_number"]))
        if not isinstance(found, Pull):
            raise not_found()
        return found

    def _count(self, name: str, default: int) -> int:
        text = self.call.query.get(name, "")
        return int(text) if text.isdigit() else default

    def page(self, items: Sequence[Any], show: Callable[[Any], Json]) -> Out:
        """One page of a list, with its Link header."""
        size = max(1, min(100, self._count("per_page", 30)))
        number = max(1, self._count("page", 1))
        last = max(1, -(-len(items) // size))
        links = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        if number <= 1:
            del links["prev"], links["first"]
        if number >= last:
            del links["next"], links["last"]
        headers = {}
        if links:
            path = self.site.root + urllib.parse.quote(self.call.path)
            query = {**self.call.query, "per_page": size}
            headers["Link"] = ", ".join(
                f'<{path}?{urllib.parse.urlencode({**query, "page": page})}>; rel="{name}"'
                for name, page in links.items()
            )
        shown = items[(number - 1) * size : number * size]
        return Out(value=[show(item) for item in shown], headers=headers)


#: One operation.
Handler = Callable[[Ask], Out]
