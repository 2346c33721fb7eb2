"""From mentions to vendors: what belongs together is put together, names and folders become unique."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from upstreamsync.discover.candidates import Candidate, Piece, Proposal


def gather(candidates: Iterable[Candidate]) -> tuple[Proposal, ...]:
    """Vendors with unique names and bases, in order of name. Equal input gives equal output."""
    ordered = sorted(candidates, key=_order)
    known = _without_echoes(ordered)
    groups: dict[tuple[str, str | None, bool], list[Candidate]] = {}
    for candidate in known:
        groups.setdefault((candidate.upstream, candidate.version, candidate.complete), []).append(candidate)
    taken_names: set[str] = set()
    owned: dict[str, str] = {}
    proposals = [_together(group, taken_names, owned) for group in groups.values()]
    return tuple(sorted(proposals, key=lambda one: one.name))


def _order(candidate: Candidate) -> tuple[Any, ...]:
    """Folders that exist come before suggested ones, so that those give way."""
    return (
        not candidate.complete,
        not candidate.base_is_real,
        candidate.found.file,
        candidate.found.line or 0,
        candidate.version or "",
        json.dumps([candidate.source, candidate.releases], sort_keys=True, default=str),
    )


def _without_echoes(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave out incomplete mentions of content that a complete one accounts for.

    A chart's label in rendered manifests says nothing new where the render itself was found.
    """
    told = {(one.upstream, one.version) for one in candidates if one.complete and not one.only_version}
    candidates = [
        one for one in candidates if not one.only_version or (one.upstream, one.version) not in told
    ]
    charts = {_chart(one) for one in candidates if one.complete} - {None}
    bases = {one.base for one in candidates if one.complete and one.base_is_real}
    return [
        one
        for one in candidates
        if one.complete
        or not (one.base_is_real and (one.base in bases or (_chart(one) in charts and _is_unknown(one))))
    ]


def _is_unknown(candidate: Candidate) -> bool:
    helm = (candidate.source or {}).get("helm") or {}
    return str(helm.get("repository", "")).endswith("//REPOSITORY")


def _chart(candidate: Candidate) -> tuple[str, str | None] | None:
    helm = (candidate.source or {}).get("helm") or (candidate.releases or {}).get("helm")
    if not helm:
        return None
    name = helm.get("chart") or str(helm.get("path", "")).rpartition("/")[2]
    return name, candidate.version


def _together(group: Sequence[Candidate], names: set[str], owned: dict[str, str]) -> Proposal:
    first = group[0]
    name = _unique(_wishes(group), names)
    unsure: dict[str, None] = {}
    sources: dict[str, tuple[Piece, str]] = {}
    clash = False
    for one in group:
        unsure |= dict.fromkeys(one.unsure)
        if one.source is None:
            continue
        content = json.dumps(one.source, sort_keys=True, default=str)
        base = one.base or f"{name}/base/upstream"
        key = f"{content} {base if one.base_is_real else ''}"
        if key in sources or (not one.base_is_real and any(each.startswith(content) for each in sources)):
            continue
        folder, remark, clashes = _free(base, name, owned, real=one.base_is_real, claim=first.complete)
        clash = clash or clashes
        if remark:
            unsure[remark] = None
        sources[key] = (one.source, folder)
    placed = _distinct_files([(dict(source), folder) for source, folder in sources.values()])
    common = placed[0][1] if placed else None
    return Proposal(
        name=name,
        version=first.version,
        sources=tuple(
            source if folder == common else {**source, "base": folder} for source, folder in placed
        ),
        base=common,
        releases=_releases(group),
        edits=_unique_pieces(edit for one in group for edit in one.edits),
        images=_images(group),
        found=tuple(dict.fromkeys(one.found for one in group)),
        unsure=tuple(unsure),
        complete=first.complete and not clash,
        guessed=first.guessed and not clash,
    )


def _distinct_files(sources: list[tuple[dict[str, Any], str]]) -> list[tuple[dict[str, Any], str]]:
    """Name the files of sources that would else write the same one into one folder."""
    taken: set[tuple[str, str]] = set()
    for source, folder in sources:
        alone = sum(other == folder for _, other in sources) == 1
        wish, stem = _file_name(source)
        if wish is None or alone:
            continue
        name, number = wish, 2
        while (folder, name) in taken:
            name, number = f"{stem}-{number}.yaml", number + 1
        taken.add((folder, name))
        if "url" not in source or name != wish:
            source["file"] = name
    return sources


def _file_name(source: Piece) -> tuple[str | None, str]:
    """The one file that a source writes, and what to call others like it; None where it writes many."""
    if "file" in source:
        name = str(source["file"])
    elif "url" in source:
        name = str(source["url"]).rpartition("/")[2]
    elif "helm" in source:
        name = f"{_slug(str(source['helm'].get('release') or source['helm'].get('chart')))}.yaml"
    elif "kustomize" in source:
        path = str(source["kustomize"]["path"])
        name = f"{_slug(path.rpartition('/')[2]) or 'all'}.yaml"
    else:
        return None, ""
    return name, name.rpartition(".")[0] or name


def _releases(group: Sequence[Candidate]) -> Piece | None:
    if group[0].images:
        return None
    return next((one.releases for one in group if one.releases is not None), None)


def _images(group: Sequence[Candidate]) -> tuple[Piece, ...]:
    """One image for all of its pins."""
    pins = [image for one in group for image in one.images]
    if not pins:
        return ()
    return ({**pins[0], "edits": list(_unique_pieces(edit for pin in pins for edit in pin["edits"]))},)


def _unique_pieces(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    found: dict[str, Piece] = {}
    for piece in pieces:
        found.setdefault(json.dumps(piece, sort_keys=True, default=str), piece)
    return tuple(found.values())


def _wishes(group: Sequence[Candidate]) -> list[str]:
    return [slug for one in group for name in one.names if (slug := _slug(name))]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _unique(wishes: Sequence[str], taken: set[str]) -> str:
    """The first wish that is free, else the first one with a number; it is taken then."""
    name = next((wish for wish in wishes if wish not in taken), None)
    if name is None:
        stem = wishes[0] if wishes else "vendor"
        number = 2 if wishes else 1
        while f"{stem}-{number}" in taken:
            number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


def _free(
    base: str, name: str, owned: dict[str, str], *, real: bool, claim: bool
) -> tuple[str, str | None, bool]:
    """The base, or a free one near it; what to say about that; and whether the conflict remains."""
    chosen, remark, clash = base, None, False
    if other := _owner(base, name, owned):
        if real:
            remark = f"`{base}` also holds content of `{other}`: give it a folder of its own"
            clash = True
        else:
            parent = base.rpartition("/")[0]
            chosen = f"{parent}/upstream-{name}".lstrip("/")
            number = 2
            while _owner(chosen, name, owned):
                chosen, number = f"{parent}/upstream-{name}-{number}".lstrip("/"), number + 1
    if not real:
        remark = f"`{chosen}` is a suggestion for the folder that upstreamsync is to own"
    if claim and not clash:
        owned[chosen] = name
    return chosen, remark, clash


def _owner(base: str, name: str, owned: Mapping[str, str]) -> str | None:
    """Another vendor whose folder is this one, or is nested with it."""
    folder = PurePosixPath(base)
    for path, owner in owned.items():
        other = PurePosixPath(path)
        if owner != name and (folder == other or folder in other.parents or other in folder.parents):
            return owner
    return None
