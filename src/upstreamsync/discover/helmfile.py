"""helmfile's releases: charts that a cluster is given, by name and version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.helm import chart_feed, chart_version_remarks
from upstreamsync.discover.origins import COMMIT, is_release_branch, read_origin, read_tag, templated
from upstreamsync.discover.scan import TextFile, Tree
from upstreamsync.discover.yamls import Document, dig, mappings, raw_text, read_documents, text_at

_NAME = re.compile(r"helmfile(?:[-.][\w.-]+)?\.ya?ml(?:\.gotmpl)?")

#: Lines that only steer a template or bring a block, its remarks, expressions, and what stands in for a value.
_CONTROL = re.compile(r"^[ \t]*\{\{.*\}\}[ \t]*$", re.MULTILINE)
_REMARK = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_EXPRESSION = re.compile(r"([\"'])\{\{-?(.*?)-?\}\}\1|\{\{-?(.*?)-?\}\}")
#: A repository with the chart's folder behind an ``@``, as helmfile and helm-git write it.
_GIT_PATH = re.compile(r"^(\w+://(?:[^@/?]+@)?[^@?]+)@([^?]+)")
_VALUE = re.compile(r"VALUE:([\w.]+)")


def read_helmfile(file: TextFile, tree: Tree) -> Iterator[Candidate]:
    """One candidate for each release of a chart that comes from a repository."""
    in_folder = file.folder.rpartition("/")[2] == "helmfile.d"
    if not (_NAME.fullmatch(file.name) or (in_folder and file.is_yaml)):
        return
    plain = _without_templates(file)
    documents = read_documents(plain)
    repositories = {
        text_at(one, "name"): _url(one)
        for document in documents
        for _, one in mappings(document.value.get("repositories"))
    }
    for document in documents:
        for number, release in mappings(document.value.get("releases")):
            chart = text_at(release, "chart")
            if _is_address(chart):
                yield from _addressed(file, document, ("releases", number, "chart"), chart, release)
            elif not _is_address(repositories.get(chart.partition("/")[0], "")):
                yield from _release(file, document, number, release, repositories, tree)
        for number, repository in mappings(document.value.get("repositories")):
            if _is_address(url := text_at(repository, "url")):
                yield from _addressed(file, document, ("repositories", number, "url"), url, repository)


def _is_address(text: str) -> bool:
    """Whether it names a chart, or charts, by an address of its own: in a git repository, or a tarball."""
    return text.startswith(("git::", "git+")) or (
        text.startswith(("https://", "http://")) and text.endswith((".tgz", ".tar.gz"))
    )


def _addressed(
    file: TextFile,
    document: Document,
    here: tuple[str | int, ...],
    address: str,
    entry: Mapping[str, object],
) -> Iterator[Candidate]:
    """A chart at a tag of a git repository, or in a tarball; helmfile follows a branch by itself."""
    plain = _GIT_PATH.sub(r"\1//\2", re.sub(r"^git(?:::|\+)", "", address))
    origin = read_origin(plain)
    ref = origin.ref if origin is not None else None
    if origin is None or ref is None or COMMIT.fullmatch(ref) or not re.search(r"\d\.\d", ref):
        return
    tag = read_tag(origin)
    value = templated(address, tag.version or "")
    if tag.version is None or is_release_branch(ref) or value == address or address not in file.text:
        return
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in here).removeprefix(".")
    releases = tag.releases or ({"git": origin.repository} if origin.repository else None)
    yield Candidate(
        names=tuple(dict.fromkeys((origin.name, text_at(entry, "name")))),
        found=document.place(*here),
        version=tag.version,
        releases=releases,
        edits=({"file": file.path, "path": document.edit_path(path), "value": value},),
        unsure=tag.unsure,
        complete=tag.complete and releases is not None,
    )


def _url(repository: Mapping[str, object]) -> str:
    url = text_at(repository, "url")
    return f"oci://{url.removeprefix('oci://')}" if dig(repository, "oci") is True else url


def _release(
    file: TextFile,
    document: Document,
    number: int,
    release: Mapping[str, object],
    repositories: Mapping[str, str],
    tree: Tree,
) -> Iterator[Candidate]:
    feed = _feed(text_at(release, "chart"), repositories)
    if feed is None:
        return
    version = raw_text(document.node, "releases", number, "version")
    edit: Piece = {
        "file": file.path,
        "path": document.edit_path(f"releases[{number}].version"),
        "value": "{version}",
    }
    if value := _VALUE.fullmatch(version):
        version, edit = _value(file, value[1], tree)
    remarks, complete = chart_version_remarks(version)
    chart = str(feed["helm"]["chart"])
    yield Candidate(
        names=(chart, text_at(release, "name")),
        found=document.place("releases", number),
        version=version or None,
        releases=feed,
        edits=(edit,) if version else (),
        unsure=remarks,
        complete=complete,
    )


def _without_templates(file: TextFile) -> TextFile:
    """The file with a word in place of each template expression, so that it is YAML; values keep their name."""

    def word(match: re.Match[str]) -> str:
        value = re.match(r"\s*\.(?:Values|StateValues)\.([\w.]+)", match[2] or match[3] or "")
        return f"VALUE:{value[1]}" if value else "TEMPLATE"

    if "{{" not in file.text:
        return file
    text = _REMARK.sub(lambda match: "\n" * match[0].count("\n"), file.text)
    return replace(file, text=_EXPRESSION.sub(word, _CONTROL.sub("", text)))


def _value(file: TextFile, name: str, tree: Tree) -> tuple[str, Piece]:
    """A value by name, where one file of the helmfile's folder alone sets it, and the edit that follows it there."""
    steps = name.split(".")
    found = [
        (raw_text(document.node, *steps), other)
        for other in tree.files.values()
        if other.folder == file.folder
        and other.is_yaml
        and other.path != file.path
        and steps[-1] in other.text
        for document in read_documents(other)
        if raw_text(document.node, *steps)
    ]
    if len(found) != 1:
        return "", {}
    version, other = found[0]
    return version, {"file": other.path, "path": name, "value": "{version}"}


def _feed(chart: str, repositories: Mapping[str, str]) -> Piece | None:
    """The chart's feed; None for a folder, and for an alias that is not declared in this file."""
    if chart.startswith("oci://"):
        repository, _, name = chart.rpartition("/")
        return chart_feed(repository, name)
    alias, _, name = chart.partition("/")
    if not name or "/" in name or alias not in repositories or not repositories[alias]:
        return None
    return chart_feed(repositories[alias], name)
