"""What a copy holds beside upstream's objects: files, kustomizations and comments of the team's own."""

from __future__ import annotations

from collections.abc import Sequence

from upstreamsync.adopt.comments import new_comments
from upstreamsync.adopt.matching import Manifest, match
from upstreamsync.base.documents import is_yaml_name
from upstreamsync.base.kustomization import NAMES, is_ours
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.project.adopt.copy import Copy, as_built, text_beside
from upstreamsync.project.update.regenerate import Prepared


def listed_objects(copy: Copy, kustomize: Kustomize) -> list[Manifest]:
    """The objects of the files that the copy's own kustomization lists."""
    listed = {f"{copy.folder}/{str(one).removeprefix('./')}" for one in copy.fields.get("resources") or ()}
    return as_built(
        {path: data for path, data in copy.files.items() if path in listed and is_yaml_name(path)}, kustomize
    )


def without_own_files(theirs: Sequence[Manifest], built: Sequence[Manifest], copy: Copy) -> list[Manifest]:
    """What the copy builds without the files that hold nothing of upstream's: they stay what they are."""
    ours = [copy.part_of(pair.local) for pair in match(theirs, built).pairs]
    files = {part.file for part in ours if part is not None}
    return [one for one in built if (part := copy.part_of(one)) is None or part.file in files]


def comments_beside(copy: Copy, gone: Sequence[str], prepared: Prepared) -> list[str]:
    """The comments of files that go which stand in documents of their own, and are not upstream's."""
    theirs = b"\n".join(file.data for base in prepared.bases for file in base.files).decode(
        "utf-8", "replace"
    )
    texts = [text_beside(path, copy.files[path]) for path in gone if path != copy.kustomization]
    return [str(one) for text in texts if text for one in new_comments(text, theirs)]


def listing_comments(copy: Copy, prepared: Prepared) -> list[str]:
    """The comments of the copy's kustomization that upstream's has not got, or ours where that was edited."""
    named = next((path for name in NAMES if (path := f"{copy.folder}/{name}") in copy.files), None)
    if named is None:
        return []
    data = copy.files[named]
    data = data.partition(b"\n")[2] if is_ours(data) else data  # its first line says that it is
    theirs = (file.data for base in prepared.bases for file in base.files if file.path in NAMES)
    texts = [one.decode("utf-8", "replace") for one in (data, *theirs)]
    return [str(one) for one in new_comments(texts[0], "\n".join(texts[1:]))]


def same_names(copy: Copy, prepared: Prepared) -> bool:
    """Whether upstream's files have the names that the copy's have."""
    theirs = {f"{copy.folder}/{file.path}" for base in prepared.bases for file in base.files}
    return {part.file for part in copy.parts} <= theirs
