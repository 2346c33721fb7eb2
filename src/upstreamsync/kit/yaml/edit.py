"""Changing one value of a text and nothing else: no reformatting, no lost comment, no moved line.

A value is found through the marks of YAML's nodes, cut out of the text and replaced; then the new text is
read again and compared with the old one, in which that one value was set. What does not come out equal is
refused. So an edit is either exactly what it says, or an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import yaml

from upstreamsync.errors import EditError, Malformed, TooLarge
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml import path as yaml_path
from upstreamsync.kit.yaml.path import Index, Key, Level, Match, Step
from upstreamsync.model import Place

_Where = tuple[int, tuple[str | int, ...]]
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_FIELDS = {"tag": "newTag", "digest": "digest", "name": "newName"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A value in a text: characters ``start`` to ``end``, what is read there, and the place for people.

    Inside a text in a text, the characters count from the start of the inner one; ``place`` never does
    where the lines of the two correspond.
    """

    start: int
    end: int
    value: str
    place: Place


def yaml_value(text: str, path: str, *, file: str = "<text>") -> Span:
    """Find the one scalar that ``path`` (see ``yamlpath``) names.

    Raises EditError when there is none, or more than one document has it.
    """
    *outer, last = yaml_path.parse(path)
    place: Place | None = None
    for level in outer:
        document = _Document.read(text, file, place)
        found = document.find(level)
        place = _inner_place(found, document)
        text = found.node.value
    document = _Document.read(text, file, place)
    found = document.find(last)
    shift = len(document.bom)
    return Span(
        start=found.start + shift, end=found.end + shift, value=found.node.value, place=document.place(found)
    )


def replace(text: str, path: str, value: str, *, file: str = "<text>") -> tuple[str, str, Place]:
    """Set the scalar that ``path`` names; returns the new text, the value before, and the place.

    The quotes stay as they are, unless ``value`` would not be read as what was there: text stays text.
    Raises EditError when nothing is found, or nothing but the value could be changed.
    """
    return _replace(text, yaml_path.parse(path), value, file, None)


def set_image(
    text: str,
    image: str,
    *,
    tag: str | None = None,
    digest: str | None = None,
    name: str | None = None,
    file: str = "<text>",
) -> tuple[str, str, Place]:
    """Set the tag, digest or new name (exactly one) of an entry of a kustomization's ``images:``.

    A missing ``newTag`` is added below the entry's name; other fields have to be there. Returns and
    raises as ``replace``; the value before is ``""`` for a line that was added.
    """
    given = {key: new for key, new in (("tag", tag), ("digest", digest), ("name", name)) if new is not None}
    if len(given) != 1:
        raise EditError("of an image, one of tag, digest and name can be set at a time")
    ((kind, value),) = given.items()
    field = _FIELDS[kind]
    document = _Document.read(text, file, None)
    entries = [
        (number, _children(entry))
        for _, root in document.roots()
        for number, entry in enumerate(_items(_children(root).get("images")))
        if (named := _children(entry).get("name")) is not None and named.value == image
    ]
    if len(entries) != 1:
        names = [
            str(named.value)
            for _, root in document.roots()
            for entry in _items(_children(root).get("images"))
            if (named := _children(entry).get("name")) is not None
        ]
        what = (
            f"`images:` has no entry `{image}`" if not entries else f"`images:` has `{image}` more than once"
        )
        hint = f"it has {', '.join(names)}" if names else "add `images:` with the image's name"
        raise EditError(what, hint=hint, place=Place(file=file))
    ((number, children),) = entries
    if field in children:
        return replace(text, f"images[{number}].{field}", value, file=file)
    if kind != "tag":
        place = document.mark(children["name"].start_mark)
        raise EditError(
            f"the image `{image}` has no `{field}`", hint=f"add `{field}:` to it once", place=place
        )
    return _add_tag(document, number, children["name"], value)


