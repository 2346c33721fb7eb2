"""Content that lies in the repository already, and says where it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from upstreamsync.discover.candidates import Candidate
from upstreamsync.discover.origins import Origin, read_origin, read_tag, source_of
from upstreamsync.discover.scan import TextFile, Tree, is_template
from upstreamsync.model import Place

#: Folders that by their name hold other people's content.
FOLDERS = frozenset(("upstream", "vendor", "vendored", "base", "third_party", "third-party"))
_HEAD_LINES = 20
_SAID = re.compile(
    r"^#.*\b(?:generated|fetched|downloaded|copied|vendored|rendered|taken|source|origin|from|upstream)\b.*?"
    r"((?:git::)?https?://[^\s\"'<>,;)]+)",
    re.IGNORECASE,
)
_SAID_PLAINLY = re.compile(
    r"^#.*\b(?:(?:generated|fetched|downloaded|copied|vendored|rendered|taken|pulled|sourced|imported|obtained|borrowed|"
    r"adapted|modified|retrieved)\b[\w ]*?\b(?:from|of|with|by|out of)|(?:source|upstream|origin)(?: url)?)\b"
    r"[^\w\n]{0,4}((?:git::)?https?://[^\s\"'<>,;)]+)",
    re.IGNORECASE,
)
_KIND = re.compile(r"^kind:", re.MULTILINE)
_CHART_FIELD = {
    key: re.compile(rf"^{key}:\s*[\"']?([^\s\"'#]+)", re.MULTILINE) for key in ("name", "version")
}
_IMAGE = re.compile(r"\bimage:\s*[\"']?([^\s\"'@:]+(?::\d+/[^\s\"'@:]+)?):([vV]?\d[\w.+-]*)", re.MULTILINE)
_VERSION_LABEL = re.compile(
    r"^\s*[\"']?app\.kubernetes\.io/version[\"']?:\s*[\"']?(v?\d+\.\d+\.\d+[\w.+-]*)[\"']?\s*$", re.MULTILINE
)
_CHART = re.compile(
    r"^\s*[\"']?helm\.sh/chart[\"']?:\s*[\"']?([a-z0-9][a-z0-9-]*?)-(v?\d+\.\d+\.\d+[\w.+-]*)[\"']?\s*$",
    re.MULTILINE,
)


def read_header(file: TextFile, tree: Tree) -> Iterator[Candidate]:
    """The URLs that the comment at the top of a file names as where it, or a file beside it, comes from.

    Outside of folders for other people's content it takes a manifest, and a word that says so.
    """
    is_kept_apart = bool(FOLDERS.intersection(file.folder.split("/")))
    is_plain = file.is_yaml and (is_kept_apart or _KIND.search(file.text) or file.is_kustomization)
    if not is_plain and not is_template(file.name):
        return
    said = _SAID if is_kept_apart and not file.is_kustomization else _SAID_PLAINLY
    for number, text in _header(file):
        match = said.search(text)
        origin = read_origin(match[1]) if match else None
        if origin is not None and origin.url is not None and origin.ref is not None:
            found = _headed(file, number, origin, tree)
            if found is not None:
                yield found
            if not file.is_kustomization:
                return


def _header(file: TextFile) -> Iterator[tuple[int, str]]:
    """The lines of the comment at the top, each with the one before it, as sentences are broken."""
    before = ""
    for number, line in enumerate(file.text.split("\n")[:_HEAD_LINES], 1):
        if not line.startswith("#"):
            if line.strip() not in ("", "---"):
                return
            before = ""
            continue
        text = line.lstrip("#! ")
        yield number, f"# {before} {text}" if text.startswith(("http", "git::")) else f"# {text}"
        before = text


def _headed(file: TextFile, number: int, origin: Origin, tree: Tree) -> Candidate | None:
    """What a header says; None where it is of a file that is not there."""
    tag = read_tag(origin)
    source = source_of(origin, tag.version)
    own_name = (origin.url or "").rpartition("/")[2]
    if file.is_kustomization:
        if f"{file.folder}/{own_name}".lstrip("/") not in tree.files or own_name == file.name:
            return None
    elif own_name != file.name:
        source = {**source, "file": file.name}
    remark, complete = (
        "the comment at the top of the file says so: is the content as upstream has it?",
        tag.complete,
    )
    if is_template(file.name):
        remark, complete = f"`{file.path}` is a template made of it: declare it as a fork (`forks`)", False
    return Candidate(
        names=names_of(origin, file.folder),
        found=Place(file=file.path, line=number),
        version=tag.version,
        source=source,
        base=file.folder or ".",
        base_is_real=True,
        releases=tag.releases,
        unsure=(*tag.unsure, remark),
        complete=complete and bool(file.folder),
    )


def read_unpacked(file: TextFile, tree: Tree) -> Iterator[Candidate]:
    """A chart that lies, unpacked, in a folder for other people's content; where from is not among what it says."""
    parts = file.folder.split("/")
    if file.name != "Chart.yaml" or not (FOLDERS - {"base"}).intersection(parts[:-1]):
        return
    if any("/".join([*parts[:depth], "Chart.yaml"]) in tree.files for depth in range(1, len(parts))):
        return
    name, version = (_CHART_FIELD[key].search(file.text) for key in ("name", "version"))
    if name and version:
        yield Candidate(
            names=(name[1],),
            found=Place(file=file.path, line=file.text.count("\n", 0, version.start()) + 1),
            version=version[1],
            source={"helm": {"repository": UNKNOWN, "chart": name[1]}, "render": False},
            base=file.folder,
            base_is_real=True,
            unsure=(f"the chart says `{name[1]}` {version[1]}: write the chart's repository",),
            complete=False,
        )


