"""Which documents to keep."""

from __future__ import annotations

import re
from collections.abc import Sequence

from upstreamsync.base.documents import Document, Identity
from upstreamsync.base.located import At, nowhere
from upstreamsync.config.spec import ObjectMatch, Select
from upstreamsync.errors import SelectionError


def select_documents(documents: Sequence[Document], select: Select, at: At = nowhere) -> list[Document]:
    """The documents that ``select`` keeps, in their order.

    Documents that are nothing but comments stay unless ``include`` names what to keep. Raises
    SelectionError for an entry that matches nothing, and when nothing would remain; ``at`` says where in
    vendors.yaml the entry stands.
    """
    unused = {("include", index) for index in range(len(select.include))}
    unused |= {("exclude", index) for index in range(len(select.exclude))}
    kept = []
    for document in documents:
        if document.identity is None:
            if not select.include:
                kept.append(document)
            continue
        included = _hits(document.identity, select.include)
        excluded = _hits(document.identity, select.exclude)
        unused -= {("include", index) for index in included}
        unused -= {("exclude", index) for index in excluded}
        if (included or not select.include) and not excluded:
            kept.append(document)
    if unused:
        key, index = min(unused, key=lambda entry: (entry[0] == "exclude", entry[1]))
        entry = (select.include if key == "include" else select.exclude)[index]
        raise SelectionError(
            f"`select.{key}[{index}]` ({_shown(entry)}) matches nothing",
            hint=_there_is(documents),
            place=at(key, index),
        )
    if not any(document.identity for document in kept):
        raise SelectionError("`select` leaves nothing over", hint=_there_is(documents), place=at())
    return kept


def _hits(identity: Identity, entries: Sequence[ObjectMatch]) -> set[int]:
    return {index for index, entry in enumerate(entries) if _matches(identity, entry)}


def _matches(identity: Identity, entry: ObjectMatch) -> bool:
    return all(
        pattern is None or re.fullmatch(pattern, value) is not None
        for pattern, value in (
            (entry.kind, identity.kind),
            (entry.name, identity.name),
            (entry.namespace, identity.namespace),
        )
    )


def _shown(entry: ObjectMatch) -> str:
    return (
        ", ".join(f"{key}: {value}" for key, value in entry.model_dump(exclude_none=True).items())
        or "anything"
    )


def _there_is(documents: Sequence[Document], most: int = 20) -> str:
    """What one could have selected, for the hint."""
    names = list(dict.fromkeys(str(document.identity) for document in documents if document.identity))
    if not names:
        return "there are no objects in the content"
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"there is: {'; '.join(names[:most])}{more}"
