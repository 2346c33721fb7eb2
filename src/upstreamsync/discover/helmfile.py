"""helmfile's releases: charts that a cluster is given, by name and version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.helm import chart_feed, chart_version_remarks
from upstreamsync.discover.scan import TextFile
from upstreamsync.discover.yamls import Document, dig, mappings, raw_text, read_documents, text_at

_NAME = re.compile(r"helmfile(?:[-.][\w.-]+)?\.ya?ml(?:\.gotmpl)?")


def read_helmfile(file: TextFile) -> Iterator[Candidate]:
    """One candidate for each release of a chart that comes from a repository."""
    in_folder = file.folder.rpartition("/")[2] == "helmfile.d"
    if not (_NAME.fullmatch(file.name) or (in_folder and file.is_yaml)):
        return
    documents = read_documents(file)
    repositories = {
        text_at(one, "name"): _url(one)
        for document in documents
        for _, one in mappings(document.value.get("repositories"))
    }
    for document in documents:
        for number, release in mappings(document.value.get("releases")):
            yield from _release(file, document, number, release, repositories)


def _url(repository: Mapping[str, object]) -> str:
    url = text_at(repository, "url")
    return f"oci://{url.removeprefix('oci://')}" if dig(repository, "oci") is True else url


def _release(
    file: TextFile,
    document: Document,
    number: int,
    release: Mapping[str, object],
    repositories: Mapping[str, str],
) -> Iterator[Candidate]:
    feed = _feed(text_at(release, "chart"), repositories)
    if feed is None:
        return
    version = raw_text(document.node, "releases", number, "version")
    remarks, complete = chart_version_remarks(version)
    path = document.edit_path(f"releases[{number}].version")
    chart = str(feed["helm"]["chart"])
    yield Candidate(
        names=(chart, text_at(release, "name")),
        found=document.place("releases", number),
        version=version or None,
        releases=feed,
        edits=({"file": file.path, "path": path, "value": "{version}"},) if version else (),
        unsure=remarks,
        complete=complete,
    )


def _feed(chart: str, repositories: Mapping[str, str]) -> Piece | None:
    """The chart's feed; None for a folder, and for an alias that is not declared in this file."""
    if chart.startswith("oci://"):
        repository, _, name = chart.rpartition("/")
        return chart_feed(repository, name)
    alias, _, name = chart.partition("/")
    if not name or "/" in name or alias not in repositories or not repositories[alias]:
        return None
    return chart_feed(repositories[alias], name)