def shown_chart_version(tree: Tree, base: str | None, chart: str) -> str | None:
    """The version of a chart that lies in ``base``: by its Chart.yaml, else by the labels of what it rendered."""
    if base is None:
        return None
    shown: set[str] = set()
    for file in tree.below(base):
        if file.name == "Chart.yaml":
            name, version = (_CHART_FIELD[key].search(file.text) for key in ("name", "version"))
            if name and version and name[1] == chart:
                return version[1]
        shown |= {match[2].replace("_", "+") for match in _CHART.finditer(file.text) if match[1] == chart}
    return shown.pop() if len(shown) == 1 else None


def shown_image_version(tree: Tree, base: str | None, name: str) -> str | None:
    """The version that the images of ``name`` in ``base`` have, where they agree."""
    if base is None:
        return None
    shown = {
        match[2]
        for file in tree.below(base)
        for match in _IMAGE.finditer(file.text)
        if name.lower() in match[1].lower().split("/")[1:]
        or name.lower() in match[1].rpartition("/")[2].lower()
    }
    return shown.pop() if len(shown) == 1 else None


def shown_version(tree: Tree, base: str | None, words: Sequence[str]) -> str | None:
    """The version that the content of ``base`` shows: by images that any of ``words`` is a part of, else by labels.

    The words are tried in order; what does not agree with itself says nothing.
    """
    if base is None:
        return None
    for word in words:
        if shown := shown_image_version(tree, base, word):
            return shown
    labels = {match[1] for file in tree.below(base) for match in _VERSION_LABEL.finditer(file.text)}
    return labels.pop() if len(labels) == 1 else None


def read_rendered(file: TextFile) -> Iterator[Candidate]:
    """The charts that the labels of rendered manifests name; the chart's repository is not among them."""
    if not file.is_yaml or file.is_kustomization or "{{" in file.text or not file.folder:
        return
    seen: set[str] = set()
    for match in _CHART.finditer(file.text):
        chart, version = match[1], match[2].replace("_", "+")
        if chart in seen:
            continue
        seen.add(chart)
        yield Candidate(
            names=(chart,),
            found=Place(file=file.path, line=file.text.count("\n", 0, match.start(1)) + 1),
            version=version,
            source={"helm": {"repository": UNKNOWN, "chart": chart}, "file": file.name},
            base=file.folder,
            base_is_real=True,
            unsure=(
                f"the label says `{match[1]}-{match[2]}`: write the chart's repository, release name and values",
            ),
            complete=False,
        )


#: Stands where a chart's repository has to be filled in; such an entry is written as a comment only.
UNKNOWN = "https://REPOSITORY"


def names_of(origin: Origin, folder: str) -> tuple[str, ...]:
    """What to call the content of a folder: for its origin, unless that has no name of its own."""
    names = (origin.name, owner_of(folder))
    return names[::-1] if origin.is_bare else names


def owner_of(folder: str) -> str:
    """The nearest folder above whose name says whose content it is."""
    for part in reversed(folder.split("/")):
        if part not in FOLDERS:
            return part
    return folder.rpartition("/")[2]
