"""What lies in a repository and is somebody else's: what it declares is not this repository's to follow.

A vendored chart has dependencies, a page for its users and tests of its own. An edit in there would change
the very content that has to stay as upstream has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from upstreamsync.discover.candidates import Candidate
from upstreamsync.discover.scan import Tree
from upstreamsync.discover.vendored import FOLDERS
from upstreamsync.discover.yamls import mappings, read_documents, text_at

#: Folders that by their name hold other people's charts.
_OTHERS = FOLDERS - {"base"}


def without_foreign(candidates: Iterable[Candidate], tree: Tree) -> Iterator[Candidate]:
    """The candidates without those that stand in content of others, and with a remark where that may be so."""
    every = list(candidates)
    whole = {one.base for one in every if one.base is not None and _is_whole(one, tree)}
    charts = {folder for folder in _chart_folders(tree) if _is_others(folder, tree)} | whole
    inner = {folder for folder in _chart_folders(tree) if _parent_chart(folder, tree) is not None}
    for one in every:
        file = one.found.file
        if _says_of_itself(one) or not (_below(file, charts) or _is_page_of_chart(file, tree)):
            beside = _below(file, inner) if file.endswith("Chart.yaml") else None
            yield one if beside is None else replace(one, unsure=(*one.unsure, _remark(beside)))


def _remark(folder: str) -> str:
    return f"`{folder}` lies among the charts of another one: is it yours, or upstream's?"


def _says_of_itself(candidate: Candidate) -> bool:
    """Whether it tells of the very folder that it lies in, or is of commands that people run."""
    file, source = candidate.found.file, candidate.source or {}
    is_unpacked = source.get("render") is False and candidate.base == file.rpartition("/")[0]
    return is_unpacked or file.endswith(("Kptfile", ".sh", ".mk", "Makefile"))


def _is_whole(candidate: Candidate, tree: Tree) -> bool:
    """Whether all that lies in the candidate's base is upstream's."""
    source = candidate.source or {}
    base = candidate.base
    if not candidate.base_is_real or base is None or base not in tree.folders:
        return False
    if source.get("render") is False or f"{base}/Kptfile" in tree.files:
        return True
    paths = (source.get("git") or {}).get("paths") or ()
    return f"{base}/Chart.yaml" in tree.files or any(str(path).endswith("**") for path in paths)


def _chart_folders(tree: Tree) -> set[str]:
    return {file.folder for file in tree.files.values() if file.name == "Chart.yaml" and file.folder}


def _is_others(folder: str, tree: Tree) -> bool:
    """Whether a chart was unpacked: a dependency of the chart above it, or below a folder named for that."""
    if _OTHERS.intersection(folder.split("/")[:-1]):
        return True
    parent = _parent_chart(folder, tree)
    if parent is None:
        return False
    name = folder.rpartition("/")[2]
    if _is_others(parent, tree):
        return True
    for document in read_documents(tree.files[f"{parent}/Chart.yaml".lstrip("/")]):
        for _, dependency in mappings(document.value.get("dependencies")):
            repository = text_at(dependency, "repository")
            if text_at(dependency, "name") == name and re.match(r"https?:|oci:|@|alias:", repository):
                return True
    return False


def _parent_chart(folder: str, tree: Tree) -> str | None:
    """The chart that a chart lies in, in its ``charts``; None for one by itself."""
    path = PurePosixPath(folder)
    if path.parent.name != "charts":
        return None
    parent = path.parent.parent.as_posix()
    parent = "" if parent == "." else parent
    return parent if f"{parent}/Chart.yaml".lstrip("/") in tree.files else None


def _below(file: str, folders: Iterable[str]) -> str | None:
    return next((folder for folder in sorted(folders) if file.startswith(f"{folder}/")), None)


def _is_page_of_chart(file: str, tree: Tree) -> bool:
    """Whether it is a page beside a chart, which tells the chart's users how to install it."""
    return file.endswith(".md") and f"{file.rpartition('/')[0]}/Chart.yaml".lstrip("/") in tree.files
