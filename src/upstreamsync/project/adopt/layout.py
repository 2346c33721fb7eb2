"""Customizations → files: the pristine base, a kustomization above it, patches, and objects of one's own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from upstreamsync.adopt.comments import as_comment
from upstreamsync.adopt.customize import Customizations, Patch, inline
from upstreamsync.adopt.matching import Manifest
from upstreamsync.adopt.redirect import redirected
from upstreamsync.adopt.texts import dump
from upstreamsync.base.kustomization import OWN_NAME, is_kustomization, is_ours
from upstreamsync.base.view import View
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import digest, object_id
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.kit.yaml import manifests
from upstreamsync.project.adopt.copy import Copy, Part, as_built

_UNSAFE = re.compile(r"[^a-z0-9.-]+")
#: What is written above a patch, in lines: the copy's comments, and the commits that made the change.
Remarks = Callable[[Patch], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things go: ``base`` is the pristine one, ``level`` the folder of the kustomization above it.

    ``entry`` is the folder that others refer to: what it builds has to stay. ``whole`` when the copy's own
    kustomization is replaced, and not one that customizes the copy already.
    """

    base: str
    level: str
    entry: str
    whole: bool


def choose_places(copy: Copy, *, upstream_kustomization: bool, empty: bool) -> Places:
    """Keep the paths which others refer to wherever that can be."""
    folder = copy.folder
    whole = copy.kustomization is None or copy.only_lists or upstream_kustomization
    if empty and whole:
        return Places(base=folder, level="", entry=folder, whole=True)
    parent, _, name = folder.rpartition("/")
    if name == "upstream" and whole:
        level = f"{parent}/adopted" if parent else "adopted"
        return Places(base=folder, level=level, entry=level, whole=True)
    level = folder if whole else f"{folder}/adopted"
    return Places(base=f"{folder}/upstream", level=level, entry=folder, whole=whole)


@dataclass(slots=True)
class _Level:
    """The files of the kustomization above the base, as they come together."""

    folder: str
    files: dict[str, bytes] = field(default_factory=dict)

    def write(self, name: str, data: bytes) -> str:
        """Write a file under a name that is free; its name."""
        stem, _, ending = name.rpartition(".")
        number = 1
        while f"{self.folder}/{name}" in self.files:
            number += 1
            name = f"{stem}-{number}.{ending}"
        self.files[f"{self.folder}/{name}"] = data
        return name


def level_files(
    places: Places,
    customizations: Customizations,
    copy: Copy,
    remarks: Remarks,
    head: Sequence[str],
    kustomize: Kustomize,
) -> dict[str, bytes]:
    """The kustomization above the base, with its patches and own objects; nothing where none is needed."""
    if not places.level:
        return {}
    level = _Level(places.level)
    resources = [posixpath.relpath(places.base, places.level)]
    resources += _own_files(level, customizations, copy, kustomize)
    entries = [_entry(level, patch, remarks(patch)) for patch in customizations.patches]
    fields = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
        **customizations.settings.fields(),
    }
    if entries:
        fields["patches"] = entries
    level.files[f"{places.level}/{OWN_NAME}"] = as_comment(head) + dump(fields)
    return level.files


def _entry(level: _Level, patch: Patch, remarks: Sequence[str]) -> dict[str, object]:
    """One entry of ``patches:``; deletions stand in it, all else is a file of its own."""
    if patch.local is None:
        return inline(patch)
    name = object_id(patch.upstream)
    data = as_comment(remarks) + dump(patch.body)
    path = level.write(f"patches/{file_name(name.kind, name.name)}", data)
    entry: dict[str, object] = {"target": patch.target()} if patch.is_json else {}
    entry["path"] = path
    if patch.options:
        entry["options"] = dict(patch.options)
    return entry


def file_name(kind: str, name: str) -> str:
    """``deployment-controller.yaml``."""
    return f"{_UNSAFE.sub('-', f'{kind}-{name}'.lower()).strip('-.')}.yaml"


