"""Reading YAML the way Kubernetes reads it, and splitting streams into documents without parsing them.

kubectl and helm read YAML through go-yaml v2: YAML 1.1 booleans, no timestamps, no sexagesimal integers,
``=`` an ordinary string, exponents without a dot. PyYAML differs in each of these, so the scalar rules
are stated here anew (go-yaml's resolve.go is the source; tests use kubectl as the oracle).
"""

from __future__ import annotations

import gc
import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import yaml

from upstreamsync.errors import Malformed, TooLarge

#: Limits on what may come from outside: nodes after alias expansion, documents in a stream, nesting.
MAX_NODES = 5_000_000
MAX_DOCUMENTS = 50_000
MAX_DEPTH = 200

#: The tag of every plain scalar that has none of its own, and those of PyYAML's for all else.
PLAIN_TAG = "tag:upstreamsync,plain"
_TEXT_TAG, _MAP_TAG, _LIST_TAG, _MERGE_TAG = (
    f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq", "merge")
)
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
#: A document marker is legal only at column 0 and never inside a scalar (YAML 1.2.2, section 9.1.2).
_MARKER = re.compile(rb"---(?=[ \t\r\n]|\Z)")


#: What holds for more than one document, or ends one before the next marker.
_DIRECTIVE = re.compile(rb"^(?:%|\.\.\.)", re.MULTILINE)
_CRD = re.compile(rb"^kind: CustomResourceDefinition$", re.MULTILINE)
#: The block below ``spec:`` at column 0, up to the next line at column 0.
_SPEC = re.compile(rb"^spec:\n(?:(?:[ -][^\n]*)?(?:\n|\Z))+", re.MULTILINE)
#: Documents below this size are read as a whole, in bytes.
_WORTHWHILE = 4096
#: What looks like an anchor or alias: behind blanks, brackets, or the last byte of a Unicode line break or BOM.
_ANCHOR = re.compile(rb"&(?<![^\s\[{,:\x85\xa8\xa9\xbf]&)([0-9A-Za-z_-]+)")
_ALIAS = re.compile(rb"\*(?<![^\s\[{,:\x85\xa8\xa9\xbf]\*)([0-9A-Za-z_-]+)")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DEEP_INDENT = re.compile(rb"^[ \t?:-]{100}", re.MULTILINE)
_AS_BLANKS = bytes.maketrans(b"\t?:-", b"    ")
_NOTHING = re.compile(rb"(?:---[ ]*)?(?:\s|#[^\n]*(?:\n|\Z))*+")
_AS_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def scalar(text: str) -> Any:
    """What a plain (unquoted) scalar means to Kubernetes."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "")
    if match := _INTEGER.fullmatch(digits):
        try:
            return _integer(*match.groups())
        except (OverflowError, ValueError):
            return text  # go-yaml knows no number as large as that
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        return text if number in (float("inf"), float("-inf")) else number
    return text


def _integer(
    sign: str, hexadecimal: str | None, binary: str | None, octal: str | None, decimal: str
) -> int | float:
    value = (
        int(hexadecimal, 16) if hexadecimal is not None
        else int(binary, 2) if binary is not None
        else int(octal, 8) if octal is not None
        else int(decimal)
    )  # fmt: skip
    value = -value if sign == "-" else value
    return value if -(2**63) <= value < 2**64 else float(value)


def as_key(value: Any) -> Any:
    """A value as the key of a JSON object: Kubernetes turns every scalar into a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if value is None:
        return "null"
    raise yaml.constructor.ConstructorError(None, None, "a mapping or list can't be a key", None)


