"""Digests that stand beside a tag: what names content by its digest does not follow a tag that is raised."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from upstreamsync.errors import EditError
from upstreamsync.kit.yaml.document import position
from upstreamsync.kit.yaml.edit import replace, yaml_value
from upstreamsync.model import Place

_DIGEST = re.compile(r"sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})")
_TAG_KEY = re.compile(r"(?:new|image)?_?[tT]ag\Z")
_Pair = tuple[yaml.Node, yaml.Node]
#: The text after it, the digest before, and where it stood.
Moved = tuple[str, str, Place]


def beside_image(text: str, image: str, digest: str | None, *, file: str) -> Moved | None:
    """The digest of a kustomization's image made ``digest``, or its line taken out; None where there is none."""
    for pairs in _entries(text, image):
        for number, (key, value) in enumerate(pairs):
            if key.value != "digest" or not _DIGEST.fullmatch(str(value.value)):
                continue
            begin, end = _index(value.start_mark), _index(value.end_mark)
            place = position(text, begin, file)
            if digest is not None:
                return text[:begin] + digest + text[end:], value.value, place
            begin, end = _line_or_element(text, pairs, number)
            return text[:begin] + text[end:], value.value, place
    return None


def beside_path(text: str, path: str, digest: str | None, *, file: str) -> Moved | None:
    """The same for a YAML value: ``image.tag`` with an ``image.digest`` beside it, which is emptied."""
    if not (match := _TAG_KEY.search(path)):
        return None
    other = f"{path[: match.start()]}digest"
    try:
        span = yaml_value(text, other, file=file)
        if not _DIGEST.fullmatch(span.value):
            return None
        return replace(text, other, digest or "", file=file)
    except EditError:
        return None


def behind(text: str, before: str, value: str, digest: str | None, *, file: str) -> Moved | None:
    """The same for a digest that follows the value itself: ``1.2.3@sha256:…``."""
    found = re.search(rf"(?<![\w.-]){re.escape(value)}@({_DIGEST.pattern})", text)
    if found is None or before == value:
        return None
    start = found.start(1)
    if digest is not None:
        return text[:start] + digest + text[found.end() :], found[1], position(text, start, file)
    return text[: start - 1] + text[found.end() :], found[1], position(text, start, file)


def _entries(text: str, image: str) -> Iterator[list[_Pair]]:
    for root in yaml.compose_all(text, Loader=yaml.CSafeLoader):
        if not isinstance(root, yaml.MappingNode):
            continue
        for key, listed in root.value:
            if key.value != "images" or not isinstance(listed, yaml.SequenceNode):
                continue
            for entry in listed.value:
                if isinstance(entry, yaml.MappingNode) and any(
                    one.value == "name" and other.value == image for one, other in entry.value
                ):
                    yield entry.value


def _line_or_element(text: str, pairs: list[_Pair], number: int) -> tuple[int, int]:
    """What to cut: the whole line where the key begins it, else up to the next element or from the last one."""
    key, value = pairs[number]
    begin, end = _index(key.start_mark), _index(value.end_mark)
    line = text.rfind("\n", 0, begin) + 1
    if not text[line:begin].strip():
        close = text.find("\n", end)
        return line, len(text) if close < 0 else close + 1
    if number + 1 < len(pairs):
        return begin, _index(pairs[number + 1][0].start_mark)
    return _index(pairs[number - 1][1].end_mark), end


def _index(mark: yaml.Mark | None) -> int:
    assert mark is not None  # noqa: S101 (nodes that were composed have marks)
    return mark.index