def _own_files(level: _Level, customizations: Customizations, copy: Copy, kustomize: Kustomize) -> list[str]:
    """Objects of the copy alone: files that hold nothing else stay, others are taken out of theirs."""
    own = [*customizations.own, *customizations.replaced]
    ids = {object_id(one) for one in own}
    holding: dict[str, list[Part]] = {}
    for part in copy.parts:
        holding.setdefault(part.file, []).append(part)
    kept: set[str] = set()
    names: list[str] = []
    for one in own:
        origin = copy.part_of(one)
        if origin is not None and [digest(one)] != [
            digest(each) for each in as_built({origin.file: origin.data}, kustomize)
        ]:
            origin = None  # the copy's kustomization changes it
        alone = origin is not None and all(each.name in ids for each in holding[origin.file])
        inside = origin is not None and origin.file.startswith(f"{level.folder}/")
        if origin is not None and alone and inside and level.folder == copy.folder:
            kept.add(origin.file.removeprefix(f"{copy.folder}/"))
            continue
        name = object_id(one)
        data = origin.data if origin is not None else dump(dict(one))
        names.append(level.write(file_name(name.kind, name.name), _without_marker(data)))
    return [*sorted(kept), *names]


def _without_marker(data: bytes) -> bytes:
    return re.sub(rb"\A---[ \t]*\r?\n", b"", data.removeprefix(b"\xef\xbb\xbf")).rstrip() + b"\n"


def redirect(
    view: View, copy: Copy, gone: Iterable[str], places: Places
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Kustomizations that name what is gone, edited to follow; and remarks on those that have to be by hand."""
    lost = {*gone, *([copy.folder] if places.entry != copy.folder else [])}
    target = places.level if not places.whole or places.entry != copy.folder else places.entry
    files: dict[str, bytes] = {}
    told: list[str] = []
    for path in view.listing(""):
        data = view.read(path) if is_kustomization(path) else None
        # Those of the copy itself: ours is written anew, and one that only lists is replaced.
        if (
            data is None
            or path == f"{places.level}/{OWN_NAME}"
            or (places.whole and path == copy.kustomization)
        ):
            continue
        if path.startswith(f"{copy.folder}/") and is_ours(data):
            continue
        entries = _entries(path, data, lost)
        if not entries:
            continue
        here = posixpath.dirname(path)
        new = redirected(data.decode("utf-8", "replace"), entries, posixpath.relpath(target, here or "."))
        if new is None:
            told.append(f"{path} names {', '.join(sorted(entries))}: let it name {target} by hand")
        else:
            files[path] = new.encode()
    return files, tuple(told)


def listed_by_file(view: View, copy: Copy) -> Copy | None:
    """The copy as kustomizations elsewhere name it, file by file; None where none does.

    Files that nobody names are no part of it. A copy with a kustomization of its own is named as a whole.
    """
    if copy.kustomization is not None:
        return None
    outside = [path for path in view.listing("") if not path.startswith(f"{copy.folder}/")]
    named: set[str] = set()
    for path in filter(is_kustomization, outside):
        named.update(_entries(path, view.read(path) or b"", set(copy.files)).values())
    if not named:
        return None
    return replace(
        copy,
        files={path: data for path, data in copy.files.items() if path in named},
        parts=tuple(part for part in copy.parts if part.file in named),
    )


def _entries(path: str, data: bytes, lost: set[str]) -> dict[str, str]:
    """The entries of a kustomization that lead to what is gone: as written → where."""
    try:
        loaded = manifests.load(data, name=path)
    except UpstreamsyncError:  # not readable: nothing in it that could be led elsewhere
        return {}
    if not isinstance(loaded, dict):
        return {}
    here = posixpath.dirname(path)
    found = {}
    for key in ("resources", "bases", "components"):
        for one in loaded.get(key) or ():
            if isinstance(one, str) and (there := posixpath.normpath(posixpath.join(here, one))) in lost:
                found[one] = there
    return found


def files_gone(copy: Copy, matched: Sequence[Manifest], places: Places) -> list[str]:
    """The files of the copy that held upstream's objects: they go, as the base and the level say the same."""
    names = {object_id(one) for one in matched}
    gone = {part.file for part in copy.parts if part.name in names}
    if places.whole and copy.kustomization is not None:
        gone.add(copy.kustomization)
    return sorted(gone)