class KubernetesLoader(yaml.CSafeLoader):
    """PyYAML's C loader with go-yaml's scalar rules; duplicate keys are errors.

    Values are built by one function, without PyYAML's general machinery, in half of its time; that is only
    asked for merge keys, and for nodes with a tag of their own.
    """

    #: What a plain scalar means, and what a value is as a key.
    plain = staticmethod(scalar)
    as_key = staticmethod(as_key)
    sorts_keys = False

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> str:
        """The tag of a node without one: ours for every plain scalar, that of texts for all others."""
        if kind is yaml.ScalarNode:
            return _TEXT_TAG if not implicit[0] else _MERGE_TAG if value == "<<" else PLAIN_TAG
        return _MAP_TAG if kind is yaml.MappingNode else _LIST_TAG

    def descend_resolver(self, current_node: yaml.Node | None, current_index: Any) -> None:
        """Tags by a node's place are not used here."""

    def ascend_resolver(self) -> None:
        """See ``descend_resolver``."""

    def construct_document(self, node: yaml.Node) -> Any:
        """The value of a document, from its root."""
        return self._value(node)

    def _value(self, node: yaml.Node) -> Any:
        tag = node.tag
        if tag == PLAIN_TAG:
            return self.plain(node.value)
        if tag == _TEXT_TAG and isinstance(node, yaml.ScalarNode):
            return node.value
        if tag == _MAP_TAG and isinstance(node, yaml.MappingNode):
            return self._map(node)
        if tag == _LIST_TAG and isinstance(node, yaml.SequenceNode):
            return [self._value(child) for child in node.value]
        return self._by_constructor(node)

    def _map(self, node: yaml.MappingNode) -> Any:
        found: dict[Any, Any] = {}
        seen: set[str] = set()
        for key, child in node.value:
            if key.tag == _MERGE_TAG or not isinstance(key, yaml.ScalarNode):
                return self._by_constructor(node)
            if key.value in seen:
                raise _given_twice(key)
            seen.add(key.value)
            name = key.value if key.tag == _TEXT_TAG else self._key(key)
            tag = child.tag  # most children are scalars: a call for each would be half of the work
            found[name] = self.plain(child.value) if tag == PLAIN_TAG else self._value(child)
        return dict(sorted(found.items())) if self.sorts_keys else found

    def _key(self, node: yaml.ScalarNode) -> Any:
        value = self.plain(node.value) if node.tag == PLAIN_TAG else self._value(node)
        return value if type(value) is str else self.as_key(value)

    def _by_constructor(self, node: yaml.Node) -> Any:
        value = self.construct_object(node, deep=True)
        self.constructed_objects = {}
        self.recursive_objects = {}
        return value


def _given_twice(key: yaml.ScalarNode) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is given twice", key.start_mark)


def _construct_map(loader: KubernetesLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Hashable] = set()
    for key, _ in node.value:
        if key.tag != _MERGE_TAG and isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise _given_twice(key)
            seen.add(key.value)
    loader.flatten_mapping(node)
    return {
        loader.as_key(loader.construct_object(key, deep=True)): loader.construct_object(value, deep=True)
        for key, value in node.value
    }


KubernetesLoader.add_constructor(_MAP_TAG, _construct_map)
for _tag in ("timestamp", "merge"):  # a `<<` that is a value is a text like any other
    KubernetesLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", lambda _, node: node.value)
for _tag in (PLAIN_TAG, *(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))):
    KubernetesLoader.add_constructor(_tag, lambda _, node: scalar(node.value))


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Switch the cycle collector off around a large load: it makes PyYAML 2 to 5 times faster."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def load_all(data: bytes | str, *, name: str = "<stream>") -> list[Any]:
    """All documents of a YAML stream, as JSON-like values; empty documents are None.

    ``name`` stands in error messages. Raises Malformed for anything that is not YAML as Kubernetes reads
    it, TooLarge beyond the limits.
    """
    refuse_bombs(data, name)
    with no_garbage_collection():
        try:
            loader = KubernetesLoader(data)
            try:
                documents = []
                while loader.check_data():  # type: ignore[no-untyped-call]
                    documents.append(loader.get_data())
                    if len(documents) > MAX_DOCUMENTS:
                        raise TooLarge(f"{name} has more than {MAX_DOCUMENTS} YAML documents")
                return documents
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
            raise Malformed(f"{where}: not valid YAML: {error.problem or error.context}") from None
        except yaml.reader.ReaderError as error:
            raise Malformed(f"{name}: not valid YAML: {error.reason} at position {error.position}") from None
        except (yaml.YAMLError, ValueError, UnicodeDecodeError) as error:
            raise Malformed(f"{name}: not valid YAML: {error}") from None
        except RecursionError:
            raise TooLarge(f"{name} is nested too deeply") from None


