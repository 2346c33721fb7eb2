"""What is proposed, held against the repository: does the base exist, does each edit find what it edits?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from upstreamsync.discover.candidates import Piece, Proposal
from upstreamsync.discover.scan import Tree
from upstreamsync.discover.vendored import FOLDERS, shown_chart_version, shown_image_version
from upstreamsync.errors import EditError
from upstreamsync.kit.yaml import edit as yaml_edit

#: Put in place of a value on a copy of the text, only to learn what stood there.
_ANYTHING = "0.0.0-anything"
_OBJECT = re.compile(r"^apiVersion:", re.MULTILINE)
_LOCAL = re.compile(r"https?://(localhost(?::\d+)?)(?=[/'\"]|$)")
#: Names of folders that by themselves say nothing: kustomize's own word for what overlays stand on.
_COMMON = frozenset(("base",))


def tried(proposal: Proposal, tree: Tree) -> Proposal:
    """The proposal with what the repository says against it: edits that would do harm are left out."""
    remarks = list(proposal.unsure)
    edits: list[Piece] = []
    for edit in proposal.edits:
        reason = _why_not(edit, proposal.version, tree)
        if reason is None:
            edits.append(edit)
        else:
            remarks.append(f"the version in `{edit['file']}` can't be followed: {reason}")
    for base in proposal.bases:
        missing = base not in tree.folders
        if missing and not any(f"`{base}`" in remark for remark in remarks):
            remarks.append(f"there is no `{base}` yet: the first update makes it")
    remarks += _absent(proposal, tree)
    remarks += _local(proposal)
    remarks += _shown_otherwise(proposal, tree)
    return replace(proposal, edits=tuple(edits), unsure=tuple(dict.fromkeys(remarks)))


def _absent(proposal: Proposal, tree: Tree) -> Iterator[str]:
    """The files that a source writes by name, and that its folder does not have."""
    for source in proposal.sources:
        for values in (source.get("helm") or {}).get("values") or ():
            if values not in tree.files:
                yield f"there is no `{values}`, which the chart is to be rendered with"
        base = source.get("base", proposal.base)
        url = source.get("url")
        names = [source["file"]] if "file" in source else list(url) if isinstance(url, dict) else []
        if not names and isinstance(url, str):
            names = [url.rpartition("/")[2]]
        for name in names:
            is_read = str(name).endswith((".yaml", ".yml")) and "{" not in str(name)
            if is_read and base in tree.folders and f"{base}/{name}" not in tree.files:
                yield f"there is no `{name}` in `{base}`: is it the right folder?"


def _local(proposal: Proposal) -> Iterator[str]:
    """Addresses that only this machine knows."""
    for host in sorted(set(_LOCAL.findall(str([proposal.sources, proposal.releases])))):
        yield f"`{host}` is this machine: where do versions come from elsewhere?"


def _shown_otherwise(proposal: Proposal, tree: Tree) -> Iterator[str]:
    """Where the content shows another version than is declared: one of the two was moved by hand."""
    if proposal.version is None:
        return
    for base in proposal.bases:
        charts = [str(source["helm"].get("chart", "")) for source in proposal.sources if "helm" in source]
        labels = [shown for chart in charts if chart and (shown := shown_chart_version(tree, base, chart))]
        image = shown_image_version(tree, base, proposal.name)
        for what, shown in [*(("labels", one) for one in labels), *([("images", image)] if image else [])]:
            numbers = re.sub(r"^[vV]", "", shown)
            own_version = what == "images" and bool(charts)  # an application's version is not its chart's
            if not own_version and numbers != re.sub(r"^[vV]", "", proposal.version):
                yield f"the {what} in `{base}` say {shown}: which version is it?"


def _why_not(edit: Piece, version: str | None, tree: Tree) -> str | None:
    """What speaks against an edit; None where it finds the version, and nothing else."""
    file = tree.files.get(str(edit["file"]))
    if file is None:
        return None  # not of the kinds that were read
    try:
        if "path" in edit:
            _, before, _ = yaml_edit.replace(file.text, str(edit["path"]), _ANYTHING, file=file.path)
        elif "pattern" in edit:
            _, before, _ = yaml_edit.replace_pattern(
                file.text, str(edit["pattern"]), _ANYTHING, file=file.path
            )
        else:
            return None
    except EditError as error:
        return error.message
    if version is not None and not _says(before, version):
        return f"`{before}` stands there, not `{version}`"
    return None


def _says(text: str, version: str) -> bool:
    """Whether a value is the version, perhaps with what a tag has before it, or a range around it."""
    bare = version.removeprefix("v")
    if re.search(r"[*^~<>|]|\bx\b", text):
        return True  # a range, which an exact version is to take the place of
    return bare in text or text.lstrip("^~=<> ").removeprefix("v") in bare


def unexplained_folders(tree: Tree, proposals: Iterable[Proposal]) -> tuple[str, ...]:
    """Folders that by their name hold other people's manifests, and that no proposal accounts for."""
    proposals = tuple(proposals)
    bases = {base for proposal in proposals for base in proposal.bases}
    bases |= {place.file.rpartition("/")[0] for proposal in proposals for place in proposal.found} - {""}
    looks = {
        file.folder
        for file in tree.files.values()
        if file.is_yaml
        and not file.is_kustomization
        and (_OBJECT.search(file.text) or not file.text)
        and (FOLDERS - _COMMON).intersection(file.folder.split("/"))
    }
    found = {folder for folder in looks if not _accounted(folder, bases)}
    return tuple(sorted(folder for folder in found if not any(_below(folder, other) for other in found)))


def _accounted(folder: str, bases: Iterable[str]) -> bool:
    return any(folder == base or _below(folder, base) or _below(base, folder) for base in bases)


def _below(folder: str, other: str) -> bool:
    return folder.startswith(f"{other}/")
