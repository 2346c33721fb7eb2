"""Which credentials belong to which host: tokens by host, netrc, docker's and helm's registry files.

Nothing is asked of anybody and nothing is guessed: a host without an entry gets nothing. Everything that
is read is registered with ``redact``.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from upstreamsync.errors import ToolError
from upstreamsync.kit import redact

#: Where a token for github.com may go; nowhere else.
GITHUB_HOSTS = (
    "api.github.com",
    "github.com",
    "uploads.github.com",
    "codeload.github.com",
    "raw.githubusercontent.com",
)
_DOCKER_HUB = frozenset(("docker.io", "index.docker.io", "registry-1.docker.io"))
_HELPER = re.compile(r"[A-Za-z0-9_-]+")
_NONE: Mapping[str, str] = MappingProxyType({})


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine by its name alone: 127.0.0.0/8, ::1 or ``localhost``."""
    if not host:
        return False
    if host.lower() == "localhost":
        return True
    if not host[-1].isdigit() and ":" not in host:
        return False  # a name
    from ipaddress import ip_address

    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def basic(user: str, password: str) -> str:
    """The value of an Authorization header for a user and password; both are registered as secrets."""
    redact.register_basic(user, password)
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


PUBLIC_API = "https://api.github.com"


def upstream_github(env: Mapping[str, str]) -> str:
    """The API of the GitHub that upstreams are at: github.com, wherever the user's own repository lies.

    UPSTREAMSYNC_GITHUB_API_URL names another one. A server on this machine stands for all of GitHub.
    """
    if named := env.get("UPSTREAMSYNC_GITHUB_API_URL", "").rstrip("/"):
        return named
    forge = env.get("GITHUB_API_URL", "").rstrip("/")
    return forge if is_loopback(urlsplit(forge).hostname) else PUBLIC_API


