"""Changing one value of a text and nothing else: no reformatting, no lost comment, no moved line.

A value is found through the marks of YAML's nodes, cut out of the text and replaced; then the new text is
read again and compared with the old one, in which that one value was set. What does not come out equal is
refused. So an edit is either exactly what it says, or an error.

Not by ruamel.yaml, which keeps comments but writes the whole file anew: measured on 1,217 files that people wrote
(this project's examples and cases), reading and writing without any change gave 168 of them other bytes, with quotes
and widths preserved (0.19): indentation of lists, spaces before comments, folded lines. A one-line change has to be a
one-line diff.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from upstreamsync.errors import EditError, Malformed, TooLarge
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml import path as yaml_path
from upstreamsync.kit.yaml.document import Document, canonical, position
from upstreamsync.kit.yaml.nodes import (
    Found,
    children,
    items_of,
    lists,
    unshared,
)
from upstreamsync.kit.yaml.path import Level
from upstreamsync.kit.yaml.scalar_text import (
    block_lines,
    is_block,
    quote,
    stock_tag,
)
from upstreamsync.model import Place

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
        document = Document.read(text, file, place)
        found = document.find(level)
        place = _inner_place(found, document)
        text = found.node.value
    document = Document.read(text, file, place)
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
    document = Document.read(text, file, None)
    entries = [
        (number, children(entry))
        for _, root in document.roots()
        for number, entry in enumerate(items_of(children(root).get("images")))
        if (named := children(entry).get("name")) is not None and named.value == image
    ]
    if len(entries) != 1:
        names = [
            str(named.value)
            for _, root in document.roots()
            for entry in items_of(children(root).get("images"))
            if (named := children(entry).get("name")) is not None
        ]
        what = (
            f"`images:` has no entry `{image}`" if not entries else f"`images:` has `{image}` more than once"
        )
        hint = f"it has {', '.join(names)}" if names else "add `images:` with the image's name"
        raise EditError(what, hint=hint, place=Place(file=file))
    ((number, keys),) = entries
    if field in keys:
        return replace(text, f"images[{number}].{field}", value, file=file)
    if kind != "tag":
        place = document.mark(keys["name"].start_mark)
        raise EditError(
            f"the image `{image}` has no `{field}`", hint=f"add `{field}:` to it once", place=place
        )
    return _add_tag(document, number, keys["name"], value)


def set_env(text: str, env: str, value: str, *, file: str = "<text>") -> tuple[str, str, Place]:
    """Set an environment variable, by its name, wherever it stands in a list ``env:``.

    All places are set if they have the same value now; EditError if they differ, or there is none.
    """
    document = Document.read(text, file, None)
    found: list[Found] = []
    bare: yaml.Node | None = None
    for index, root in document.roots():
        for where, node in lists(root, "env", (index, ())):
            for number, entry in enumerate(items_of(node)):
                keys = children(entry)
                named = keys.get("name")
                if named is None or named.value != env:
                    continue
                if isinstance(keys.get("value"), yaml.ScalarNode):
                    found.append(document.found(keys["value"], (where[0], (*where[1], number, "value"))))
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
    place = position(text, spans[0][0], file)
    if len(values) > 1:
        raise EditError(
            f"`{pattern}` matches different values: {', '.join(values)}",
            hint="make it match one of them",
            place=place,
        )
    for start, end in reversed(spans):
        text = text[:start] + value + text[end:]
    return text, values[0], place


def _replace(
    text: str, levels: Sequence[Level], value: str, file: str, within: Place | None
) -> tuple[str, str, Place]:
    """``replace`` for a text that may itself stand in another one."""
    document = Document.read(text, file, within)
    found = document.find(levels[0])
    if len(levels) == 1:
        before = found.node.value.rstrip("\n") if is_block(found.node) else found.node.value
        return document.set([found], value), before, document.place(found)
    inner, before, place = _replace(found.node.value, levels[1:], value, file, _inner_place(found, document))
    if inner == found.node.value:
        return text, before, place
    return document.set_text(found, inner), before, place


def _inner_place(found: Found, document: Document) -> Place:
    """Where the first character of a text in a text stands."""
    outer = document.mark(found.node.start_mark)
    if found.node.style != "|":
        return outer
    layout = block_lines(document.text, found.node)
    indent = layout[1] if layout else 0
    column = 1 + indent if document.within is None else document.within.column + indent
    return Place(file=outer.file, line=outer.line + 1, column=column)


def _add_tag(document: Document, number: int, name: yaml.Node, value: str) -> tuple[str, str, Place]:
    """Put ``newTag`` behind the name of an entry of ``images:``."""
    text = document.text
    ((index, root),) = [(i, r) for i, r in document.roots() if "images" in children(r)][:1]
    entry = items_of(children(root)["images"])[number]
    end = int(name.end_mark.index)
    plain = isinstance(manifests.scalar(value) if value else None, str) and stock_tag(value).endswith(":str")
    for written in (*((value,) if plain else ()), quote(value, '"')):
        if isinstance(entry, yaml.MappingNode) and entry.flow_style:
            new = f"{text[:end]}, newTag: {written}{text[end:]}"
        else:
            stop = text.find("\n", end)
            stop = len(text) if stop < 0 else stop
            tail = "\r" if text[:stop].endswith("\r") else ""
            stop -= len(tail)
            new = f"{text[:stop]}{tail}\n{' ' * entry.start_mark.column}newTag: {written}{text[stop:]}"
        expected = unshared(list(document.values))
        expected[index]["images"][number]["newTag"] = value
        try:
            # The new key stands behind the name, whatever follows: compare without the order of keys.
            if canonical(manifests.load_all(new)) == canonical(expected):
                return document.bom + new, "", document.mark(name.start_mark)
        except (Malformed, TooLarge):
            continue
    raise EditError(
        "`newTag` can't be added to the image",
        hint="add it by hand once",
        place=document.mark(name.start_mark),
    )
