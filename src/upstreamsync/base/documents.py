"""The documents of a YAML file as upstream's own bytes, and the little that has to be known of each."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from upstreamsync.base.lists import unpacked
from upstreamsync.errors import ContentError, Malformed, TooLarge
from upstreamsync.kit.foreign import mapping
from upstreamsync.kit.yaml import manifests, syntax

BOM = b"\xef\xbb\xbf"
YAML_SUFFIXES = (".yaml", ".yml", ".json")
_DIRECTIVE = re.compile(rb"^%", re.MULTILINE)
#: The same behind a line, found by its one byte: four times as fast in a large file.
_LATER_DIRECTIVE = re.compile(rb"%(?<=\n%)")
#: A line that is more than space, a comment, or a marker without content behind it.
_CONTENT = re.compile(
    rb"^(?!---[ \t]*(?:#[^\n]*)?\r?$|\.\.\.[ \t]*(?:#[^\n]*)?\r?$)[ \t]*[^\s#]", re.MULTILINE
)
_BEHIND_THE_END = re.compile(
    rb"^\.\.\.[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*[^\s#]", re.MULTILINE
)
#: An object has both at the top; a values file may well have a key `kind` of its own.
_TOP_KEYS = tuple(
    re.compile(rb"^(?:---[ \t]+)?[\"']?%s[\"']?[ \t]*:" % key, re.MULTILINE)
    for key in (b"apiVersion", b"kind")
)
_JSON_KEYS = tuple(re.compile(rb"[{,\s]\"?%s\"?\s*:" % key) for key in (b"apiVersion", b"kind"))
_FLOW = re.compile(rb"(?:---)?\s*\{")
_HTML = re.compile(rb"\A\s*<(?:!doctype|html|head|\?xml)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What names an object; empty strings for what it does not have.

    ``name`` is that of a file where upstream generates one; ``api_version`` and ``generate_name`` are as written.
    """

    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    api_version: str = ""
    generate_name: str = ""

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind or 'no kind'} {where}{self.name}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document: the file it came in, its bytes, and who it is (None: nothing but comments)."""

    file: str
    data: bytes
    identity: Identity | None


def is_yaml_name(path: str) -> bool:
    """Whether a file of that name holds YAML; one without any suffix may."""
    name = path.rpartition("/")[2].lower()
    return name.endswith(YAML_SUFFIXES) or "." not in name


def parts(data: bytes) -> list[bytes]:
    """The documents of a file as bytes; together they are the file.

    Directives (``%YAML``) stay with the document they speak of. Raises TooLarge for more than anybody has.
    """
    joined: list[bytes] = []
    waiting = b""
    # All but a few have nothing to be joined.
    if not data.startswith((b"%", BOM + b"%")) and _LATER_DIRECTIVE.search(data) is None:
        found = manifests.split(data)
        if len(found) > manifests.MAX_DOCUMENTS:
            raise TooLarge(f"upstream's file has more than {manifests.MAX_DOCUMENTS} YAML documents")
        return found
    for part in manifests.split(data):
        if _DIRECTIVE.search(part) and not has_content(_DIRECTIVE.sub(b"#", part)):
            waiting += part
            continue
        joined.append(waiting + part)
        waiting = b""
    if len(joined) > manifests.MAX_DOCUMENTS:
        raise TooLarge(f"upstream's file has more than {manifests.MAX_DOCUMENTS} YAML documents")
    return [*joined, waiting] if waiting else joined


def has_content(part: bytes) -> bool:
    """Whether a document is more than its marker, comments and empty lines."""
    return _CONTENT.search(part.removeprefix(BOM)) is not None


def documents(file: str, data: bytes) -> Iterator[Document]:
    """Each document with its identity, and each item of a List as one.

    Raises Malformed, or ContentError for a document that is no object.
    """
    yield from documents_among(parts(data), file)


def documents_among(pieces: Iterable[bytes], file: str, *, checked: bool = False) -> Iterator[Document]:
    """The same of a file that was split (``parts``) before; ``checked`` if its form is known to be sound."""
    for whole in pieces:
        for part in unpacked(whole, file) or [whole]:
            who = identify(part, file, checked=checked) if has_content(part) else None
            yield Document(file=file, data=part, identity=who)


def identify(part: bytes, file: str, *, checked: bool = False) -> Identity:
    """Kind, name, namespace and API group of one document; ``checked`` if its form is known to be sound.

    Reads no further into it than needed: with the usual order of keys, the first few lines.
    """
    if not checked:
        manifests.refuse_bombs(part, file)
    if (b"\n..." in part or part.startswith(b"...")) and _BEHIND_THE_END.search(part):
        raise Malformed(
            f"{file}: a document begins behind a line `...` without `---`, which tools read differently"
        )
    try:
        facts = _header(part)
    except syntax.MarkedYAMLError as error:
        raise Malformed(f"{file}: not valid YAML: {error.problem or error.context}") from None
    except syntax.YAMLError as error:
        raise Malformed(f"{file}: not valid YAML: {error}") from None
    if facts is None:
        loaded = manifests.load(part, name=file)
        if not isinstance(loaded, dict):
            raise ContentError(
                f"{file} holds a document that is {_named(loaded)}, not a Kubernetes object",
                hint="leave the file out; content that is no manifest goes without `select` and `layout`",
            )
        metadata = loaded.get("metadata")
        facts = {
            "apiVersion": _text(loaded.get("apiVersion")),
            "kind": _text(loaded.get("kind")),
            **{f"metadata.{key}": _text(value) for key, value in mapping(metadata).items()},
        }
    api_version, generated = facts.get("apiVersion", ""), facts.get("metadata.generateName", "")
    return Identity(
        group=api_version.rpartition("/")[0],
        kind=facts.get("kind", ""),
        name=facts.get("metadata.name", "") or generated.rstrip("-"),
        namespace=facts.get("metadata.namespace", ""),
        api_version=api_version,
        generate_name="" if facts.get("metadata.name") else generated,
    )


_WANTED = ("apiVersion", "kind", "metadata")
_WANTED_BELOW = ("name", "namespace", "generateName")


def _header(part: bytes) -> dict[str, str] | None:
    """apiVersion, kind and metadata's names, from the first parse events; None where it is less plain."""
    facts: dict[str, str] = {}
    events = iter(syntax.parse(part.removeprefix(BOM)))
    for event in events:
        if isinstance(event, syntax.MappingStartEvent):
            break
        if isinstance(event, (syntax.SequenceStartEvent, syntax.ScalarEvent, syntax.StreamEndEvent)):
            return None
    seen: set[str] = set()
    for key in events:
        if isinstance(key, syntax.MappingEndEvent):
            return facts
        if not isinstance(key, syntax.ScalarEvent) or key.value == "<<":
            return None
        value = next(events)
        if key.value == "metadata" and isinstance(value, syntax.MappingStartEvent):
            if not _names(events, facts):
                return None
        elif key.value in _WANTED:
            if not isinstance(value, syntax.ScalarEvent):
                return None
            facts[key.value] = value.value
        else:
            _skip(value, events)
        seen.add(key.value)
        if seen.issuperset(_WANTED):
            return facts
    return facts


