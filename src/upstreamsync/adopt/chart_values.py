"""Which edits of what a chart rendered are what a value of the chart does: tried by rendering, never guessed.

A value is proposed for an edit because its default stands where the edit was made; whether it does what the
edit did, and nothing else, is for a render to show.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from upstreamsync.adopt.matching import Manifest, Matching, match
from upstreamsync.adopt.operations import Element, Operation, operations
from upstreamsync.kit.kubernetes.objects import MISSING, element_label, object_id
from upstreamsync.kit.kubernetes.values import Image, image

#: Values by their names as helm writes them (``image.tag``).
Values = Mapping[str, Any]
#: What the chart renders with some values besides the declared ones; None where it refuses them.
Render = Callable[[Values], Sequence[Manifest] | None]
_Path = tuple[str, ...]
_Proposal = Mapping[_Path, Any]

#: So many renders are tried at most, and so many for one place that was edited.
_TRIES = 60
_TRIES_EACH = 8
#: How far above an edited value the whole is looked for that a value of the chart may be.
_ABOVE = 4
_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartValues:
    """Values that say what was edited by hand, and what the chart renders with them."""

    values: Values = field(default_factory=dict)
    rendered: Sequence[Manifest] = ()


def find_chart_values(
    defaults: Mapping[str, Any], rendered: Sequence[Manifest], local: Sequence[Manifest], render: Render
) -> ChartValues:
    """The values with which the chart renders more of the copy, and nothing that is not in it.

    ``defaults`` are the chart's values as they are without those that are looked for, ``rendered`` what it
    renders with them, ``local`` the copy's objects. A value is taken when a difference vanishes with it and no
    other one comes.
    """
    found: dict[_Path, Any] = {}
    matching = match(rendered, local)
    left = _differences(matching)
    tried: set[str] = set()
    while left:
        for proposal in _proposals(tuple(_nodes(_with(defaults, found))), matching):
            key = _text_of(proposal)
            if key in tried or len(tried) >= _TRIES:
                continue
            tried.add(key)
            objects = render(_named({**found, **proposal}))
            again = match(objects, local) if objects is not None else None
            if objects is not None and again is not None and (now := _differences(again)) < left:
                found = {path: value for path, value in found.items() if not _above(path, proposal)}
                found |= proposal
                rendered, matching, left = objects, again, now
                break
        else:
            break
    return ChartValues(values=_named(found), rendered=rendered)


def _above(path: _Path, proposal: _Proposal) -> bool:
    """Whether the proposal sets the whole of what a value is a part of."""
    return any(path[: len(one)] == one for one in proposal)


def _named(values: _Proposal) -> Values:
    return {helm_key(path): value for path, value in values.items()}


def _text_of(proposal: _Proposal) -> str:
    return json.dumps([[path, value] for path, value in sorted(proposal.items())], default=str)


def _with(defaults: Mapping[str, Any], values: _Proposal) -> dict[str, Any]:
    """The chart's values with some of them set."""
    merged = copy.deepcopy(dict(defaults))
    for path, value in values.items():
        here = merged
        for step in path[:-1]:
            below = here.get(step)
            here[step] = here = below if isinstance(below, dict) else {}
        here[path[-1]] = value
    return merged


def _differences(matching: Matching) -> Counter[Hashable]:
    """Every value that only one of both sides has; the order of lists is for the proof to look at."""
    found: Counter[Hashable] = Counter()
    for pair in matching.pairs:
        if pair.is_equal:
            continue
        name = object_id(pair.local)
        one, other = _contents(pair.upstream), _contents(pair.local)
        found.update({(name, "-", key): count for key, count in (one - other).items()})
        found.update({(name, "+", key): count for key, count in (other - one).items()})
    for sign, alone in (("-", matching.dropped), ("+", matching.own)):
        for manifest in alone:
            for key, count in _contents(manifest).items():
                found[object_id(manifest), sign, key] += count
    return found


def _contents(manifest: Manifest) -> Counter[Hashable]:
    return Counter((path, json.dumps(value, default=str)) for path, value in _parts(manifest, ()))


def _parts(value: Any, path: _Path) -> Iterator[tuple[_Path, Any]]:
    """Every scalar of a tree; a list with scalars in it (arguments) is one value, as its order says something."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _parts(child, (*path, str(key)))
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for child in value:
            yield from _parts(child, path)
    else:
        yield path, value


# -- the values that a chart has ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A value of the chart, a mapping or a list of them also as a whole."""

    path: _Path
    value: Any

    @property
    def name(self) -> str:
        return self.path[-1].lower()

    def set(self, value: Any) -> _Proposal:
        return {self.path: value}


def helm_key(path: _Path) -> str:
    """The name of a value as helm writes it: dots inside a key have a backslash before them."""
    return ".".join(key.replace("\\", "\\\\").replace(".", "\\.").replace(",", "\\,") for key in path)


