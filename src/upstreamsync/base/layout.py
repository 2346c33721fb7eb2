"""How documents are spread over files; their bytes stay upstream's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from upstreamsync.base.documents import Document, join
from upstreamsync.errors import ContentError
from upstreamsync.model import ContentFile

_UNSAFE = re.compile(r"[^a-z0-9.-]+")


def as_is(files: Sequence[ContentFile], documents: Sequence[Document] | None) -> list[ContentFile]:
    """The files as they came, or with those documents alone that were kept; empty ones go."""
    if documents is None:
        return list(files)
    kept: dict[str, list[bytes]] = {}
    for document in documents:
        kept.setdefault(document.file, []).append(document.data)
    return [
        ContentFile(path=file.path, data=join(kept[file.path]), executable=file.executable)
        for file in files
        if file.path in kept
    ]


def one_file(documents: Sequence[Document], name: str) -> ContentFile:
    """All documents in one file, in upstream's order."""
    return ContentFile(path=name, data=join([document.data for document in documents]))


def per_resource(documents: Sequence[Document]) -> list[ContentFile]:
    """One file for each object, ``kind-name.yaml``; what is nothing but comments is left out.

    Where two objects share that name the namespace, then the API group, then a number tells them apart.
    """
    objects = [document for document in documents if document.identity is not None]
    names = _names(objects, 0)
    for detail in (1, 2):
        counts = Counter(names)
        names = [
            finer if counts[name] > 1 else name
            for name, finer in zip(names, _names(objects, detail), strict=True)
        ]
    seen: Counter[str] = Counter()
    taken = set(names)
    files = []
    for document, name in zip(objects, names, strict=True):
        seen[name] += 1
        unique = name
        while seen[name] > 1 and unique in taken:
            unique = f"{name}-{seen[name]}"
            seen[name] += unique in taken
        taken.add(unique)
        files.append(ContentFile(path=f"{unique}.yaml", data=document.data))
    return sorted(files, key=lambda file: file.path)


def _names(documents: Sequence[Document], detail: int) -> list[str]:
    names = []
    for document in documents:
        who = document.identity
        assert who is not None  # noqa: S101 (its only caller leaves the others out)
        if not who.kind:
            raise ContentError(
                f"{document.file} holds a document without `kind`",
                hint="layout per-resource is for Kubernetes objects; use as-is, or leave the document out",
            )
        kind = f"{who.kind}.{who.group}" if detail > 1 and who.group else who.kind
        words = [kind, who.namespace if detail else "", who.name]
        names.append("-".join(_plain(word) for word in words if word))
    return names


def _plain(word: str) -> str:
    return _UNSAFE.sub("-", word.lower()).strip("-.")[:120] or "x"
