"""How git is run, and what it may be given: what ``remote`` and ``repository`` stand on.

The program itself, not GitPython: importing that costs 95 ms, more than all the git of a usual run, and
its operations are the same processes with a wrapper around each (twice as slow when measured).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from upstreamsync.errors import Refused, UsageError
from upstreamsync.kit.http.credentials import basic, is_loopback
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import process

#: The user's, for credential helpers, ssh and proxies. Everything of git's own (GIT_*) stays outside.
_PASSED_ON = (
    "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "GNUPGHOME",
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
)  # fmt: skip

#: No hooks or other programs that a repository's configuration names, no submodules, no upkeep meanwhile.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.symlinks=false",
    "protocol.ext.allow=never",
    # A folder of a checkout that looks like a repository is none: its configuration would be a stranger's.
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "advice.detachedHead=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_INSTALL = "install git 2.30 or newer"
DEFAULT_TIMEOUT = 120.0

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
#: What git's check-ref-format allows, and no more than one line of plain characters.
_REF = re.compile(r"(?![-+/.@])(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|\Z)))[^\x00-\x20\x7f~^:?*\[\\]+(?<![/.])")
_SCP = re.compile(r"(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*:(?!-|:)[^\s:][^\s]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A repository's address that was found good; ``authorization`` is what its user and password make."""

    url: str
    protocols: str
    authorization: str | None = None


def run(
    *words: str,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    protocols: str = "",
    stdin: bytes | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    limit: int = process.DEFAULT_LIMIT,
    accept_failure: bool = False,
) -> process.Completed:
    """Run git in ``folder``; raises as ``process.run``. ``protocols`` are those that it may fetch with."""
    argv = ["git"]
    for setting in _SETTINGS:
        argv += ["-c", setting]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if authorities := os.environ.get("SSL_CERT_FILE"):
        environment["GIT_SSL_CAINFO"] = authorities
    environment |= {
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": protocols or "none",
        # `git status` would otherwise refresh, that is write, the user's index.
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }
    environment.update(env or {})
    return process.run(
        [*argv, *words],
        cwd=folder,
        env=environment,
        stdin=stdin,
        timeout=timeout,
        limit=limit,
        hint=_INSTALL,
        accept_failure=accept_failure,
    )


def checked_address(url: str, *, allow_local: bool = False) -> Address:
    """An address that git may be given: https, ssh, ``git@host:path``, http on this machine.

    ``allow_local`` adds file:// and plain paths. Raises UsageError for what is no address, Refused for
    one that could make git do something else.
    """
    where = redact(url)
    if not url or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise UsageError(
            f"`{where}` is not the address of a git repository", hint="it should begin with https://"
        )
    scheme, separator, _ = url.partition("://")
    if url.startswith("-") or "::" in url.partition("/")[0]:
        raise Refused(f"`{where}` is not an address but an instruction to git", hint=_ADDRESS)
    if not separator:
        # `git` itself takes for a path whatever has a slash before its first colon.
        if _SCP.fullmatch(url) and "/" not in url.partition(":")[0]:
            return Address(url=url, protocols="ssh")
        if allow_local:
            return Address(url=url, protocols="file")
        raise Refused(f"`{where}` is a path on this machine, not an address", hint=_ADDRESS)
    if scheme == "file" and allow_local:
        return Address(url=url, protocols="file")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError as error:
        raise UsageError(f"`{where}` is not a URL: {error}", hint=_ADDRESS) from None
    if not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise Refused(f"`{where}` does not name a host", hint=_ADDRESS)
    if scheme == "ssh":
        return Address(url=url, protocols="ssh")
    if scheme == "https" or (scheme == "http" and is_loopback(host)):
        if "@" not in parts.netloc:
            return Address(url=url, protocols=scheme)
        # Into a header that is passed in the environment: command lines can be read by anybody.
        authority = (f"[{host}]" if ":" in host else host) + port
        return Address(
            url=urlunsplit((scheme, authority, parts.path, parts.query, "")),
            protocols=scheme,
            authorization=basic(unquote(parts.username or ""), unquote(parts.password or "")),
        )
    raise Refused(f"`{where}`: git is not used over {scheme}://", hint=_ADDRESS)


_ADDRESS = "use https://…, ssh://… or git@host:path"


def checked_ref(name: str) -> str:
    """A branch, tag or commit as git allows it, that can't be taken for an option; raises Refused."""
    if COMMIT.fullmatch(name) or (len(name) <= 250 and _REF.fullmatch(name)):
        return name
    raise Refused(f"`{redact(name)[:120]!r}` is not a name that git allows for a branch or tag")


def remote_environment(
    address: Address, headers: Mapping[str, str], *, known_as: str | None = None
) -> dict[str, str]:
    """The environment that makes git ask ``address`` and nobody else, with its credentials if there are any.

    curl follows a redirect wherever it leads, also to this machine, and takes the headers along that git adds:
    so none is followed. ``known_as`` is what the store calls a repository that has moved to ``address``.
    """
    if not address.url.startswith(("https://", "http://")):
        return {}
    settings = [("http.followRedirects", "false")]
    if known_as is not None:
        settings.append((f"url.{address.url}.insteadOf", known_as))
    value = address.authorization or headers.get("authorization")
    if value is not None:
        if value.startswith("Bearer "):
            # What forges' APIs take as a bearer token, their git takes as the password of any user.
            value = basic("x-access-token", value.removeprefix("Bearer "))
        parts = urlsplit(address.url)
        settings.append((f"http.{parts.scheme}://{parts.netloc}/.extraHeader", f"Authorization: {value}"))
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, setting) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": setting}
    return environment


def records(output: bytes) -> list[str]:
    """The fields of an output that is separated by NUL."""
    return [part.decode("utf-8", "surrogateescape") for part in output.split(b"\0") if part]


def listed(paths: Iterable[str]) -> bytes:
    """Paths as git reads them with ``-z --stdin``."""
    return "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")


def literal(path: str) -> str:
    """A path of the repository as a pathspec that means this one file or folder alone."""
    return f":(top,literal){path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a tree; ``size`` is None where git was not asked, or does not have the content."""

    path: str
    mode: str
    kind: str
    oid: str

    @property
    def regular(self) -> bool:
        """A file with content of its own: no link, no submodule, no folder."""
        return self.kind == "blob" and self.mode in {"100644", "100755", "100664"}


def tree(output: bytes) -> list[Entry]:
    """Read what ``git ls-tree -z`` printed."""
    entries = []
    for record in records(output):
        facts, _, path = record.partition("\t")
        mode, kind, oid = facts.split()[:3]
        entries.append(Entry(path=path, mode=mode, kind=kind, oid=oid))
    return entries


def blobs(output: bytes, wanted: Sequence[str]) -> dict[str, bytes]:
    """Read what ``git cat-file --batch`` printed for ``wanted``; absent objects are left out."""
    found: dict[str, bytes] = {}
    position = 0
    for oid in wanted:
        end = output.index(b"\n", position)
        fields = output[position:end].split()
        position = end + 1
        if len(fields) != 3:
            continue
        size = int(fields[2])
        found[oid] = output[position : position + size]
        position += size + 1
    return found
