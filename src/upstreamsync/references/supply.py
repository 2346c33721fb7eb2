"""Everything that two trees need from outside, with what that needs in its turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from upstreamsync.errors import Refused, Unreachable, UpstreamsyncError
from upstreamsync.kit.http.inside import Inside, Named, public_addresses
from upstreamsync.kit.kubernetes.foreign import Breach, breaches, refuse
from upstreamsync.kit.kubernetes.kustomizations import is_address
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.references.fetch import Content, Fetcher, nested
from upstreamsync.references.permits import Permits
from upstreamsync.references.remote import ChartVersion, GitChart, Remote, WebFile

#: How deep content that was fetched may name further content.
_DEPTH: Final = 5


@dataclass(slots=True)
class Supply:
    """Content by what it was asked as, or the error in its place."""

    fetcher: Fetcher
    permits: Permits
    jobs: int
    _found: dict[Remote, Content] = field(default_factory=dict)
    _errors: dict[Remote, UpstreamsyncError] = field(default_factory=dict)

    def gather(self, wanted: Iterable[Remote], *, trusted: bool) -> None:
        """Fetch what is wanted and what that names; ``trusted`` content may name further repositories."""
        waiting = list(dict.fromkeys(wanted))
        for depth in range(_DEPTH):
            new = [one for one in waiting if one not in self._found and one not in self._errors]
            if not new:
                return
            permits = self.permits

            def fetch(remote: Remote, permits: Permits = permits, theirs: bool = depth > 0) -> Content:
                if theirs:
                    _refuse_inside(remote, self.fetcher.tools.http.named)
                content = self.fetcher.content(remote, permits)
                _refuse_foreign(remote, content)
                return content

            for remote, outcome in zip(new, ordered_map(fetch, new, self.jobs), strict=True):
                if outcome.error is not None:
                    self._errors[remote] = outcome.error
                else:
                    self._found[remote] = outcome.get()
            waiting = [inner for one in new if one in self._found for inner in self.inner(one)]
            if trusted:
                self.permits = self.permits.also(waiting)
        for one in waiting:
            self._errors.setdefault(one, Refused(f"`{one}` is named by content that is named by content"))

    def inner(self, remote: Remote) -> Iterator[Remote]:
        """What the kustomizations of fetched content name outside of it."""
        if not isinstance(remote, ChartVersion | GitChart):
            yield from (found for _, found in nested(self._found[remote]))

    def error(self, remote: Remote) -> UpstreamsyncError | None:
        """Why it can't be had: by itself, or because of what it needs; None when all is there."""
        seen, waiting = set[Remote](), [remote]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            if one in self._errors:
                return self._errors[one]
            if one in self._found:
                waiting += self.inner(one)
        return None

    def content(self, remote: Remote) -> Content:
        """What was fetched."""
        return self._found[remote]


def _refuse_inside(remote: Remote, named: Named) -> None:
    """Refuse what content of upstream's names on this machine or in its network; the user's own may be there."""
    address = remote.url if isinstance(remote, WebFile) else remote.repository
    parts = urlsplit(address)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    if remote.host and named.has(remote.host, port):
        return
    if parts.scheme != "https" or not remote.host:
        raise Refused(f"`{remote}` is named by what was fetched, and is not an https:// address")
    try:
        public_addresses(remote.host, port)
    except Inside as inside:
        raise Refused(f"`{remote}` is named by what was fetched, and lies inside: {inside}") from None
    except OSError as error:
        raise Unreachable(f"`{remote}`: {error.strerror or error}") from None


def _refuse_foreign(remote: Remote, content: Content) -> None:
    """Hold kustomizations of others to the one rule; what they collect from elsewhere is laid in as well."""
    if isinstance(remote, ChartVersion | GitChart):
        return
    files = {file.path: file.data for file in content.files}
    found = [one for one in breaches(files) if not _is_laid(one)]
    refuse(found, f"`{remote}`")


def _is_laid(breach: Breach) -> bool:
    reference = breach.reference
    collected = reference.field.lower() in ("resources", "bases", "components")
    return breach.allow == "remote" and collected and is_address(reference.text)
