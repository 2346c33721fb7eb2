"""The connections of a run to everything outside, and its one look at the clock."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.kit.http.client import Http
from upstreamsync.kit.http.credentials import Credentials, upstream_github
from upstreamsync.kit.http.inside import Named, named, named_in
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.project.settings import Settings, engines

if TYPE_CHECKING:  # loaded where they are used: `check` is to start quickly
    from upstreamsync.config.spec import Tools
    from upstreamsync.kit.git.remote import Git
    from upstreamsync.kit.run.aside import Aside


class Connections:
    """The connections of a run, each opened when it is first used, and the run's one look at the clock.

    Close them, or use them as a context manager; then they may be used again.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.now = settings.now or datetime.now(UTC)
        self.github_api = upstream_github(settings.environment)
        self.cache = settings.cache()
        self.credentials = Credentials.from_environment(settings.environment)
        self.http = Http(
            cache=self.cache,
            credentials=self.credentials,
            jobs=settings.network_jobs,
            timeout=settings.timeout,
            total_timeout=settings.total_timeout,
            attempts=settings.attempts,
            max_wait=settings.max_wait,
            max_body=settings.max_body,
            offline=settings.offline,
            named=_named_by(settings),
        )
        self._lock = threading.Lock()
        self._git: Git | None = None
        self._aside: Aside | None = None

    def name_hosts(self, text: str, allow_hosts: Sequence[str] = ()) -> None:
        """Let the hosts that the user wrote into ``text`` (vendors.yaml), or allowed there, lie inside."""
        self.http.named |= named_in(text) | named(allow_hosts)

    @property
    def git(self) -> Git:
        """Other people's repositories; one client for all threads, as it asks each of them once."""
        from upstreamsync.kit.git.remote import Git

        with self._lock:
            if self._git is None:
                self._git = Git(
                    cache=self.cache,
                    credentials=self.credentials,
                    allow_local=self.settings.allow_local,
                    timeout=self.settings.tool_timeout,
                    jobs=self.settings.network_jobs,
                    attempts=self.settings.attempts,
                    offline=self.settings.offline,
                    locate=self._located,
                )
            return self._git

    def is_sound(self, data: bytes) -> bool:
        """As ``kit.yaml.form.is_sound``; large texts may be looked at by a process of their own."""
        return self.aside(data)

    @property
    def aside(self) -> Aside:
        """The process for large texts; it begins when there are many."""
        from upstreamsync.kit.run.aside import Aside
        from upstreamsync.kit.yaml.form import is_sound

        with self._lock:
            if self._aside is None:
                self._aside = Aside(is_sound, possible=self.settings.processes > 1)
            return self._aside

    def _located(self, url: str) -> str:
        """Where an address leads to in the end, each step judged as any that upstream names."""
        return self.http.get(url, headers={"git-protocol": "version=2"}).url

    @property
    def idle(self) -> bool:
        """Whether nothing was asked yet."""
        return self._git is None and not self.http.requests

    def close(self) -> None:
        """Close connections, and forget what was asked."""
        self.http.close()
        if self._git is not None:
            self._git.close()
        if self._aside is not None:
            self._aside.close()


def _named_by(settings: Settings) -> Named:
    """The hosts that options and environment name. An Enterprise server has some more beside its own."""
    environment = settings.environment
    texts = [
        environment.get(name, "")
        for name in ("GITHUB_API_URL", "GITHUB_SERVER_URL", "UPSTREAMSYNC_TOOLS_MIRROR")
    ]
    found = named(settings.allow_hosts) | named_in(" ".join(texts))
    beside = {
        (f"{part}.{host}", port)
        for host, port in found.hosts
        for part in ("codeload", "media", "raw", "uploads")
    }
    return found | Named(hosts=frozenset(beside))


def toolbox(connections: Connections, tools: Tools | None, root: Path) -> Toolbox:
    """The tools of a run, behind connections that somebody else closes."""
    return Toolbox(
        http=connections.http,
        git=connections.git,
        engines=engines(connections.settings, tools, connections.cache),
        cache=connections.cache,
        root=root,
        now=connections.now,
        allow_commands=connections.settings.allow_commands,
        github_api=connections.github_api,
        is_sound=connections.is_sound,
    )