def _nodes(value: Any, path: _Path = ()) -> Iterator[_Node]:
    if path:
        yield _Node(path=path, value=value)
    if isinstance(value, dict):
        for key, child in value.items():
            if isinstance(key, str) and key and not set(key) & set("[]={}"):
                yield from _nodes(child, (*path, key))


# -- proposals ---------------------------------------------------------------------------------------


def _proposals(nodes: Sequence[_Node], matching: Matching) -> Iterator[_Proposal]:
    """What may say the differences, the likeliest first for each place."""
    for pair in matching.pairs:
        if pair.is_equal:
            continue
        changes = operations(pair.upstream, pair.local)
        for operation in (*changes, *_changed_elements(changes)):
            found: dict[str, _Proposal] = {}
            for proposal in _for_operation(nodes, operation, pair.upstream, pair.local):
                found.setdefault(_text_of(proposal), proposal)
            yield from list(found.values())[:_TRIES_EACH]
    for alone, switched_on in ((matching.dropped, True), (matching.own, False)):
        for manifest in alone:
            words = f"{manifest.get('kind')}/{object_id(manifest).name}".lower()
            yield from list(_switches(nodes, words, switched_on))[:_TRIES_EACH]


def _changed_elements(changes: Sequence[Operation]) -> Iterator[Operation]:
    """What differs between elements of one list that went and that came: a port has no other name than itself."""
    came = [one for one in changes if isinstance(one.path[-1], Element) and one.is_addition]
    for gone in changes:
        if not isinstance(gone.path[-1], Element) or not gone.is_removal:
            continue
        new = next((one for one in came if one.path[:-1] == gone.path[:-1]), None)
        if new is not None and isinstance(gone.before, dict) and isinstance(new.after, dict):
            came.remove(new)
            for inner in operations(gone.before, new.after):
                yield Operation(path=(*gone.path, *inner.path), before=inner.before, after=inner.after)


def _switches(nodes: Sequence[_Node], words: str, on: bool) -> Iterator[_Proposal]:
    """Truth values that may stand for a whole object or a part of one, those that are named alike first."""
    for node in sorted((one for one in nodes if one.value is on), key=lambda one: -_named_alike(one, words)):
        yield node.set(not on)


def _named_alike(node: _Node, words: str) -> int:
    """How many letters a value's name shares with some words, in one piece."""
    return max(len(step) if step.lower() in words else 0 for step in node.path)


def _for_operation(
    nodes: Sequence[_Node], operation: Operation, upstream: Manifest, local: Manifest
) -> Iterator[_Proposal]:
    if operation.path[-1] == "image":
        yield from _for_image(nodes, operation)
    yield from _for_scalar(nodes, operation)
    for length in range(len(operation.path), max(0, len(operation.path) - _ABOVE), -1):
        path = operation.path[:length]
        if isinstance(path[-1], str):
            yield from _for_part(nodes, path[-1].lower(), _at(upstream, path), _at(local, path))
    words = "/".join(step.lower() for step in operation.path[-2:] if isinstance(step, str))
    if operation.is_addition or operation.is_removal:
        yield from _switches([one for one in nodes if _named_alike(one, words)], words, operation.is_removal)


def _at(manifest: Any, path: Sequence[str | Element]) -> Any:
    here = manifest
    for step in path:
        if isinstance(step, Element):
            items = here if isinstance(here, list) else []
            here = next((one for one in items if element_label(one, step.fields) == step.label), MISSING)
        else:
            here = here.get(step, MISSING) if isinstance(here, dict) else MISSING
    return here


def _for_scalar(nodes: Sequence[_Node], operation: Operation) -> Iterator[_Proposal]:
    """A value that is the text that was changed, or a piece of it."""
    name = str(operation.path[-1]).lower()
    before, after = operation.before, operation.after
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            if isinstance(one, dict) and isinstance(other, dict):
                for inner in operations(one, other):
                    yield from _for_scalar(nodes, inner)
            elif one != other:
                yield from _for_scalar(nodes, Operation(path=operation.path, before=one, after=other))
    if not _is_scalar(before) or not _is_scalar(after):
        return
    whole = [one for one in nodes if _is_scalar(one.value) and _text(one.value) == _text(before)]
    for node in sorted(
        whole, key=lambda one: (one.name != name, one.name not in name and name not in one.name)
    ):
        yield node.set(_like(node.value, after))
    for node in nodes:
        piece = _text(node.value) if _is_scalar(node.value) else ""
        if piece and piece in _text(before) and piece != _text(before):
            new = _instead_of(piece, _text(before), _text(after))
            if new is not None:
                yield node.set(_like(node.value, new))


