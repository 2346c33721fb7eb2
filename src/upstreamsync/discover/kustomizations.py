"""Kustomizations: remote resources, charts that kustomize inflates, and (when asked for) images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from upstreamsync.discover.candidates import Candidate, Piece, without_user
from upstreamsync.discover.helm import NO_RELEASE, chart_version_remarks, flat, version_remarks, with_scheme
from upstreamsync.discover.origins import Origin, read_origin, read_tag, source_of
from upstreamsync.discover.scan import TextFile
from upstreamsync.discover.yamls import Document, dig, mappings, raw_text, read_documents, text_at

_REMOTE_FIELDS = ("resources", "bases", "components", "crds")
_GENERATOR = re.compile(r"^kind:\s*HelmChartInflationGenerator\s*$", re.MULTILINE)


def read_kustomization(file: TextFile) -> Iterator[Candidate]:
    """Candidates of one kustomization, or of a file with a generator for one."""
    if not (file.is_kustomization or _GENERATOR.search(file.text)):
        return
    for document in read_documents(file):
        if document.kind == "HelmChartInflationGenerator":
            yield from _chart(file, document, document.value, ())
        elif file.is_kustomization:
            yield from _remotes(file, document)
            for number, chart in mappings(document.value.get("helmCharts")):
                yield from _chart(file, document, chart, ("helmCharts", number))


def _remotes(file: TextFile, document: Document) -> Iterator[Candidate]:
    for field in _REMOTE_FIELDS:
        entries = document.value.get(field)
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            origin = read_origin(entry) if isinstance(entry, str) else None
            if origin is None:
                continue
            tag = read_tag(origin)
            last = origin.path.rpartition("/")[2]
            yield Candidate(
                names=(origin.name, f"{origin.name}-{last}"),
                found=document.place(field, number),
                version=tag.version,
                source=_source(field, origin, tag.version),
                base=_inside(file.folder),
                releases=tag.releases,
                unsure=(
                    *tag.unsure,
                    f"replace the entry `{without_user(entry)}` of `{field}` by the base, as a path",
                ),
                complete=tag.complete,
            )


def _source(field: str, origin: Origin, version: str | None) -> Piece:
    """What fetches the entry; a component can't be built by itself, so its files are taken as they are."""
    if field == "components" and origin.url is None:
        return {"git": {"repository": origin.repository, "paths": [origin.path or "**"]}}
    return source_of(origin, version)


def _chart(
    file: TextFile, document: Document, chart: Mapping[str, Any], path: tuple[str | int, ...]
) -> Iterator[Candidate]:
    name, repository = text_at(chart, "name"), text_at(chart, "repo")
    if not name or not repository:
        return  # a chart that lies in the repository itself has no upstream that anybody named
    version = raw_text(document.node, *path, "version")
    remarks, complete = chart_version_remarks(version)
    helm: dict[str, Any] = {"repository": with_scheme(repository), "chart": name, "release": NO_RELEASE}
    for key, theirs in (
        ("release", "releaseName"),
        ("namespace", "namespace"),
        ("kube_version", "kubeVersion"),
    ):
        if given := raw_text(document.node, *path, theirs):
            helm[key] = given
    files, strange = _values_files(file.folder, chart)
    if files:
        helm["values"] = files
    if isinstance(inline := chart.get("valuesInline"), dict) and inline:
        helm["set"] = flat(inline)
    if not chart.get("includeCRDs"):
        helm["include_crds"] = False
    versions = [one for one in dig(chart, "apiVersions") or () if isinstance(one, str)]
    if versions:
        helm["api_versions"] = versions
    unsure = [*remarks, *strange, f"replace the entry `{name}` of `helmCharts` by the base, in `resources`"]
    if chart.get("valuesMerge") not in (None, "override"):
        unsure.insert(0, f"`valuesMerge: {chart['valuesMerge']}` has no counterpart: check `set`")
    yield Candidate(
        names=(text_at(chart, "releaseName") or name, name),
        found=document.place(*path),
        version=version or None,
        source={"helm": helm},
        base=_inside(file.folder),
        unsure=tuple(unsure),
        complete=complete,
    )


def _values_files(folder: str, chart: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The values files as paths from the root, and a remark for each that is not in the repository."""
    named = [chart.get("valuesFile"), *(dig(chart, "additionalValuesFiles") or ())]
    files, strange = [], []
    for one in named:
        if not isinstance(one, str):
            continue
        path = None if "://" in one else normal(folder, one)
        if path is None:
            strange.append(f"the values file `{one}` is not in this repository")
        else:
            files.append(path)
    return files, strange


def read_images(file: TextFile) -> Iterator[Candidate]:
    """The pins of a kustomization: entries of ``images:`` with a tag that is a version."""
    if not file.is_kustomization:
        return
    for document in read_documents(file):
        for number, entry in mappings(document.value.get("images")):
            tag = raw_text(document.node, "images", number, "newTag")
            name = text_at(entry, "name")
            image = full_name(text_at(entry, "newName") or name)
            if not name or not version_remarks(tag)[1]:
                continue
            edit: Piece = {"file": file.path, "image": name, "tag": "{version}"}
            yield Candidate(
                names=(f"{image.rpartition('/')[2]}-image",),
                found=document.place("images", number),
                images=({"image": image, "version": tag, "edits": [edit]},),
                releases={"oci": image, "is": tag},
            )


def full_name(image: str) -> str:
    """The image with its host, as docker completes it."""
    first, _, rest = image.partition("/")
    if not rest:
        return f"docker.io/library/{image}"
    return image if "." in first or ":" in first or first == "localhost" else f"docker.io/{image}"


def normal(folder: str, path: str) -> str | None:
    """``path``, as seen from ``folder``, from the repository's root; None when it leads outside."""
    parts: list[str] = []
    for part in (PurePosixPath(folder) / path).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part == "/":
            return None
        elif part != ".":
            parts.append(part)
    return "/".join(parts) or None


def _inside(folder: str) -> str:
    return f"{folder}/upstream" if folder else "upstream"
