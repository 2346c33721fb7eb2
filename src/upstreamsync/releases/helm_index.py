"""Versions of a chart: from a repository's index.yaml, or from the tags of an OCI registry."""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urljoin, urlsplit, urlunsplit

from upstreamsync.config.spec import HelmReleases, Releases
from upstreamsync.errors import NotFound, UpstreamsyncError
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.kubernetes.chart_index import Entry, HelmIndex
from upstreamsync.kit.redact import redact
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release
from upstreamsync.releases import oci
from upstreamsync.releases.answers import timestamp
from upstreamsync.releases.pack import remembered

#: Indexes up to this size together stay decoded, should more charts of them be asked for.
KEPT_BYTES = 4 * 1024 * 1024
_Read = tuple[tuple[Entry, ...] | None, tuple[str, ...]]
#: Addresses and names that are joined by writing one behind the other.
_PLAIN_FOLDER = re.compile(r"https?://[\w.:\[\]-]+/(?:[A-Za-z0-9_~-][\w.~-]*/)*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*(?:/[A-Za-z0-9_][\w.+-]*)*")
#: All versions of a chart that are dated within so short a time were dated together.
_ONE_INDEXING = timedelta(minutes=2)
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
    key, part = ["helm", response.digest], [wanted.repository, wanted.chart]

    def read() -> tuple[Release, ...]:
        return remembered(tools.cache, key, lambda: _read(response, wanted, tools), part=part)

    return (tools.http.shared("helm-charts", _Charts).get((*key, *part), read),)


def announce(spec: Releases, tools: Toolbox) -> None:
    """Say that a chart's versions will be asked for in this run, so that its index is read once for all."""
    if spec.helm is not None and not spec.helm.repository.startswith("oci://"):
        reader = tools.http.shared("helm-indexes", _Reader)
        reader.announce(index_url(spec.helm.repository), spec.helm.chart)


def index_url(repository: str) -> str:
    """Where a chart repository has its index; a query of the repository's address is kept."""
    parts = urlsplit(repository)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/index.yaml", parts.query, ""))


def _read(response: Response, wanted: HelmReleases, tools: Toolbox) -> tuple[Release, ...]:
    reader = tools.http.shared("helm-indexes", _Reader)
    entries, charts = reader.read(response, index_url(wanted.repository), wanted.chart)
    if not entries:
        close = difflib.get_close_matches(wanted.chart, charts, n=3)
        hint = f"did you mean {' or '.join(f'`{name}`' for name in close)}?" if close else None
        raise NotFound(
            f"the repository `{redact(wanted.repository)}` has no chart `{wanted.chart}`",
            hint=hint or "check the chart's name and the repository's address",
        )
    resolved = _resolver(wanted.repository)
    return _dated(tuple(_release(entry, resolved) for entry in entries))


def _dated(releases: tuple[Release, ...]) -> tuple[Release, ...]:
    """The releases, whose dates may be nothing but that of the index.

    `helm repo index` without `--merge` writes the time of indexing to every version, each time anew: by then they
    were on offer at the latest.
    """
    dates = [one.published for one in releases if one.published is not None]
    if len(dates) < 2 or max(dates) - min(dates) > _ONE_INDEXING:
        return releases
    return tuple(replace(one, published=None, known_by=one.published) for one in releases)


class _Charts:
    """What was read of each chart in this run: vendors that follow the same one share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[tuple[str, ...], Future[tuple[Release, ...]]] = {}

    def get(self, key: tuple[str, ...], read: Callable[[], tuple[Release, ...]]) -> tuple[Release, ...]:
        """What ``read`` gives; it is called once for each key, and again where it could not."""
        with self._lock:
            known = self._read.get(key)
            mine = self._read[key] = known or Future()
        if known is not None:
            with suppress(UpstreamsyncError):
                return known.result()
            return read()  # who asks gets an error of its own, and is not held to another's time
        try:
            releases = read()
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(releases)
        return releases


class _Reader:
    """Reads indexes, one at a time and in one thread, so that no more than the largest is held decoded.

    More threads would gain nothing, as Python reads with one of them at a time, and what each of them has
    freed stays with it. An index is read in one pass for all charts that were announced for it, and for those
    that are wanted by then; what was read for others waits until they ask.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upstreamsync-index")
        self._lock = threading.Lock()
        self._wanted: dict[str, list[tuple[str, Future[_Read]]]] = {}
        self._recent: dict[str, HelmIndex] = {}
        self._announced: dict[str, list[str]] = {}
        self._ready: dict[tuple[str, str], _Read] = {}

    def announce(self, url: str, chart: str) -> None:
        """A chart will be asked of the index at ``url`` in this run."""
        with self._lock:
            charts = self._announced.setdefault(url, [])
            if chart not in charts:
                charts.append(chart)

    def read(self, response: Response, url: str, chart: str) -> _Read:
        """A chart's entries, None where it is not in there, and the names of those that are.

        ``url`` is where the index was asked for.
        """
        future: Future[_Read] = Future()
        with self._lock:
            ready = self._ready.pop((response.digest, chart), None)
            if ready is not None:
                return ready
            self._wanted.setdefault(response.digest, []).append((chart, future))
        self._thread.submit(self._serve, response, url)
        return future.result()

    def _serve(self, response: Response, url: str) -> None:
        with self._lock:
            wanted = self._wanted.pop(response.digest, [])  # none where others have asked for them, too
            asked = {chart for chart, _ in wanted}
            later = [chart for chart in self._announced.pop(url, ()) if chart not in asked] if wanted else []
        index: HelmIndex | None = None
        for chart, future in wanted:
            with self._lock:
                ready = self._ready.pop((response.digest, chart), None)
            try:
                if ready is None:
                    index = index or self._open(response)
                    ready = (index.entries(chart), index.charts)
                future.set_result(ready)
            except BaseException as error:
                future.set_exception(error)
        if index is None or not index.plain or len(index.data) <= KEPT_BYTES:
            return  # small ones stay open, and where nothing can be cut out, each chart is a pass of its own
        for chart in later:
            with suppress(UpstreamsyncError):  # who asks for it is told
                found = (index.entries(chart), index.charts)
                with self._lock:
                    self._ready[(response.digest, chart)] = found

    def _open(self, response: Response) -> HelmIndex:
        index = self._recent.pop(response.digest, None)
        if index is None:
            while self._recent and response.size + self._held() > KEPT_BYTES:
                del self._recent[next(iter(self._recent))]
            index = HelmIndex(response.open())
        if len(index.data) <= KEPT_BYTES:
            self._recent[response.digest] = index
        return index

    def _held(self) -> int:
        return sum(len(one.data) for one in self._recent.values())


def _release(entry: Entry, resolved: Callable[[str], str]) -> Release:
    version = f"{entry['version']}"
    app_version = entry.get("appVersion")
    digest = _HEX.fullmatch(str(entry.get("digest", "")).lower())
    deprecated = str(entry.get("deprecated", "")).lower() in {"true", "yes", "on", "y"}
    return Release(
        version=version,
        ref=version,
        published=timestamp(entry.get("created")),
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
