"""Helm charts and chart repositories, packed without a clock and without helm."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from upstreamsync.kit.yaml import syntax
from upstreamsync.testing.server import Content

#: Text or bytes of each file by its path.
Files = Mapping[str, str | bytes]

DEFAULT_CHART: Files = {
    "values.yaml": "greeting: hello\n",
    "templates/configmap.yaml": (
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        "  name: {{ .Release.Name }}\n"
        "  labels:\n"
        "    app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}\n"
        "data:\n"
        "  greeting: {{ .Values.greeting | quote }}\n"
    ),
}


def read_folder(folder: Path) -> dict[str, bytes]:
    """All regular files of ``folder`` by their path with forward slashes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def as_bytes(data: str | bytes) -> bytes:
    """Text as UTF-8, bytes as they are."""
    return data.encode() if isinstance(data, str) else data


def tarball(files: Files, prefix: str = "") -> bytes:
    """A .tar.gz that depends on nothing but ``files``: sorted, no dates, no owners."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(files):
            data = as_bytes(files[path])
            entry = tarfile.TarInfo(prefix + path)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def zipball(files: Files) -> bytes:
    """A .zip that depends on nothing but ``files``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(path), as_bytes(files[path]), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A packed chart: its metadata (Chart.yaml) and its archive."""

    metadata: Mapping[str, Any]
    archive: bytes

    @property
    def name(self) -> str:
        """The chart's name."""
        return str(self.metadata["name"])

    @property
    def version(self) -> str:
        """The chart's version."""
        return str(self.metadata["version"])

    @property
    def digest(self) -> str:
        """SHA-256 of the archive in hexadecimal, as an index writes it."""
        return hashlib.sha256(self.archive).hexdigest()


def make_chart(
    name: str,
    version: str,
    files: Files | Path | None = None,
    *,
    app_version: str | None = None,
    deprecated: bool = False,
) -> Chart:
    """Pack a chart from ``files`` (a mapping, a chart folder, or None for a minimal chart).

    A Chart.yaml among the files keeps its fields; name and version are set to those given.
    """
    content: dict[str, str | bytes] = {}
    content.update(read_folder(files) if isinstance(files, Path) else files or DEFAULT_CHART)
    given = content.get("Chart.yaml")
    metadata: dict[str, Any] = syntax.safe_load(given) if given else {}
    metadata = {"apiVersion": "v2", "type": "application", **metadata, "name": name, "version": version}
    metadata["appVersion"] = app_version or metadata.get("appVersion") or version
    if deprecated:
        metadata["deprecated"] = True
    content["Chart.yaml"] = syntax.safe_dump(metadata, sort_keys=True)
    return Chart(metadata=metadata, archive=tarball(content, f"{name}/"))


@dataclass(slots=True)
class ChartRepository:
    """One chart repository: archives, and an index made of their entries or given raw."""

    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    archives: dict[str, Content] = field(default_factory=dict)
    raw: Content | None = None
    _index: Content | None = None

    def add(self, chart: Chart, *, created: datetime | None, digest: str | None) -> None:
        """Publish ``chart``, in place of the same version; ``digest`` lies about it in the index."""
        versions = self.entries.setdefault(chart.name, [])
        file = f"{chart.name}-{chart.version}.tgz"
        when = created or datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=len(versions))
        entry = {
            **chart.metadata,
            "created": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "digest": digest or chart.digest,
            "urls": [file],
        }
        versions[:] = [entry, *(other for other in versions if other["version"] != chart.version)]
        self.archives[file] = Content(chart.archive, "application/gzip", modified=when)
        self._index = None

    def remove(self, name: str, version: str) -> None:
        """Withdraw a version: its entry and its archive are gone."""
        self.entries[name] = [entry for entry in self.entries[name] if entry["version"] != version]
        del self.archives[f"{name}-{version}.tgz"]
        self._index = None

    def index(self) -> Content:
        """index.yaml, sorted as helm writes it."""
        if self.raw is not None:
            return self.raw
        if self._index is None:
            document = {"apiVersion": "v1", "entries": self.entries, "generated": "2024-01-01T00:00:00.0Z"}
            text = syntax.dump(document, Dumper=_Plain, sort_keys=True, default_flow_style=False, width=10**6)
            self._index = Content(text.encode(), "text/yaml", modified=self._newest())
        return self._index

    def _newest(self) -> datetime | None:
        dates = [content.modified for content in self.archives.values() if content.modified is not None]
        return max(dates, default=None)

    def serve(self, rest: str) -> Content | None:
        """What stands at ``rest`` below the repository's URL."""
        return self.index() if rest == "index.yaml" else self.archives.get(rest)


class _Plain(syntax.SafeDumper):
    """Repeats shared values in place of anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
