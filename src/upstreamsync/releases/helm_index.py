"""Versions of a chart: from a repository's index.yaml, or from the tags of an OCI registry."""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urljoin, urlsplit, urlunsplit

from upstreamsync.config.spec import HelmReleases, Releases
from upstreamsync.errors import NotFound
from upstreamsync.kit.http import Response
from upstreamsync.kit.redact import redact
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release
from upstreamsync.releases import oci
from upstreamsync.releases.answers import moment
from upstreamsync.releases.index_cut import Entry, HelmIndex
from upstreamsync.releases.pack import remembered

#: Indexes beyond this size together are let go, the oldest first; reading one again costs little.
KEPT_BYTES = 12 * 1024 * 1024
#: Addresses and names that are joined by writing one behind the other.
_PLAIN_FOLDER = re.compile(r"https?://[\w.:\[\]-]+/(?:[A-Za-z0-9_~-][\w.~-]*/)*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*(?:/[A-Za-z0-9_][\w.+-]*)*")
_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def feed(spec: Releases, tools: Toolbox) -> Sequence[Sequence[Release]]:
    """The chart's versions, in the repository's order.

    An index is fetched once for all charts that stand in it; what was read of it is kept by its digest.
    """
    if spec.helm is None:
        return ()
    if spec.helm.repository.startswith("oci://"):
        return (oci.chart_versions(spec.helm, tools),)
    wanted = spec.helm
    response = tools.http.get(index_url(wanted.repository), allow_http=tools.allow_http)
    key = ["helm", response.digest, wanted.repository, wanted.chart]
    return (remembered(tools.cache, key, lambda: _read(response, wanted, tools)),)


def index_url(repository: str) -> str:
    """Where a chart repository has its index; a query of the repository's address is kept."""
    parts = urlsplit(repository)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/index.yaml", parts.query, ""))


def _read(response: Response, wanted: HelmReleases, tools: Toolbox) -> tuple[Release, ...]:
    index = tools.http.shared("helm-indexes", _Recent).open(response)
    entries = index.entries(wanted.chart)
    if not entries:
        close = difflib.get_close_matches(wanted.chart, index.charts, n=3)
        hint = f"did you mean {' or '.join(f'`{name}`' for name in close)}?" if close else None
        raise NotFound(
            f"the repository `{redact(wanted.repository)}` has no chart `{wanted.chart}`",
            hint=hint or "check the chart's name and the repository's address",
        )
    resolved = _resolver(wanted.repository)
    return tuple(_release(entry, resolved) for entry in entries)


class _Recent:
    """The indexes looked at last in this run, so that all charts of one are cut from the same bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opening: dict[str, threading.Lock] = {}
        self._kept: dict[str, HelmIndex] = {}

    def open(self, response: Response) -> HelmIndex:
        """The index of a response; while one thread looks at it, the others that want it wait."""
        with self._lock:
            mine = self._opening.setdefault(response.digest, threading.Lock())
        with mine:
            with self._lock:
                index = self._kept.pop(response.digest, None)
            index = index or HelmIndex(response.body)
            with self._lock:
                self._kept[response.digest] = index
                while len(self._kept) > 1 and sum(len(one.data) for one in self._kept.values()) > KEPT_BYTES:
                    del self._kept[next(iter(self._kept))]
        return index


def _release(entry: Entry, resolved: Callable[[str], str]) -> Release:
    version = f"{entry['version']}"
    app_version = entry.get("appVersion")
    digest = _HEX.fullmatch(str(entry.get("digest", "")).lower())
    deprecated = str(entry.get("deprecated", "")).lower() in {"true", "yes", "on", "y"}
    return Release(
        version=version,
        ref=version,
        published=moment(entry.get("created")),
        digest=f"sha256:{digest[1]}" if digest else None,
        app_version=app_version if isinstance(app_version, str) and app_version else None,
        download=tuple(map(resolved, entry["urls"])),
        note="deprecated upstream" if deprecated else None,
    )


def _resolver(repository: str) -> Callable[[str], str]:
    """A chart's address: relative ones to the repository, whose query they take along, as Helm does it."""
    base = urlsplit(repository)
    folder = urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + "/", "", ""))
    plain = _PLAIN_FOLDER.fullmatch(folder) is not None and not base.query

    def resolved(url: str) -> str:
        if url.startswith(("https://", "http://")):
            return url
        if plain and _PLAIN_NAME.fullmatch(url):  # most are; `urljoin` costs 30 times as much
            return folder + url
        try:
            joined = urljoin(folder, url)
        except ValueError:
            return url
        if base.query and not urlsplit(url).scheme and "?" not in url:
            joined += f"?{base.query}"
        return joined

    return resolved