def load(data: bytes | str, *, name: str = "<stream>") -> Any:
    """The one document of a YAML text. Raises as ``load_all``, and Malformed when there are several."""
    documents = load_all(data, name=name)
    if len(documents) > 1:
        raise Malformed(f"{name}: one YAML document was expected, there are {len(documents)}")
    return documents[0] if documents else None


def split(data: bytes) -> list[bytes]:
    """The documents of a YAML stream as bytes, unparsed; joined they give the stream again.

    Each part but perhaps the first begins with its ``---`` marker. Safe on any YAML text, as the marker
    can't stand at column 0 inside a scalar.
    """
    edges = [0]
    at = data.find(b"\n---")
    while at >= 0:
        if _MARKER.match(data, at + 1):
            edges.append(at + 1)
        at = data.find(b"\n---", at + 1)
    return [data[begin:end] for begin, end in pairwise([*edges, len(data)]) if end > begin]


def is_yaml(data: bytes) -> bool:
    """Whether a text is YAML by its form; costs a fraction of reading it."""
    try:
        loader: Any = yaml.CSafeLoader(data)
        if hasattr(loader, "raw_parse"):  # all in C, without a Python object for each event
            loader.raw_parse()
        else:
            while loader.check_event():
                loader.get_event()
    except (yaml.YAMLError, UnicodeDecodeError):
        return False
    return True


def says_nothing(document: bytes) -> bool:
    """Whether a document is blank, or comments alone; it may begin with its marker."""
    return _NOTHING.fullmatch(document) is not None


def objects(data: bytes | str, *, name: str = "<stream>") -> list[dict[str, Any]]:
    """The Kubernetes objects of a stream: empty documents left out, ``kind: List`` unpacked.

    Raises as ``load_all``, and Malformed for a document that is not a mapping.
    """
    found: list[dict[str, Any]] = []
    for document in load_all(data, name=name):
        if document is None:
            continue
        if not isinstance(document, dict):
            raise Malformed(f"{name}: a Kubernetes object was expected, not {type(document).__name__}")
        kind = document.get("kind")
        if isinstance(kind, str) and kind.endswith("List") and isinstance(document.get("items"), list):
            found.extend(item for item in document["items"] if isinstance(item, dict))
        else:
            found.append(document)
    return found