def _instead_of(piece: str, before: str, after: str) -> str | None:
    """What stands in ``after`` in place of the piece of ``before``; None where the rest differs, too."""
    start = before.find(piece)
    while start >= 0:
        head, tail = before[:start], before[start + len(piece) :]
        alone = not (head[-1:].isalnum() or tail[:1].isalnum())
        fits = len(after) > len(head) + len(tail) and after.startswith(head) and after.endswith(tail)
        if alone and fits:
            return after[len(head) : len(after) - len(tail)]
        start = before.find(piece, start + 1)
    return None


def _for_part(nodes: Sequence[_Node], name: str, before: Any, after: Any) -> Iterator[_Proposal]:
    """A value that is a whole field, or that the chart puts beside what a field has."""
    if after is MISSING:
        for node in nodes:
            if isinstance(node.value, (dict, list, str)) and node.value and node.value == before:
                yield node.set(type(node.value)())
        return
    same = [one for one in nodes if isinstance(one.value, (dict, list)) and one.value and one.value == before]
    for node in sorted(same, key=lambda one: not _alike(one.name, name)):
        yield _changed_keys(node, after)
    more = _more(before, after)
    for node in nodes:
        if node.value not in _EMPTY or isinstance(node.value, bool) or not _alike(node.name, name):
            continue
        value = more if before else after
        if value is not None and (node.value in (None, "") or type(value) is type(node.value)):
            yield node.set(copy.deepcopy(value))
        if isinstance(node.value, dict) and isinstance(more, list) and (flags := _flags(more)):
            yield node.set(flags)


def _changed_keys(node: _Node, after: Any) -> _Proposal:
    """The keys of a mapping that are other or new; the whole where some are gone, and of a list."""
    if isinstance(after, dict) and isinstance(node.value, dict) and node.value.keys() <= after.keys():
        missing = object()
        changed = {key: one for key, one in after.items() if node.value.get(key, missing) != one}
        return {(*node.path, str(key)): copy.deepcopy(one) for key, one in changed.items()}
    return node.set(copy.deepcopy(after))


def _alike(name: str, field_name: str) -> bool:
    """Whether a value is called as the field is: ``podAnnotations``, ``extraArgs``, ``nodeSelector``."""
    return name == field_name or name.endswith(field_name) or field_name.endswith(name)


def _more(before: Any, after: Any) -> Any:
    """What a list or a mapping has more than before; None where it lost something, too."""
    if isinstance(before, list) and isinstance(after, list):
        rest = list(after)
        for one in before:
            if one not in rest:
                return None
            rest.remove(one)
        return rest or None
    if isinstance(before, dict) and isinstance(after, dict):
        kept = all(key in after and after[key] == value for key, value in before.items())
        return {key: value for key, value in after.items() if key not in before} or None if kept else None
    return None


def _flags(arguments: Sequence[Any]) -> dict[str, str]:
    """Arguments as a mapping, which some charts want; nothing for others than ``--name=value``."""
    found = {}
    for one in arguments:
        name, equals, value = str(one).partition("=")
        if not equals or not name.startswith("-"):
            return {}
        found[name.lstrip("-")] = value
    return found


def _for_image(nodes: Sequence[_Node], operation: Operation) -> Iterator[_Proposal]:
    """The values of an image, which charts write in pieces: registry, repository, tag, digest."""
    before, after = image(operation.before), image(operation.after)
    if before is None or after is None:
        return
    groups: dict[_Path, dict[str, _Node]] = {}
    for node in nodes:
        if node.value is None or isinstance(node.value, str):
            groups.setdefault(node.path[:-1], {})[node.name] = node
    for group in groups.values():
        named = group.get("repository") or group.get("name")
        if named is None:
            continue
        values = _image_values(group, named, before, after)
        if values:
            yield values


def _image_values(group: Mapping[str, _Node], named: _Node, before: Image, after: Image) -> _Proposal:
    """What has to be set of one image's values; nothing where they are another image's."""
    registry = group.get("registry")
    host = str(registry.value or "") if registry is not None else ""
    if before.name not in (str(named.value), f"{host}/{named.value}"):
        return {}
    values: dict[_Path, Any] = {}
    if after.name != before.name:
        if registry is not None and host and "/" in after.name:
            new_host, _, rest = after.name.partition("/")
            values.update(registry.set(new_host) if new_host != host else {})
            values.update(named.set(rest) if rest != named.value else {})
        else:
            values.update(named.set(after.name))
    for key, old, new in (("tag", before.tag, after.tag), ("digest", before.digest, after.digest)):
        node = group.get(key)
        if node is None or new == old:
            continue
        values.update(node.set(new))
    return values


def _is_scalar(value: Any) -> bool:
    return value is not None and value is not MISSING and not isinstance(value, (dict, list))


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _like(default: Any, value: Any) -> Any:
    """The value in the type of the chart's default."""
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(_text(value), value)
    if isinstance(default, int) and _text(value).lstrip("-").isdigit():
        return int(_text(value))
    return _text(value) if isinstance(default, str) else value