def set_env(text: str, env: str, value: str, *, file: str = "<text>") -> tuple[str, str, Place]:
    """Set an environment variable, by its name, wherever it stands in a list ``env:``.

    All places are set if they have the same value now; EditError if they differ, or there is none.
    """
    document = _Document.read(text, file, None)
    found: list[_Found] = []
    bare: yaml.Node | None = None
    for index, root in document.roots():
        for where, node in _lists(root, "env", (index, ())):
            for number, entry in enumerate(_items(node)):
                children = _children(entry)
                named = children.get("name")
                if named is None or named.value != env:
                    continue
                if isinstance(children.get("value"), yaml.ScalarNode):
                    found.append(document.found(children["value"], (where[0], (*where[1], number, "value"))))
                else:
                    bare = named
    if not found and bare is not None:
        raise EditError(
            f"the variable `{env}` has no `value`",
            hint="it takes it from elsewhere",
            place=document.mark(bare.start_mark),
        )
    if not found:
        raise EditError(f"there is no variable `{env}`", hint="is it in `env:`?", place=Place(file=file))
    before = sorted({one.node.value for one in found})
    if len(before) > 1:
        raise EditError(
            f"the variable `{env}` has different values: {', '.join(before)}",
            hint="use `path` to say which one is meant",
            place=document.place(found[0]),
        )
    return document.set(found, value), before[0], document.place(found[0])


def replace_pattern(text: str, pattern: str, value: str, *, file: str = "<text>") -> tuple[str, str, Place]:
    """Set the one group of a regular expression wherever it matches (``^`` and ``$`` mean lines).

    Returns as ``replace``. Raises EditError when it matches nowhere, or the group differs from match to
    match, or the pattern has not exactly one group.
    """
    try:
        expression = re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise EditError(f"`{pattern}` is not a regular expression: {error}") from None
    if expression.groups != 1:
        raise EditError(
            f"`{pattern}` has {expression.groups} groups",
            hint="put ( ) around what is replaced; (?: ) groups only",
        )
    spans: list[tuple[int, int]] = []
    for match in expression.finditer(text):
        start, end = match.span(1)
        if start >= 0:
            # `$` stands before the \n alone; the \r of a line's end belongs to the line.
            spans.append((start, end - 1 if text[start:end].endswith("\r") else end))
    if not spans:
        raise EditError(
            f"`{pattern}` matches nothing",
            hint="did the file change its form? adapt the pattern",
            place=Place(file=file),
        )
    values = sorted({text[start:end] for start, end in spans})
    place = _position(text, spans[0][0], file)
    if len(values) > 1:
        raise EditError(
            f"`{pattern}` matches different values: {', '.join(values)}",
            hint="make it match one of them",
            place=place,
        )
    for start, end in reversed(spans):
        text = text[:start] + value + text[end:]
    return text, values[0], place


