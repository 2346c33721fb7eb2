"""What in the repository names a folder: kustomizations, and Argo CD's Applications."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from upstreamsync.adopt.redirect import redirected
from upstreamsync.base.kustomization import is_kustomization
from upstreamsync.base.view import View
from upstreamsync.errors import UpstreamsyncError, UsageError
from upstreamsync.kit.foreign import all_strings
from upstreamsync.kit.yaml import manifests
from upstreamsync.review import find_readers

_FOLDERS = ("resources", "bases", "components")


def entries_of(path: str, data: bytes) -> dict[str, str]:
    """The entries of a kustomization that are paths: as written → where they lead."""
    try:
        loaded = manifests.load(data, name=path)
    except UpstreamsyncError:
        return {}
    if not isinstance(loaded, dict):
        return {}
    here = posixpath.dirname(path)
    return {
        one: posixpath.normpath(posixpath.join(here, one))
        for key in _FOLDERS
        for one in loaded.get(key) or ()
        if isinstance(one, str) and "://" not in one
    }


def moved_references(view: View, old: str, new: str) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Kustomizations that name the folder ``old``, or are in it, as they have to be once it is ``new``.

    Returns the files that change, by their new path, and what has to be done by hand. Raises UsageError where a
    kustomization would stand on a folder that it lies in.
    """
    files: dict[str, bytes] = {}
    told: list[str] = []
    for path in view.listing(""):
        data = view.read(path) if is_kustomization(path) else None
        if data is None:
            continue
        inside = path.startswith(f"{old}/")
        target = new + path.removeprefix(old) if inside else path
        text = data.decode("utf-8", "replace")
        for entry, leads in entries_of(path, data).items():
            goes = new + leads.removeprefix(old) if _within(leads, old) else leads
            if goes == new != leads and not inside and path.startswith(f"{new}/"):
                raise UsageError(
                    f"{path} stands on the base and would lie inside of it, which kustomize refuses",
                    hint="choose a folder that holds no overlay of it",
                )
            wanted = posixpath.relpath(goes, posixpath.dirname(target) or ".")
            if wanted == posixpath.normpath(entry):
                continue
            changed = redirected(text, {entry}, wanted)
            if changed is None:
                told.append(f"{target} names {entry}: let it name {wanted} by hand")
            else:
                text = changed
        if text.encode() != data:
            files[target] = text.encode()
        elif not inside and old in _other_paths(path, data, old):
            told.append(f"{path} names files of {old} elsewhere than in `resources`: adapt it by hand")
    told += [f"the Application {name} reads {old}: let it read {new}" for name in readers_of(view, old)]
    return files, tuple(told)


def naming(view: View, folder: str) -> tuple[str, ...]:
    """The kustomizations outside of a folder that name it or something in it, and what else reads it."""
    found = [
        path
        for path in view.listing("")
        if is_kustomization(path)
        and not path.startswith(f"{folder}/")
        and any(_within(leads, folder) for leads in entries_of(path, view.read(path) or b"").values())
    ]
    return (*found, *(f"the Application {name}" for name in readers_of(view, folder)))


def readers_of(view: View, folder: str) -> list[str]:
    """The Applications whose path is the folder."""
    files = (
        (path, data)
        for path in view.listing("")
        if path.endswith((".yaml", ".yml")) and (data := view.read(path)) is not None
    )
    return sorted({reader.name for reader in find_readers(files) if reader.path.strip("/") == folder})


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _other_paths(path: str, data: bytes, folder: str) -> set[str]:
    """The folder, when something else than the lists of a kustomization leads into it."""
    here = posixpath.dirname(path)
    try:
        loaded: Any = manifests.load(data, name=path)
    except UpstreamsyncError:
        return set()
    rest = (
        {key: value for key, value in loaded.items() if key not in _FOLDERS}
        if isinstance(loaded, dict)
        else {}
    )
    leads = (posixpath.normpath(posixpath.join(here, text)) for text in _texts(rest))
    return {folder} if any(_within(one, folder) for one in leads) else set()


def _texts(value: Any) -> Iterator[str]:
    return (text for text in all_strings(value) if "\n" not in text and len(text) < 500)
