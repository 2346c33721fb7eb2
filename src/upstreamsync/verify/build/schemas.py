"""The schemas of CRDs, which take no part in the builds: whether they differ, and how large they are.

They are most of the bytes of many bases. As nothing changes them on their way they are compared as text.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from upstreamsync.kit.kubernetes.objects import ObjectId
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.build.builds import Manifest, Outcome, State
from upstreamsync.verify.build.trim import schema_places, schema_texts

#: Everything but ASCII letters and digits, which say the same in every notation.
_FORM: Final = bytes(byte for byte in range(256) if not (byte < 128 and chr(byte).isalnum()))
_COMMENT: Final = re.compile(rb"(?:^|\s)#[^\n]*", re.MULTILINE)
#: So many bytes of two texts are looked at first, and then.
_HEADS: Final = (4 * 1024, 64 * 1024)
#: At most so many bytes of JSON comes of one byte: an escaped sign, or the quotes and ends around it.
_LONGEST: Final = 8
#: The head of a block scalar: what stands in it may look like keys.
_BLOCK: Final = re.compile(rb"[|>][-+0-9]*[ ]*$", re.MULTILINE)
_KEY: Final = re.compile(rb"^[ -]*[\w$.-]+:(?= |$)", re.MULTILINE)
#: What may be a comment or a tag, the heads of blocks, escapes in quoted texts; what a line with them has.
_MAYBE_NOTATION: Final = re.compile(
    rb"(?:^|\s)[#!].*|[|>][-+0-9]*[ ]*$|\\(?:x..|u....|U........|.)", re.DOTALL
)
_SUSPECT: Final = re.compile(rb"[#!|>\\]")
_ESCAPE: Final = re.compile(rb"\\(?:x..|u....|U........|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CompleteCrd:
    """A built CRD that lacks its schemas, and the document that has them."""

    built: Manifest
    document: bytes

    def read(self) -> Manifest:
        """The CRD with its schemas."""
        given = [holder[name] for holder, name in schema_places(manifests.load(self.document, name="a CRD"))]
        crd = copy.deepcopy(dict(self.built))
        for (holder, name), schema in zip(schema_places(crd), given, strict=True):
            holder[name] = schema
        return crd

    def told(self) -> Manifest:
        """The CRD with the digest of its text in place of each schema."""
        crd = copy.deepcopy(dict(self.built))
        texts = [self.document[begin:end] for begin, end, _ in schema_texts(self.document)]
        for (holder, name), text in zip(schema_places(crd), texts, strict=True):
            holder[name] = {"sha256": hashlib.sha256(text).hexdigest()}
        return crd

    def may_exceed(self, limit: int) -> bool:
        """Whether the CRD has more bytes as JSON, perhaps."""
        return len(self.document) * _LONGEST > limit and self._at_most() > limit

    def exceeds(self, limit: int) -> bool | None:
        """Whether it has more; None where that can't be told without reading it."""
        if not self.may_exceed(limit):
            return False
        return True if self._at_least() > limit else None

    def _at_least(self) -> int:
        """The text without the notation, and without what may be that."""
        lines = [line.lstrip(b" -") for line in self.document.split(b"\n")]
        said = [_MAYBE_NOTATION.sub(b"", line) if _SUSPECT.search(line) else line for line in lines]
        text = b"".join(said).translate(None, b"\"'\\")
        size = len(text) - text.count(b": ") - text.count(b", ")
        if not _goes_on(self.document):  # then what looks like a key is one, and is quoted in JSON
            size += 2 * len(_KEY.findall(self.document))
        return size

    def _at_most(self) -> int:
        text = b"\n".join([line.lstrip(b" ") for line in self.document.split(b"\n")])
        # A line gains quotes, a comma and the ends of what it opens; an element in brackets quotes of its own.
        signs = sum(text.count(sign) for sign in (b",", b"{", b"[", b'"', b"\\"))
        return (
            len(text) + 8 * (text.count(b"\n") + 1) + 5 * sum(map(text.count, (b"<", b">", b"&"))) + 3 * signs
        )


@dataclass(frozen=True, slots=True)
class Schemas:
    """The CRDs of one result whose schemas took no part in the builds, by the object's id without version."""

    crds: Mapping[ObjectId, CompleteCrd] = field(default_factory=dict)

    @classmethod
    def of(cls, result: Outcome, documents: Mapping[ObjectId, bytes]) -> Schemas:
        """Those of ``result``, whose whole documents are given."""
        built = result.objects if isinstance(result, State) else {}
        return cls(
            {
                name: CompleteCrd(built[name, 1], document)
                for name, document in documents.items()
                if (name, 1) in built
            }
        )


def told(old: Schemas, new: Schemas, name: ObjectId) -> tuple[Manifest, Manifest] | None:
    """Both states of a CRD with a digest in place of each schema; None where the schemas don't differ.

    A change of one word is a change of the schema: in what, the vendored file shows best.
    """
    left, right = old.crds.get(name), new.crds.get(name)
    if left is None or right is None or left.document == right.document:
        return None
    if not _surely_differ(left.document, right.document) and left.read() == right.read():
        return None
    return left.told(), right.told()


def _surely_differ(old: bytes, new: bytes) -> bool:
    """Whether two texts say different things, whatever their notation; False where that is not plain."""
    one, other = _between(old, new)
    for size in _HEADS:  # contents that differ early differ as a whole: most do
        left, right = _content(_head(one, size)), _content(_head(other, size))
        length = min(len(left), len(right))
        if left[:length] != right[:length]:
            return True
    return _content(one) != _content(other)


def _head(text: bytes, size: int) -> bytes:
    """The lines with which a text begins, of at most so many bytes."""
    return text if len(text) <= size else text[: text.rfind(b"\n", 0, size) + 1]


def _between(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Two texts without the lines with which both begin, and those with which both end."""
    begin = old.rfind(b"\n", 0, _shared(old, new)) + 1
    old, new = old[begin:], new[begin:]
    end = old.find(b"\n", len(old) - _shared(old[::-1], new[::-1]))
    if end < 0:
        return old, new
    behind = len(old) - end - 1
    return old[: end + 1], new[: len(new) - behind]


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _goes_on(document: bytes) -> bool:
    """Whether a scalar may go on over the end of a line, in quotes or as a block."""
    if _BLOCK.search(document):
        return True
    quotes = [quote for quote in (b'"', b"'") if quote in document]
    return any(line.count(quote) % 2 for line in document.split(b"\n") for quote in quotes)


def _content(document: bytes) -> bytes:
    """The letters and digits that a document says; where they differ from another's, so does what it says.

    What may be a comment or an escape is left out. A number or a truth that is merely written otherwise
    counts as changed.
    """
    if b"#" in document:
        document = _COMMENT.sub(b"", document)
    if b"\\" in document:
        document = _ESCAPE.sub(b"", document)
    return document.translate(None, _FORM)