# -- one YAML text ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A scalar: its node, its way from the document's root, and its characters without tag and anchor."""

    node: yaml.ScalarNode
    where: _Where
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """A YAML text, once as nodes with marks and once as values. ``within`` is where it stands in a file.

    ``text`` is without a byte order mark, which libyaml does not count; ``bom`` has it.
    """

    text: str
    bom: str
    file: str
    within: Place | None
    nodes: tuple[yaml.Node | None, ...]
    values: tuple[Any, ...]

    @classmethod
    def read(cls, text: str, file: str, within: Place | None) -> _Document:
        bom, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
        try:
            values = manifests.load_all(text, name=file)
            with manifests.no_garbage_collection():
                nodes = tuple(yaml.compose_all(text, Loader=manifests.KubernetesLoader))
        except (Malformed, TooLarge) as error:
            raise EditError(
                f"it can't be edited: {error.message}", place=within or Place(file=file)
            ) from None
        except (yaml.YAMLError, RecursionError) as error:
            raise EditError(f"it can't be edited: {error}", place=within or Place(file=file)) from None
        return cls(text=text, bom=bom, file=file, within=within, nodes=nodes, values=tuple(values))

    def roots(self) -> Iterator[tuple[int, yaml.Node]]:
        for index, node in enumerate(self.nodes):
            if node is not None:
                yield index, node

    def mark(self, mark: Any) -> Place:
        if self.within is not None:
            return Place(
                file=self.file, line=self.within.line + mark.line, column=self.within.column + mark.column
            )
        return Place(file=self.file, line=mark.line + 1, column=mark.column + 1)

    def place(self, found: _Found) -> Place:
        return self.mark(found.node.start_mark)

    def find(self, level: Level) -> _Found:
        """The one scalar at the end of the way; raises EditError and says how far the way leads."""
        roots = [(i, root) for i, root in self.roots() if _selected(self.values[i], level.selector)]
        hits: list[_Found] = []
        failures: list[tuple[int, EditError]] = []
        for index, root in roots:
            outcome = self._follow(index, root, level)
            if isinstance(outcome, _Found):
                hits.append(outcome)
            else:
                failures.append(outcome)
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise EditError(
                f"`{level.text}` is there in {len(hits)} documents",
                hint="say which: (kind=…,name=…)." + level.text,
                place=self.place(hits[1]),
            )
        if failures:
            # The document in which the way led furthest is most likely the one that was meant.
            raise max(failures, key=lambda failure: failure[0])[1]
        raise EditError(
            f"`{level.text}` selects no document",
            hint="check the path",
            place=self.within or Place(file=self.file),
        )

    def _follow(self, index: int, root: yaml.Node, level: Level) -> _Found | tuple[int, EditError]:
        """The scalar at the end of the way, or how many steps it leads, and why no further."""
        node: yaml.Node = root
        way: list[str | int] = []
        what, hint = "", "check the path"
        for step in level.steps:
            try:
                node, name = _take(node, step)
            except EditError as error:
                what, hint = error.message, error.hint or hint
                break
            way.append(name)
        else:
            if isinstance(node, yaml.ScalarNode):
                return self.found(node, (index, tuple(way)))
            kind = "mapping" if isinstance(node, yaml.MappingNode) else "list"
            what, hint = f"it is a {kind}, not a value", "go on to one value in it"
        return len(way), EditError(f"`{level.text}`: {what}", hint=hint, place=self.mark(node.start_mark))

    def found(self, node: yaml.Node, where: _Where) -> _Found:
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 (for the type checker; callers have looked)
        start = _PROPERTIES.match(self.text, node.start_mark.index, node.end_mark.index)
        return _Found(
            node=node,
            where=where,
            start=start.end() if start else node.start_mark.index,
            end=node.end_mark.index,
        )

    def set(self, found: Sequence[_Found], value: str) -> str:
        """The text with all of ``found`` set to ``value``, in the first way of writing that reads right."""
        if all(one.node.value == value for one in found):
            return self.bom + self.text
        if any(_is_block(one.node) for one in found):
            (only,) = found if len(found) == 1 else (found[0],)
            old = only.node.value
            return self.set_text(only, value.rstrip("\n") + old[len(old.rstrip("\n")) :])
        for writing in (_as_before, _quoted):
            text = self.text
            expected = []
            for one in sorted(found, key=lambda one: one.start, reverse=True):
                new, meant = writing(one, value, _at(self.values, one.where))
                # A value that was left out has its place right behind the colon.
                gap = " " if one.start == one.end and text[: one.start].endswith((":", "-")) else ""
                text = text[: one.start] + gap + new + text[one.end :]
                expected.append((one.where, meant))
            if self.equals_but(text, expected):
                return self.bom + text
        raise self._impossible(found[0])

    def set_text(self, found: _Found, value: str) -> str:
        """The text with the block or string ``found`` holding ``value``; unchanged lines stay as they are."""
        node = found.node
        if node.style == "|":
            text = _into_block(self.text, node, value)
        elif _is_block(node):
            raise EditError(
                "the text is folded (`>`), and can't be edited without folding it anew",
                hint="write it as a literal block: `|`",
                place=self.place(found),
            )
        else:
            text = self.text[: found.start] + _quote(value, node.style) + self.text[found.end :]
        if text is None or not self.equals_but(text, [(found.where, value)]):
            raise self._impossible(found)
        return self.bom + text

    def equals_but(self, text: str, changes: Sequence[tuple[_Where, Any]]) -> bool:
        """Whether ``text`` reads as this one does, with the changes made, types and order included."""
        expected = _unshared(list(self.values))
        for (index, way), value in changes:
            target = expected[index]
            for name in way[:-1]:
                target = target[name]
            target[way[-1]] = value
        try:
            return repr(manifests.load_all(text)) == repr(expected)
        except (Malformed, TooLarge):
            return False

    def _impossible(self, found: _Found) -> EditError:
        return EditError(
            "the value can't be changed without changing others",
            hint="is it shared by an anchor and alias? write it out",
            place=self.place(found),
        )