def _hosts_of(api: str) -> tuple[str, ...]:
    """The hosts that take the tokens of that API: an enterprise at ghe.com has its repositories beside the API."""
    host = urlsplit(api).netloc.lower()
    if host.startswith("api.") and host.endswith(".ghe.com"):
        return host, host.removeprefix("api.")
    return GITHUB_HOSTS if host == "api.github.com" else (host,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What is known about hosts. ``tokens`` maps ``host`` or ``host:port`` to an Authorization value.

    ``netrc`` and the ``registries`` files (docker's config.json and helm's, first match wins) may be
    absent. ``environment`` is what docker's credential helpers are started with, besides PATH.
    """

    tokens: Mapping[str, str] = field(default_factory=lambda: _NONE, repr=False)
    netrc: Path | None = None
    registries: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: _NONE, repr=False)

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Credentials:
        """What the surroundings offer: UPSTREAMSYNC_TOKEN, else GITHUB_TOKEN, and the usual files.

        The token is for github.com's hosts, or for the host of GITHUB_API_URL when that is another one. Then
        UPSTREAMSYNC_GITHUB_TOKEN is the one for the GitHub that upstreams are at.
        """
        env = os.environ if env is None else env
        home = Path(env.get("HOME") or env.get("USERPROFILE") or os.path.expanduser("~"))
        tokens: dict[str, str] = {}
        for token, api in (
            (env.get("UPSTREAMSYNC_GITHUB_TOKEN"), upstream_github(env)),
            (env.get("UPSTREAMSYNC_TOKEN") or env.get("GITHUB_TOKEN"), env.get("GITHUB_API_URL")),
        ):
            if word := (token or "").strip():
                redact.register(word)
                for host in _hosts_of(api or PUBLIC_API):
                    tokens.setdefault(host, f"Bearer {word}")
        docker = Path(env["DOCKER_CONFIG"]) if env.get("DOCKER_CONFIG") else home / ".docker"
        config = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else home / ".config"
        helm = Path(env.get("HELM_REGISTRY_CONFIG") or config / "helm" / "registry" / "config.json")
        return cls(
            tokens=MappingProxyType(tokens),
            netrc=Path(env.get("NETRC") or home / ".netrc"),
            registries=(helm, docker / "config.json"),
            environment={name: env[name] for name in ("HOME", "XDG_RUNTIME_DIR") if name in env},
        )

    def for_url(self, url: str) -> Mapping[str, str]:
        """The headers to send to the host of ``url``; none over plain HTTP, but to this machine."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme != "https" and not is_loopback(host):
            return _NONE
        authority = parts.netloc.rpartition("@")[2].lower()
        if value := self.tokens.get(authority):
            return {"authorization": value}
        # A token that is named for a host without a port is for the scheme's own port alone.
        if parts.port in {None, 443} and (value := self.tokens.get(host)):
            return {"authorization": value}
        if self.netrc is not None and (entry := _netrc(self.netrc).get(host)):
            return {"authorization": basic(*entry)}
        return _NONE

    def for_registry(self, host: str) -> tuple[str, str] | None:
        """User and password for an OCI registry (``host`` or ``host:port``), from helm's or docker's files.

        An identity token comes with the user ``<token>``, as docker's helpers write it.
        """
        wanted = {name.lower() for name in (_DOCKER_HUB if host.lower() in _DOCKER_HUB else (host,))}
        for file in self.registries:
            document = _json(file)
            helpers = document.get("credHelpers")
            if isinstance(helpers, dict):
                for name, helper in helpers.items():
                    if _authority(name) in wanted and (pair := self._ask(helper, name)):
                        return pair
            auths = document.get("auths")
            for name, entry in auths.items() if isinstance(auths, dict) else ():
                if _authority(name) in wanted and (pair := _decoded(entry)):
                    return pair
            if store := document.get("credsStore"):
                names = ["https://index.docker.io/v1/"] if host.lower() in _DOCKER_HUB else [host]
                for name in names:
                    if pair := self._ask(store, name):
                        return pair
        return None

    def _ask(self, helper: object, name: str) -> tuple[str, str] | None:
        """What ``docker-credential-HELPER get`` says; None when it knows nothing or is not there."""
        if not isinstance(helper, str) or not _HELPER.fullmatch(helper):
            return None
        from upstreamsync.kit.run import process

        try:
            answer = process.run(
                [f"docker-credential-{helper}", "get"],
                env=self.environment,
                stdin=name.encode(),
                timeout=20.0,
                limit=1 << 20,
            )
            document = json.loads(answer.stdout)
        except (ToolError, ValueError):
            return None
        if not isinstance(document, dict):
            return None
        return _pair(document.get("Username"), document.get("Secret"))


def _pair(user: object, password: object) -> tuple[str, str] | None:
    if not isinstance(user, str) or not isinstance(password, str) or not password:
        return None
    redact.register_basic(user, password)
    return user, password


def _decoded(entry: object) -> tuple[str, str] | None:
    """One entry of ``auths``: an identity token, ``auth`` in base64, or user and password."""
    if not isinstance(entry, dict):
        return None
    if token := entry.get("identitytoken"):
        return _pair("<token>", token)
    if isinstance(auth := entry.get("auth"), str) and auth:
        try:
            user, _, password = base64.b64decode(auth).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return _pair(user, password.rstrip("\0"))
    return _pair(entry.get("username"), entry.get("password"))


def _authority(name: str) -> str:
    """``https://host:port/v1/`` → ``host:port``."""
    return name.rpartition("://")[2].partition("/")[0].lower()


def _json(file: Path) -> dict[str, object]:
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


@cache
def _netrc(file: Path) -> Mapping[str, tuple[str, str]]:
    """Host → (user, password). A file that can't be read, or that others may read, has no entries."""
    if not os.path.exists(file):
        return _NONE  # type: ignore[return-value]
    import netrc

    try:
        hosts = netrc.netrc(str(file)).hosts
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return _NONE  # type: ignore[return-value]
    return {
        host.lower(): (user, password or "")
        for host, (user, _, password) in hosts.items()
        if host != "default"
    }
