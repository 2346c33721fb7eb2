"""A name that a patch gives in place of upstream's, wherever it stood, and that upstream now uses in a new place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from upstreamsync.kit.kubernetes.objects import leaves, object_id
from upstreamsync.model import Severity, Verdict
from upstreamsync.verify.build.builds import Manifest, State
from upstreamsync.verify.build.chain import Side
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.items import Item, Kind

#: Fields that name something else; what they say is no setting which each object has for itself.
_NAMING: Final = frozenset(
    ("namespace", "secretName", "serviceAccountName", "claimName", "resourceNames", "ingressClassName",
     "storageClassName", "priorityClassName")
)  # fmt: skip
#: Those that name an object: where it is there, a new user of it may well mean it.
_OBJECTS: Final = frozenset(("secretName", "serviceAccountName", "claimName"))
_REVIEW: Final = Severity.REVIEW.rank
#: A field below the one that holds it, and the name that it says.
_Name = tuple[tuple[str, ...], str]


def find(
    items: Sequence[Item], old: Side, new: Side, notes: Mapping[str, Sequence[Note]]
) -> Iterator[tuple[str, Note]]:
    """For each patch, the places of the new result that still say a name which no old one said any more."""
    given = _given(items, old)
    if not given or not isinstance(old.final, State) or not isinstance(new.final, State):
        return
    there = {str(key[0].name) for key in new.final.objects}
    before = Counter(name for obj in old.final.manifests for name in _names(obj))
    for obj in new.final.manifests:
        resource = str(object_id(obj))
        for name in dict.fromkeys(_names(obj)):
            item, instead = given.get(name, ("", ""))
            if before[name] or not _works(item, new) or (name[0][-1] in _OBJECTS and name[1] in there):
                continue
            if not any(note.resource == resource and note.severity.rank <= _REVIEW for note in notes[item]):
                yield item, _note(resource, name, instead)


def _works(item: str, side: Side) -> bool:
    effect = side.effects.get(item)
    return effect is not None and effect.error is None and bool(effect.touched)


def _given(items: Sequence[Item], side: Side) -> dict[_Name, tuple[str, str]]:
    """The names of upstream's that patches replace: the last one that had to do with it, and what stands there."""
    base, final = side.base, side.final
    if not isinstance(base, State) or not isinstance(final, State):
        return {}
    ends = {side.names.get(key, key): obj for key, obj in final.objects.items()}
    found: dict[_Name, tuple[str, str]] = {}
    for item in items:
        effect = side.effects.get(item.name)
        if item.kind not in (Kind.MERGE, Kind.JSON) or effect is None or not _says_a_name(item):
            continue
        for key, touch in effect.touched.items():
            if touch.before is None or touch.after is None or key not in ends or key not in base.objects:
                continue
            if list(_names(touch.before)) == list(_names(touch.after)):
                continue
            before, after = (list(_names(obj)) for obj in (base.objects[key], ends[key]))
            for name in before:
                instead = [
                    value for field, value in after if field == name[0] and (field, value) not in before
                ]
                if name not in after and instead:
                    found[name] = (item.name, ", ".join(dict.fromkeys(instead)))
    return found


def _says_a_name(item: Item) -> bool:
    """Whether a patch may have to do with names at all: most have not, and touch many objects."""
    text = str(item.body)
    return any(field in text for field in _NAMING)


def _names(obj: Manifest) -> Iterator[_Name]:
    for path, value in leaves({key: part for key, part in obj.items() if key not in ("metadata", "status")}):
        if path[-1] in _NAMING and isinstance(value, str) and value:
            yield path[-2:], value


def _note(resource: str, name: _Name, instead: str) -> Note:
    field = ".".join(name[0])
    return Note(
        verdict=Verdict.UNCOVERED, reason="new_resource", resource=resource, path=(f".{name[0][-1]}",),
        did=f"made {field} {instead} wherever it was {name[1]}", does=f"misses {resource}",
        because=f"upstream says {name[1]} there, too, now", hint=f"set {field} to {instead} there as well",
    )  # fmt: skip
