"""What other tools vendor: vendir.yml and kpt's Kptfile say where each folder's content comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.helm import chart_version_remarks, with_scheme
from upstreamsync.discover.kustomizations import normal
from upstreamsync.discover.origins import Origin, Tag, read_origin, read_tag, source_of
from upstreamsync.discover.scan import TextFile, Tree
from upstreamsync.discover.yamls import Document, dig, mappings, raw_text, read_documents, text_at


def read_vendir(file: TextFile, tree: Tree) -> Iterator[Candidate]:
    """Each of vendir's ``contents``: the folder is the base, the ref is kept up to date in vendir.yml too."""
    if file.name not in ("vendir.yml", "vendir.yaml"):
        return
    for document in read_documents(file):
        for outer, directory in mappings(document.value.get("directories")):
            for inner, content in mappings(directory.get("contents")):
                at = ("directories", outer, "contents", inner)
                inside = text_at(content, "path")
                wish = text_at(directory, "path") + ("" if inside in ("", ".") else f"/{inside}")
                base = normal(file.folder, wish)
                if base is not None:
                    yield from _vendir_content(document, at, content, base, tree)


def _vendir_content(
    document: Document, at: tuple[str | int, ...], content: Mapping[str, Any], base: str, tree: Tree
) -> Iterator[Candidate]:
    name = next((one for one in reversed(base.split("/")) if not one[:1].isdigit()), base)
    both = "vendir writes this folder too: leave it to one of the two"
    if isinstance(dig(content, "git"), dict):
        ref = raw_text(document.node, *at, "git", "ref")
        origin = read_origin(f"{text_at(content, 'git', 'url')}?ref={ref}")
        if origin is None or origin.repository is None:
            return
        tag, source = read_tag(origin), _git_source(origin, content)
        edit = _edit(document, at, ("git", "ref"), "{ref}")
        yield _vendored(document, at, (name, origin.name), base, tree, tag, source, edit, both)
    elif isinstance(dig(content, "helmChart"), dict):
        yield from _vendir_chart(document, at, content, base, tree, both)
    elif url := text_at(content, "http", "url"):
        found = read_origin(url)
        if found is not None:
            tag = read_tag(found)
            yield _vendored(
                document, at, (name, found.name), base, tree, tag, source_of(found, tag.version), (), both
            )
    elif slug := text_at(content, "githubRelease", "slug"):
        ref = raw_text(document.node, *at, "githubRelease", "tag")
        origin = Origin(
            host="github.com", slug=slug, repository=f"https://github.com/{slug}", ref=ref, asset=True
        )
        tag = read_tag(origin)
        assets = dig(content, "githubRelease", "assetNames") or content.get("includePaths")
        files = [one for one in assets if isinstance(one, str)] if isinstance(assets, list) else []
        url = f"https://github.com/{slug}/releases/download/{{version}}"
        source = {"url": {file: f"{url}/{file}" for file in files}} if files else {"url": f"{url}/ASSET"}
        remarks = (
            both if files and not any("*" in file for file in files) else "name the assets of the release"
        )
        tag = tag if remarks == both else Tag(version=tag.version, releases=tag.releases, complete=False)
        edit = _edit(document, at, ("githubRelease", "tag"), "{version}")
        yield _vendored(document, at, (name, origin.name), base, tree, tag, source, edit, remarks)


def _git_source(origin: Origin, content: Mapping[str, Any]) -> Piece:
    paths = [one for one in dig(content, "includePaths") or () if isinstance(one, str)]
    excluded = [one for one in dig(content, "excludePaths") or () if isinstance(one, str)]
    root = text_at(content, "newRootPath").strip("/")
    if root and not paths:
        paths = [f"{root}/**"]
    source: dict[str, Any] = {"repository": origin.repository, "paths": paths or ["**"], "strip": root or 0}
    if excluded:
        source["exclude"] = excluded
    return {"git": source}


def _vendir_chart(
    document: Document,
    at: tuple[str | int, ...],
    content: Mapping[str, Any],
    base: str,
    tree: Tree,
    both: str,
) -> Iterator[Candidate]:
    name = text_at(content, "helmChart", "name")
    repository = text_at(content, "helmChart", "repository", "url")
    if not name or not repository:
        return
    version = raw_text(document.node, *at, "helmChart", "version")
    remarks, complete = chart_version_remarks(version)
    chart = {"repository": with_scheme(repository), "chart": name}
    yield Candidate(
        names=(base.rpartition("/")[2], name),
        found=document.place(*at),
        version=version or None,
        source={"helm": chart, "render": False},
        base=base,
        base_is_real=base in tree.folders,
        edits=_edit(document, at, ("helmChart", "version"), "{version}") if version else (),
        unsure=(*remarks, both),
        complete=complete,
    )


def read_kptfile(file: TextFile, tree: Tree) -> Iterator[Candidate]:
    """The ``upstream`` of a kpt package: its folder is the base."""
    if file.name != "Kptfile":
        return
    for document in read_documents(file):
        ref = raw_text(document.node, "upstream", "git", "ref")
        origin = read_origin(f"{text_at(document.value, 'upstream', 'git', 'repo')}?ref={ref}")
        if origin is None or origin.repository is None or not file.folder:
            continue
        directory = text_at(document.value, "upstream", "git", "directory").strip("/")
        source = {
            "git": {"repository": origin.repository, "paths": [f"{directory}/**" if directory else "**"]}
        }
        remark = "kpt merges upstream into this folder: it may hold edits of your own"
        tag = _part_of(read_tag(origin), directory)
        names = (file.folder.rpartition("/")[2], origin.name)
        yield _vendored(document, ("upstream",), names, file.folder, tree, tag, source, (), remark)


def _part_of(tag: Tag, directory: str) -> Tag:
    """Kpt tags a package as ``<directory>/<version>``; the feed's pattern says that already."""
    return (
        tag if directory or tag.version else Tag(version=tag.version, releases=tag.releases, complete=False)
    )


def _vendored(
    document: Document,
    at: tuple[str | int, ...],
    names: tuple[str, ...],
    base: str,
    tree: Tree,
    tag: Tag,
    source: Piece,
    edits: tuple[Piece, ...],
    remark: str,
) -> Candidate:
    return Candidate(
        names=names,
        found=document.place(*at),
        version=tag.version,
        source=source,
        base=base,
        base_is_real=base in tree.folders,
        releases=tag.releases,
        edits=edits if tag.complete else (),
        unsure=(*tag.unsure, remark),
        complete=tag.complete,
    )


def _edit(
    document: Document, at: tuple[str | int, ...], keys: tuple[str, ...], value: str
) -> tuple[Piece, ...]:
    path = ""
    for step in (*at, *keys):
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return ({"file": document.file, "path": document.edit_path(path), "value": value},)
