"""A local file that was derived from an upstream one by hand: the copy that it is, and an entry of its own for it."""

from __future__ import annotations

import json
import posixpath
from typing import Any

from upstreamsync.adopt.texts import dump
from upstreamsync.base.documents import documents
from upstreamsync.base.origins import find_origin
from upstreamsync.config.load import content_digest
from upstreamsync.config.spec import Fork, Vendor
from upstreamsync.errors import ConfigError, HandEdited
from upstreamsync.kit.yaml import manifests
from upstreamsync.project.adopt.chart_values import row_of
from upstreamsync.project.adopt.copy import Copy, parts_of
from upstreamsync.project.adopt.declare import name_for, with_entry
from upstreamsync.project.session import Session

#: What of a vendor's entry is about its own base, and not about where content and versions come from.
_ITS_OWN = ("name", "base", "overlays", "edits", "images", "forks", "watch", "lock", "version", "source")


def find_fork(session: Session, path: str) -> tuple[Vendor, Fork] | None:
    """The fork that a path names, and the vendor that declares it."""
    path = path.removeprefix("./")
    found = [(one, fork) for one in session.configuration.vendors for fork in one.forks if fork.file == path]
    return found[0] if found else None


def fork_entry(session: Session, vendor: Vendor, fork: Fork) -> tuple[Session, str, Copy]:
    """The session with an entry for the fork in place of its line in ``forks:``, the entry's name, and the copy.

    The new base is the same source, of which only the fork's origin is selected; it lies in a folder that is
    called as the file is. Raises HandEdited where that can't be.
    """
    folder = posixpath.splitext(fork.file)[0]
    data = session.read(fork.file)
    if data is None or not (parts := parts_of(fork.file, data)):
        raise HandEdited(f"`{fork.file}` holds no Kubernetes objects", hint="only manifests can be adopted")
    if session.view.listing(folder):
        raise HandEdited(
            f"`{folder}` is in the way: the base is to lie there", hint="move it elsewhere first"
        )
    configuration = session.configuration
    raw: Any = manifests.load(configuration.text, name=configuration.path.name)
    row = next(one for one in raw["vendors"] if one.get("name") == vendor.name)
    source = row.get("source")
    if isinstance(source, list):
        (source,) = source if len(source) == 1 else (None,)
    if not isinstance(source, dict):
        raise HandEdited(
            f"`{vendor.name}` has several sources: which one `{fork.file}` comes from has to be said",
            hint="declare a vendor with that source, and `upstreamsync adopt FOLDER`",
        )
    name = name_for(folder, [one.name for one in configuration.vendors])
    entry = {
        "name": name,
        "version": vendor.version,
        "source": {
            **{key: value for key, value in source.items() if key not in ("base", "select")},
            "select": {"include": _selected(session, vendor, fork)},
        },
        **{key: value for key, value in row.items() if key not in _ITS_OWN},
        "base": folder,
    }
    text = with_entry(_without_fork(session, vendor, fork), entry, configuration.path.name)
    copy = Copy(
        folder=folder, files={fork.file: data}, kustomization=None, fields={}, parts=tuple(parts),
        named=(fork.file,),
    )  # fmt: skip
    return session.with_text(text), name, copy


def _selected(session: Session, vendor: Vendor, fork: Fork) -> list[dict[str, str]]:
    """The objects of the origins, as ``select`` names them."""
    paths = [path for base in vendor.bases for path in session.view.listing(base)]
    found: list[dict[str, str]] = []
    for of in fork.origins:
        data = find_origin(of, paths, vendor.bases, session.read)
        if data is None:
            raise HandEdited(
                f"`{fork.file}` derives from `{of}`, which is not in the base",
                hint=f"upstreamsync update {vendor.name}",
            )
        named = [one.identity for one in documents("origin.yaml", data) if one.identity is not None]
        found += [{"kind": one.kind, "name": one.name} for one in named]
    return found


def _without_fork(session: Session, vendor: Vendor, fork: Fork) -> str:
    """vendors.yaml without the line of the fork, everything else as it stands. Raises HandEdited."""
    text = session.configuration.text
    row = row_of(text, vendor.name)
    key, forks = next((key, value) for key, value in row.value if key.value == "forks")
    rest = [one for one in vendor.forks if one.file != fork.file]
    shown = [one.model_dump(mode="json", exclude_defaults=True) for one in rest]
    end = len(text[: forks.end_mark.index].rstrip())
    if forks.flow_style:
        new = text[: forks.start_mark.index] + json.dumps(shown, ensure_ascii=False) + text[end:]
    else:
        lines = "".join(
            f"{' ' * forks.start_mark.column}{line}\n" for line in dump(shown).decode().splitlines()
        )
        new = text[: key.end_mark.index] + (":\n" + lines.rstrip("\n") if rest else ": []") + text[end:]
    wanted = content_digest(vendor.model_copy(update={"forks": tuple(rest)}))
    try:
        same = content_digest(session.parsed(new).vendor(vendor.name)) == wanted
    except ConfigError:
        same = False
    if not same:
        raise HandEdited(
            f"the line of `{fork.file}` can't be taken out of {session.configuration.path.name}",
            hint="write `forks:` as a plain list, without anchors",
        )
    return new
