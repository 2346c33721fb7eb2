"""Charts from a repository or a registry, over the network, without anything of vendors.yaml.

helm does not compare a downloaded archive with the digest that the repository's index gives for it, so it
is never let near a repository: it is handed what this module has fetched and verified.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from upstreamsync.errors import Malformed, NotFound, Refused, Unreachable
from upstreamsync.kit.digests import sha256
from upstreamsync.kit.http.oci import Oci
from upstreamsync.kit.kubernetes.charts import index_entry, metadata, newest_with_app_version, refuse_pointers
from upstreamsync.kit.redact import redact
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import ContentFile, Resolved
from upstreamsync.sources import checksums

#: The largest charts in the wild have some 2 MB; the limit is helm's own.
ARCHIVE_LIMIT = 100 * 1024 * 1024
_INDEX_LIMIT = 256 * 1024 * 1024
_PROVENANCE_LIMIT = 1024 * 1024
_CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_OLD_CHART_LAYER = "application/tar+gzip"
_PROVENANCE_LAYER = "application/vnd.cncf.helm.chart.provenance.v1.prov"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart, verified: an archive, or (with ``archive`` None) the files of a folder.

    ``files`` are relative to the chart. ``digest`` stands for all of its content, ``provenance`` is the
    signature file that lies beside an archive, ``resolved`` has the facts for the lock: the chart's own
    first, then those of dependencies that were fetched for it.
    """

    name: str
    files: tuple[ContentFile, ...]
    digest: str
    resolved: tuple[Resolved, ...]
    archive: bytes | None = None
    provenance: bytes | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartClient:
    """Fetches charts; each archive is held against its index, or its registry's digests.

    ``promised`` is told each archive's address and bytes, and raises where it was promised to be another.
    """

    tools: Toolbox
    promised: Callable[[str, bytes], None] = lambda _url, _data: None

    def by_app_version(
        self, repository: str, name: str, app_version: str
    ) -> tuple[tuple[str, ...], str | None]:
        """URLs and digest of the newest chart with an appVersion. Raises NotFound when there is none."""
        index, where = self._index(repository)
        entry = newest_with_app_version(index, name, app_version, where)
        hint = "a chart for it may still be to come; or check `helm.app_version`"
        return _listed(entry, repository, where, f"`{name}` with the appVersion {app_version}", hint=hint)

    def lookup(
        self, repository: str, name: str, versions: tuple[str, ...]
    ) -> tuple[tuple[str, ...], str | None]:
        """URLs and digest of a chart in a repository's index. Raises NotFound for a version not in it."""
        index, where = self._index(repository)
        entry = index_entry(index, name, versions, where)
        hint = "check the chart's name; a version may have been withdrawn"
        return _listed(entry, repository, where, f"`{name}` {versions[0]}", hint=hint)

    def from_urls(
        self, name: str, urls: tuple[str, ...], digest: str | None, *, provenance: bool = False
    ) -> Chart:
        """An archive from the first address that has it, held against the digest that the index gives.

        Raises the first address's NotFound or Unreachable when none has it, DigestMismatch, and Refused when
        no address is one that can be fetched from.
        """
        failure: NotFound | Unreachable | None = None
        for url in urls:
            try:
                if url.startswith("oci://"):
                    return self._listed_in_registry(url, digest, provenance=provenance)
                if urlsplit(url).scheme in {"http", "https"}:
                    return self._from_url(name, url, digest, provenance=provenance)
            except (NotFound, Unreachable) as error:
                failure = failure or error
        raise failure or Refused(
            f"the index gives no address for `{name}` that can be fetched from: {', '.join(map(redact, urls))}",
            hint="name the registry itself: repository: oci://…",
        )

    def from_registry(
        self, repository: str, name: str, versions: tuple[str, ...], *, provenance: bool = False
    ) -> Chart:
        """An archive from an OCI registry; every blob is held against the digest that names it.

        ``versions`` are tried in order. Raises NotFound when the registry has none of them, Malformed for
        what is no chart.
        """
        registry = Oci(self.tools.http, allow_http=self.tools.allow_http)
        reference = f"{repository.rstrip('/')}/{name}"
        where = redact(reference)
        digest, manifest, tag = manifest_of(registry, reference, versions)
        layers = _layers(manifest)
        chart = layers.get(_CHART_LAYER) or layers.get(_OLD_CHART_LAYER)
        if chart is None:
            raise Malformed(
                f"`{where}:{tag}` is no chart", hint="is it an image? charts have a registry path too"
            )
        archive = registry.blob(reference, chart, limit=ARCHIVE_LIMIT)
        self.promised(f"{reference}/{name}-{tag}.tgz", archive)
        signature = None
        if provenance:
            if _PROVENANCE_LAYER not in layers:
                raise NotFound(f"`{where}:{tag}` has no provenance", hint="ask upstream, or remove `keyring`")
            signature = registry.blob(reference, layers[_PROVENANCE_LAYER], limit=_PROVENANCE_LIMIT)
        return _packed(name, archive, f"{where}:{tag}", digest, signature)

    def _index(self, repository: str) -> tuple[bytes, str]:
        """A repository's index, and what to call it."""
        address = f"{repository.rstrip('/')}/index.yaml"
        answer = self.tools.http.get(address, limit=_INDEX_LIMIT, allow_http=self.tools.allow_http)
        return answer.body, redact(address)

    def _from_url(self, name: str, url: str, digest: str | None, *, provenance: bool) -> Chart:
        answer = self.tools.http.get(url, limit=ARCHIVE_LIMIT, allow_http=self.tools.allow_http)
        if digest is not None:
            checksums.compare(answer.body, _prefixed(digest), url, "the repository's index")
        self.promised(url, answer.body)
        signature = None
        if provenance:
            proof = f"{url}.prov"
            answered = self.tools.http.get(proof, limit=_PROVENANCE_LIMIT, allow_http=self.tools.allow_http)
            signature = answered.body
        return _packed(name, answer.body, redact(url), answer.digest, signature)

    def _listed_in_registry(self, url: str, digest: str | None, *, provenance: bool) -> Chart:
        """A chart whose index says that it lies in a registry, as ``oci://host/path/name:tag``."""
        path, _, tag = url.rpartition(":")
        repository, _, chart = path.rpartition("/")
        if "/" in tag or not chart:
            raise Refused(
                f"`{redact(url)}` names no version", hint="name the registry itself: repository: oci://…"
            )
        found = self.from_registry(repository, chart, (tag,), provenance=provenance)
        # Indexes differ in whether they mean the archive or the manifest.
        if digest is not None and _prefixed(digest) != found.resolved[0].digest:
            assert found.archive is not None  # noqa: S101 (registries give archives)
            checksums.compare(found.archive, _prefixed(digest), url, "the repository's index")
        return found