def _names(events: Iterator[syntax.Event], facts: dict[str, str]) -> bool:
    """Read metadata up to its end; False for what has to be loaded to be understood."""
    for key in events:
        if isinstance(key, syntax.MappingEndEvent):
            return True
        if not isinstance(key, syntax.ScalarEvent) or key.value == "<<":
            return False
        value = next(events)
        if key.value in _WANTED_BELOW:
            if not isinstance(value, syntax.ScalarEvent):
                return False
            facts[f"metadata.{key.value}"] = value.value
        else:
            _skip(value, events)
    return False


def _skip(value: syntax.Event, events: Iterator[syntax.Event]) -> None:
    depth = int(isinstance(value, syntax.CollectionStartEvent))
    while depth:
        event = next(events)
        depth += isinstance(event, syntax.CollectionStartEvent) - isinstance(event, syntax.CollectionEndEvent)


def is_manifest(file: str, data: bytes) -> bool:
    """Whether a file holds Kubernetes objects, as far as its text shows.

    A template (with ``{{``) counts when it is valid YAML all the same. Raises Malformed for a file that
    is named as YAML and is something else.
    """
    if not is_yaml_name(file):
        return False
    if b"{{" in data:
        try:
            check_yaml(file, data)
        except Malformed:
            return False
    else:
        check_yaml(file, data)
    return has_top_keys(data)


def has_top_keys(data: bytes) -> bool:
    """Whether a text of YAML or JSON has apiVersion and kind at its top, as far as its lines show."""
    bare = data.removeprefix(BOM)
    keys = _JSON_KEYS if _FLOW.match(bare) else _TOP_KEYS
    return all(key.search(bare) is not None for key in keys)


def is_html(data: bytes) -> bool:
    """Whether it begins as a web page does."""
    return _HTML.match(data.removeprefix(BOM)) is not None


def check_yaml(file: str, data: bytes) -> None:
    """Raise Malformed, with line and column, when ``data`` is not YAML at all."""
    if is_html(data):
        raise Malformed(
            f"{file}: upstream sent a web page, not YAML",
            hint="open the URL in a browser: it may ask for a login, or the file may have moved",
        )
    manifests.refuse_bombs(data, file)
    if manifests.is_yaml(data):
        return
    try:  # what is wrong, and where
        with manifests.no_garbage_collection():
            deque(syntax.parse(data), maxlen=0)
    except syntax.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise Malformed(
            f"{where}: not valid YAML: {error.problem or error.context}",
            hint="the download may be damaged, or it is not a manifest",
        ) from None
    except syntax.YAMLError as error:
        raise Malformed(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None


def join(pieces: list[bytes]) -> bytes:
    """Documents in one stream: their own bytes, with a ``---`` line between two where neither brings one."""
    joined = bytearray()
    for piece in pieces:
        if not joined:
            joined += piece
            continue
        if not joined.endswith(b"\n"):
            joined += b"\n"
        piece = piece.removeprefix(BOM)  # which belongs to the start of a file alone
        if piece.lstrip(b"\r\n").startswith(b"%"):
            joined += b"...\n"
        elif not piece.startswith(b"---"):
            joined += b"---\n"
        joined += piece
    return bytes(joined)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _named(value: Any) -> str:
    return "a list" if isinstance(value, list) else "text" if isinstance(value, str) else "a single value"