def objects_of_both(
    before: bytes, after: bytes, *, names: tuple[str, str] = ("<before>", "<after>")
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The objects of two states of one thing, for finding what differs between them.

    A document that both have, byte for byte, is read once, and its objects are the same on both sides.
    Of a CustomResourceDefinition among them only what names it is read: apiVersion, kind and metadata.
    Raises as ``objects``.
    """
    if _DIRECTIVE.search(before) or _DIRECTIVE.search(after):
        return objects(before, name=names[0]), objects(after, name=names[1])
    old, new = split(before), split(after)
    equal = {_bare(part) for part in old} & {_bare(part) for part in new}
    shared: dict[bytes, list[dict[str, Any]]] = {}
    found: list[list[dict[str, Any]]] = []
    for parts, name in ((old, names[0]), (new, names[1])):
        side: list[dict[str, Any]] = []
        for part in parts:
            bare = _bare(part)
            if bare not in equal:
                side += objects(part, name=name)
                continue
            if bare not in shared:
                shared[bare] = _named_only(bare, name) or objects(bare, name=name)
            side += shared[bare]
        found.append(side)
    return found[0], found[1]


def _bare(part: bytes) -> bytes:
    """A document without the marker at its beginning and the end of line behind it."""
    return part.removeprefix(b"---").strip(b"\n")


def _named_only(document: bytes, name: str) -> list[dict[str, Any]] | None:
    """A CRD without its ``spec``; None for anything else, and where it can't be left out."""
    if len(document) < _WORTHWHILE or not _CRD.search(document):
        return None
    heads = _SPEC.findall(document)
    if len(heads) != 1:
        return None
    try:
        kept = objects(_SPEC.sub(b"", document), name=name)
    except (Malformed, TooLarge):
        return None
    return kept if len(kept) == 1 and kept[0].get("metadata") else None


def refuse_bombs(data: bytes | str, name: str) -> None:
    """Refuse streams that nest, or expand through aliases, beyond the limits, before anything is built.

    libyaml composes recursively in C, where too deep a nesting ends the process; so depth has to be
    known beforehand. Most streams are seen to be harmless by their text; only the others cost a pass
    over the parse events.
    """
    raw = data.encode() if isinstance(data, str) else data
    if not (raw.startswith(_UTF16) or may_expand(raw) or _is_indented(raw) or _flow_depth(raw) > MAX_DEPTH):
        return
    weights: dict[str, int] = {}
    levels: list[tuple[str | None, int]] = [(None, 0)]  # (anchor, values below), one per open collection
    try:
        for event in yaml.parse(raw, Loader=yaml.CSafeLoader):
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                levels.append((event.anchor, 1))
                if len(levels) > MAX_DEPTH:
                    raise TooLarge(f"{name} is nested more than {MAX_DEPTH} levels deep")
                continue
            if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                anchor, weight = levels.pop()
            elif isinstance(event, yaml.AliasEvent):
                if any(event.anchor == open_one for open_one, _ in levels):
                    raise TooLarge(f"{name}: the YAML alias *{event.anchor} stands inside what it names")
                anchor, weight = None, weights.get(event.anchor or "", 1)
            elif isinstance(event, yaml.ScalarEvent):
                anchor, weight = event.anchor, 1
            else:
                continue
            if anchor:
                weights[anchor] = weight
            outer, below = levels[-1]
            levels[-1] = (outer, below + weight)
            if below + weight > MAX_NODES:
                raise TooLarge(f"{name}: its YAML aliases expand to more than {MAX_NODES} values")
    except yaml.YAMLError as error:
        if "maximum nesting depth" in str(error):  # libyaml itself stops at 1,000, from 0.2.6 on
            raise TooLarge(f"{name} is nested more than {MAX_DEPTH} levels deep") from None
        return  # the real load says what is wrong, with the position


def may_expand(raw: bytes) -> bool:
    """Whether a name stands behind both a ``&`` and a ``*``: no alias works without its anchor.

    The texts of CRDs are full of *emphasis*, so a ``*`` alone must not cost a pass.
    """
    anchors = set(_ANCHOR.findall(raw))
    return bool(anchors) and any(match[1] in anchors for match in _ALIAS.finditer(raw))


def _is_indented(raw: bytes) -> bool:
    """Whether a line begins deep inside; a plain search, as fast as memory, comes before the expression."""
    return b" " * 100 in raw.translate(_AS_BLANKS) and _DEEP_INDENT.search(raw) is not None


def _flow_depth(raw: bytes) -> int:
    """At most how deep brackets nest; those inside strings count too, which errs on the safe side."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return 0
    brackets = raw.translate(_AS_BRACKETS, _NO_BRACKETS)
    depth = 0
    while b"()" in brackets and depth <= MAX_DEPTH:  # each time the innermost ones go
        brackets = brackets.replace(b"()", b"")
        depth += 1
    return depth + brackets.count(b"(")