def _replace(
    text: str, levels: Sequence[Level], value: str, file: str, within: Place | None
) -> tuple[str, str, Place]:
    """``replace`` for a text that may itself stand in another one."""
    document = _Document.read(text, file, within)
    found = document.find(levels[0])
    if len(levels) == 1:
        before = found.node.value.rstrip("\n") if _is_block(found.node) else found.node.value
        return document.set([found], value), before, document.place(found)
    inner, before, place = _replace(found.node.value, levels[1:], value, file, _inner_place(found, document))
    if inner == found.node.value:
        return text, before, place
    return document.set_text(found, inner), before, place


def _inner_place(found: _Found, document: _Document) -> Place:
    """Where the first character of a text in a text stands."""
    outer = document.mark(found.node.start_mark)
    if found.node.style != "|":
        return outer
    layout = _block_lines(document.text, found.node)
    indent = layout[1] if layout else 0
    column = 1 + indent if document.within is None else document.within.column + indent
    return Place(file=outer.file, line=outer.line + 1, column=column)


# -- walking nodes ----------------------------------------------------------------------------------


def _key_of(node: yaml.Node) -> str | None:
    """A key as it is read: JSON's keys are strings."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    if node.style not in {None, ""}:
        return str(node.value)
    read = manifests.scalar(node.value)
    return read if isinstance(read, str) else json.dumps(read) if not isinstance(read, float) else str(read)


def _children(node: yaml.Node | None) -> Mapping[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {name: value for key, value in node.value if (name := _key_of(key)) is not None}


def _items(node: yaml.Node | None) -> Sequence[yaml.Node]:
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def _take(node: yaml.Node, step: Step) -> tuple[yaml.Node, str | int]:
    """One step; raises EditError without a place."""
    match step:
        case Key(name=name, bare=bare):
            if bare and isinstance(node, yaml.SequenceNode) and name.isdigit():
                return _take(node, Index(int(name)))
            children = _children(node)
            if name in children:
                return children[name], name
            near = ", ".join(islice(children, 12))
            raise EditError(f"there is no `{name}`", hint=f"there is {near}" if near else None)
        case Index(number=number):
            items = _items(node)
            if -len(items) <= number < len(items):
                return items[number], number % len(items)
            raise EditError(f"there is no [{number}]: the list has {len(items)}")
        case Match(key=key, value=value):
            items = _items(node)
            hits = [
                n for n, item in enumerate(items) if getattr(_children(item).get(key), "value", None) == value
            ]
            if len(hits) == 1:
                return items[hits[0]], hits[0]
            raise EditError(f"[{key}={value}] is there {len(hits)} times", hint="it has to be there once")


def _lists(node: yaml.Node, key: str, where: _Where) -> Iterator[tuple[_Where, yaml.Node]]:
    """Every list that is the value of ``key``, at any depth. Aliases are met as often as they stand there."""
    index, way = where
    for name, child in _children(node).items():
        if name == key and isinstance(child, yaml.SequenceNode):
            yield (index, (*way, name)), child
        else:
            yield from _lists(child, key, (index, (*way, name)))
    for number, child in enumerate(_items(node)):
        yield from _lists(child, key, (index, (*way, number)))


def _selected(document: Any, selector: Sequence[tuple[str, str]]) -> bool:
    for key, value in selector:
        way = {"name": "metadata.name", "namespace": "metadata.namespace"}.get(key, key).split(".")
        found = document
        for name in way:
            found = found.get(name) if isinstance(found, dict) else None
        if found is None or str(found) != value:
            return False
    return True


def _unshared(value: Any) -> Any:
    """A copy in which what aliases share has become apart."""
    if isinstance(value, dict):
        return {key: _unshared(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_unshared(below) for below in value]
    return value


def _at(values: Sequence[Any], where: _Where) -> Any:
    value = values[where[0]]
    for name in where[1]:
        value = value[name]
    return value


# -- writing scalars --------------------------------------------------------------------------------


def _is_block(node: yaml.ScalarNode) -> bool:
    return node.style in {"|", ">"}


def _as_before(found: _Found, value: str, old: Any) -> tuple[str, Any]:
    """As the old value is written, if that keeps its type; the text and what is meant to be read."""
    if found.node.style not in {None, ""}:
        return _quote(value, found.node.style), value
    read = manifests.scalar(value) if value else None
    if _is_number(old) and _is_number(read):
        return value, read
    # Other readers of YAML see dates and times in plain text; so does kustomize when it writes.
    foreign = _stock_tag(value) != "tag:yaml.org,2002:str" and _stock_tag(value) != _stock_tag(
        found.node.value
    )
    if not isinstance(read, str) or foreign:
        return _quote(value, '"'), value
    return value, value


def _quoted(found: _Found, value: str, old: Any) -> tuple[str, Any]:  # noqa: ARG001 (as _as_before)
    return _quote(value, '"'), value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _stock_tag(value: str) -> str:
    resolver: Any = yaml.resolver.Resolver()
    return str(resolver.resolve(yaml.ScalarNode, value, (True, False)))


def _quote(value: str, style: str | None) -> str:
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    # JSON's strings are YAML's double-quoted ones, but for what is not printable.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(
        c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in text
    )


def _block_lines(text: str, node: yaml.ScalarNode) -> tuple[list[int], int] | None:
    """Where each line of a literal block begins in the text, and how far they are indented."""
    header = text.find("\n", node.start_mark.index)
    if header < 0:
        return None
    starts = [header + 1]
    indent = 0
    for line in node.value.split("\n"):
        end = text.find("\n", starts[-1])
        source = text[starts[-1] : end if end >= 0 else len(text)].rstrip("\r")
        if line and not indent:
            indent = len(source) - len(line)
        if line and source[indent:] != line:
            return None
        if end < 0:
            break
        starts.append(end + 1)
    return starts, indent


def _into_block(text: str, node: yaml.ScalarNode, value: str) -> str | None:
    """The text with a literal block's content changed to ``value``, where that is within one line's reach."""
    layout = _block_lines(text, node)
    old = node.value
    if layout is None:
        return None
    starts, indent = layout
    first = _common(old, value)
    last = _common(old[first:][::-1], value[first:][::-1])
    new = value[first : len(value) - last]
    if "\n" in new:
        return None

    def outside(position: int) -> int:
        line = old.count("\n", 0, position)
        return int(starts[line] + indent + position - (old.rfind("\n", 0, position) + 1))

    return text[: outside(first)] + new + text[outside(len(old) - last) :]


def _common(one: str, other: str) -> int:
    """How many characters two strings have in common at their start."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def _add_tag(document: _Document, number: int, name: yaml.Node, value: str) -> tuple[str, str, Place]:
    """Put ``newTag`` behind the name of an entry of ``images:``."""
    text = document.text
    ((index, root),) = [(i, r) for i, r in document.roots() if "images" in _children(r)][:1]
    entry = _items(_children(root)["images"])[number]
    end = int(name.end_mark.index)
    plain = isinstance(manifests.scalar(value) if value else None, str) and _stock_tag(value).endswith(":str")
    for written in (*((value,) if plain else ()), _quote(value, '"')):
        if isinstance(entry, yaml.MappingNode) and entry.flow_style:
            new = f"{text[:end]}, newTag: {written}{text[end:]}"
        else:
            stop = text.find("\n", end)
            stop = len(text) if stop < 0 else stop
            tail = "\r" if text[:stop].endswith("\r") else ""
            stop -= len(tail)
            new = f"{text[:stop]}{tail}\n{' ' * entry.start_mark.column}newTag: {written}{text[stop:]}"
        expected = _unshared(list(document.values))
        expected[index]["images"][number]["newTag"] = value
        try:
            # The new key stands behind the name, whatever follows: compare without the order of keys.
            if _canonical(manifests.load_all(new)) == _canonical(expected):
                return document.bom + new, "", document.mark(name.start_mark)
        except (Malformed, TooLarge):
            continue
    raise EditError(
        "`newTag` can't be added to the image",
        hint="add it by hand once",
        place=document.mark(name.start_mark),
    )


def _canonical(values: list[Any]) -> str:
    return json.dumps(values, sort_keys=True)


def _position(text: str, index: int, file: str) -> Place:
    line = text.count("\n", 0, index)
    return Place(file=file, line=line + 1, column=index - text.rfind("\n", 0, index))
