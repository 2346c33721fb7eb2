"""What a cluster fetches by itself: Argo CD's Applications and Flux's objects. Nothing of it is vendored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.helm import chart_feed, chart_version_remarks, version_remarks
from upstreamsync.discover.origins import COMMIT, is_release_branch, read_origin, read_tag
from upstreamsync.discover.scan import TextFile
from upstreamsync.discover.yamls import Document, dig, mappings, raw_text, read_documents, text_at

_OF_INTEREST = re.compile(
    r"^kind:\s*[\"']?(?:Application|ApplicationSet|HelmRelease|HelmRepository|OCIRepository|GitRepository)\b",
    re.MULTILINE,
)
_ARGO = {"Application": ("spec",), "ApplicationSet": ("spec", "template", "spec")}


def read_applications(files: Iterable[TextFile]) -> Iterator[Candidate]:
    """Candidates of all files together, as a HelmRelease names a HelmRepository of another file."""
    documents = [
        document
        for file in files
        if file.is_yaml and _OF_INTEREST.search(file.text)
        for document in read_documents(file)
    ]
    repositories = {
        (text_at(one.value, "metadata", "namespace"), one.name): text_at(one.value, "spec", "url")
        for one in documents
        if one.kind == "HelmRepository"
    }
    for document in documents:
        group = text_at(document.value, "apiVersion")
        if document.kind in _ARGO and group.startswith("argoproj.io/"):
            yield from _argo(document, _ARGO[document.kind])
        elif document.kind == "HelmRelease":
            yield from _helm_release(document, repositories)
        elif document.kind in ("OCIRepository", "GitRepository") and group.startswith(
            "source.toolkit.fluxcd.io/"
        ):
            yield from _flux_source(document)


def _argo(document: Document, path: tuple[str, ...]) -> Iterator[Candidate]:
    spec = dig(document.value, *path)
    places: list[tuple[Sequence[str | int], dict[str, Any]]] = []
    if isinstance(single := dig(spec, "source"), dict):
        places.append((("source",), single))
    places += [(("sources", number), one) for number, one in mappings(dig(spec, "sources"))]
    for keys, source in places:
        here = (*path, *keys)
        revision = raw_text(document.node, *here, "targetRevision")
        edit_path = ".".join(path) + "".join(
            f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys
        )
        edit = _edit(document, f"{edit_path}.targetRevision")
        repository, chart = text_at(source, "repoURL"), text_at(source, "chart")
        if chart and repository:
            yield _chart(document, here, chart, repository, revision, edit)
        elif repository and not chart:
            yield from _tagged(document, here, repository, revision, edit)


def _chart(
    document: Document, here: tuple[str | int, ...], chart: str, repository: str, version: str, edit: Piece
) -> Candidate:
    remarks, complete = chart_version_remarks(version)
    if re.search(r"[{}\s]", repository + chart):
        remarks, complete = (*remarks, "the chart's name or repository is a template: write them out"), False
    return Candidate(
        names=(chart, document.name),
        found=document.place(*here),
        version=version or None,
        releases=chart_feed(repository, chart),
        edits=(edit,),
        unsure=remarks,
        complete=complete,
    )


def _tagged(
    document: Document, here: tuple[str | int, ...], url: str, ref: str, edit: Piece
) -> Iterator[Candidate]:
    """A git repository at a tag; those at a branch follow it by themselves, and most are the team's own."""
    origin = read_origin(url if "?" in url else f"{url}?ref={ref}")
    if origin is None or origin.repository is None or COMMIT.fullmatch(ref) or not re.search(r"\d\.\d", ref):
        return
    tag = read_tag(origin)
    if not tag.complete or is_release_branch(ref):
        return
    yield Candidate(
        names=(origin.name, document.name),
        found=document.place(*here),
        version=tag.version,
        releases=tag.releases or {"git": origin.repository},
        edits=({**edit, "value": "{ref}"},),
        unsure=tag.unsure,
    )


def _helm_release(document: Document, repositories: Mapping[tuple[str, str], str]) -> Iterator[Candidate]:
    at = ("spec", "chart", "spec")
    chart, reference = text_at(document.value, *at, "chart"), dig(document.value, *at, "sourceRef")
    if not chart or text_at(reference, "kind") not in ("HelmRepository", ""):
        return
    namespace = text_at(reference, "namespace") or text_at(document.value, "metadata", "namespace")
    wanted = text_at(reference, "name")
    near = [url for (_, name), url in sorted(repositories.items()) if name == wanted]
    url = repositories.get((namespace, wanted)) or (near[0] if near else "")
    version = raw_text(document.node, *at, "version")
    remarks, complete = chart_version_remarks(version)
    if not url:
        remarks, complete = (*remarks, f"there is no HelmRepository `{wanted}` here: write its URL"), False
    yield Candidate(
        names=(chart, document.name),
        found=document.place(*at),
        version=version or None,
        releases=chart_feed(url or "https://unknown.invalid", chart),
        edits=(_edit(document, "spec.chart.spec.version"),),
        unsure=remarks,
        complete=complete,
    )


def _flux_source(document: Document) -> Iterator[Candidate]:
    url, tag = text_at(document.value, "spec", "url"), raw_text(document.node, "spec", "ref", "tag")
    edit = _edit(document, "spec.ref.tag")
    if not url or not tag:
        return
    if document.kind == "GitRepository":
        yield from _tagged(document, ("spec", "ref"), url, tag, edit)
        return
    remarks, complete = version_remarks(tag)
    yield Candidate(
        names=(url.rpartition("/")[2], document.name),
        found=document.place("spec", "ref"),
        version=tag,
        releases={"oci": url.removeprefix("oci://")},
        edits=(edit,),
        unsure=remarks,
        complete=complete,
    )


def _edit(document: Document, path: str) -> Piece:
    return {"file": document.file, "path": document.edit_path(path), "value": "{version}"}
