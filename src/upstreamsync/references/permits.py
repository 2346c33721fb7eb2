"""What may be asked when a change is judged that perhaps a stranger wrote.

The revision that a change stands on was accepted by somebody; what it names is asked. What only the change
names is not: it could make the machine that judges it fetch from a host inside, or read with this machine's
credentials what its author may not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from upstreamsync.errors import Refused
from upstreamsync.kit.http.inside import NOBODY, Named
from upstreamsync.kit.http.inside import named as allowed
from upstreamsync.references.remote import Remote, WebFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Permits:
    """``scopes`` are repositories and servers that the base revision names, ``hosts`` those that the user allows."""

    scopes: frozenset[str] = frozenset()
    hosts: Named = NOBODY
    offline: bool = False

    @classmethod
    def of(cls, named: Iterable[Remote], hosts: Collection[str], *, offline: bool = False) -> Permits:
        """What the base revision names, and what the user allows besides."""
        return cls(
            scopes=frozenset(remote.scope for remote in named),
            hosts=allowed(hosts),
            offline=offline,
        )

    def also(self, named: Iterable[Remote]) -> Permits:
        """The same with what the content that the base revision names names in its turn."""
        more = frozenset(remote.scope for remote in named)
        return Permits(scopes=self.scopes | more, hosts=self.hosts, offline=self.offline)

    def knows(self, remote: Remote) -> bool:
        """Whether something may be asked, or read where it lies here, by who names it."""
        return remote.scope in self.scopes or bool(remote.host and self.hosts.has(remote.host, _port(remote)))

    def check(self, remote: Remote) -> None:
        """Raise Refused for what may not be asked."""
        if self.offline:
            raise Refused(f"`{remote}` was not asked for: --offline", hint="leave --offline out")
        if self.knows(remote):
            return
        raise Refused(
            f"`{remote}` was not asked for: only this change names {remote.scope.strip('/') or 'it'}",
            hint=f"judge it with `--allow-host {remote.host}` if you trust the change"
            if remote.host
            else "name it in the revision that the change is compared with",
        )


def _port(remote: Remote) -> int:
    """The port that would be asked, 0 where the scheme has none of its own."""
    address = remote.url if isinstance(remote, WebFile) else remote.repository
    parts = urlsplit(address)
    return parts.port or {"https": 443, "http": 80, "oci": 443, "ssh": 22}.get(parts.scheme, 0)