def _listed(
    entry: Mapping[str, Any] | None, repository: str, where: str, chart: str, *, hint: str
) -> tuple[tuple[str, ...], str | None]:
    """The URLs and the digest of an index's entry. Raises NotFound where it has none."""
    if entry is None:
        raise NotFound(f"`{where}` lists no chart {chart}", hint=hint)
    return _urls(entry, repository, where), _digest(entry)


def _urls(entry: Mapping[str, Any], repository: str, where: str) -> tuple[str, ...]:
    listed = entry.get("urls") or ()
    urls = [url for url in listed if isinstance(url, str)] if isinstance(listed, (list, tuple)) else []
    if not urls:
        raise Malformed(f"`{where}` gives no address for {entry.get('name')} {entry.get('version')}")
    return tuple(urljoin(f"{repository.rstrip('/')}/", url) for url in urls)


def _digest(entry: Mapping[str, Any]) -> str | None:
    digest = entry.get("digest")
    return digest if isinstance(digest, str) and digest else None


def _prefixed(digest: str) -> str:
    """Indexes write a digest with its algorithm or without."""
    return digest if ":" in digest else f"sha256:{digest}"


def manifest_of(registry: Oci, reference: str, versions: tuple[str, ...]) -> tuple[str, dict[str, Any], str]:
    """Digest, content and tag of the first version that there is."""
    missing: NotFound | None = None
    # Tags can't hold a plus sign; helm writes an underscore for it.
    for tag in dict.fromkeys(version.replace("+", "_") for version in versions):
        try:
            return *registry.manifest(reference, tag), tag
        except NotFound as error:
            missing = missing or error
    raise missing or NotFound(f"`{redact(reference)}` was asked for no version")


def _layers(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Media type → digest of a manifest's layers."""
    layers = manifest.get("layers")
    return {
        str(layer.get("mediaType")): str(layer.get("digest"))
        for layer in (layers if isinstance(layers, list) else [])
        if isinstance(layer, dict)
    }


def _packed(name: str, archive: bytes, location: str, digest: str, provenance: bytes | None) -> Chart:
    """A chart from its archive, after the archive has been looked through."""
    from upstreamsync.kit.archives import read_archive  # a look at what is on offer opens none

    members = read_archive(archive, name=location)
    roots = {posixpath.dirname(file.path) for file in members if file.path.endswith("/Chart.yaml")}
    root = min(roots, key=lambda path: (path.count("/"), path), default=None)
    if root is None or "/" in root:
        raise Malformed(f"`{location}` is no chart: it has no Chart.yaml", hint="is it the chart's archive?")
    files = tuple(
        ContentFile(path=file.path[len(root) + 1 :], data=file.data)
        for file in members
        if file.path.startswith(f"{root}/")
    )
    refuse_pointers({file.path: file.data for file in files}, f"`{location}`")
    return Chart(
        name=name,
        files=files,
        digest=sha256(archive),
        resolved=(Resolved(kind="helm", location=location, digest=digest),),
        archive=archive,
        provenance=provenance,
        title=title(files, location),
    )


def title(files: tuple[ContentFile, ...], where: str) -> str:
    """``name version``, as Chart.yaml says."""
    document = metadata({file.path: file.data for file in files if file.path == "Chart.yaml"}, where)
    return f"{document['name']} {document['version']}"
