"""gzip, undone piece by piece: never more than was agreed, and never out of proportion."""

from __future__ import annotations

import io
import mmap
import zlib
from collections.abc import Callable, Iterator

#: A body that grows by more than this factor beyond BOMB_SIZE bytes is no text. Real indexes reach 45.
BOMB_RATIO = 300
BOMB_SIZE = 16 * 1024 * 1024
#: What is decoded at a time.
_PIECE = 64 * 1024
_FED = 64 * 1024
#: How much of a further member is looked at first.
_FIRST = 256


class Damaged(Exception):
    """The bytes are not what gzip makes."""


class Oversized(Exception):
    """They unpack to more than they may; the message says what they do."""


class Inflater:
    """Several members if need be, at most ``limit`` bytes together.

    ``doubted`` is what comes from outside: it may not grow out of proportion either.
    """

    def __init__(self, limit: int, *, doubted: bool = True) -> None:
        self._limit = limit
        self._doubted = doubted
        self._received = self._size = 0
        self._member = zlib.decompressobj(wbits=31)
        self.complete = False

    def feed(self, data: bytes | memoryview) -> Iterator[bytes]:
        """What comes out for what came in, in pieces. Raises Damaged and Oversized."""
        self._received += len(data)
        position, step = 0, len(data)
        while position < len(data):
            if self._member.eof:
                # zlib hands back a copy of all that it did not use. A member begins with little, so that many
                # small ones cost no more than one of their size.
                self._member, step = zlib.decompressobj(wbits=31), _FIRST
            given = data[position : position + step]
            try:
                part = self._member.decompress(given, min(self._limit - self._size + 1, _PIECE))
            except zlib.error as error:
                raise Damaged(str(error)) from None
            left = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            position += len(given) - len(left)
            step *= 4
            self._size += len(part)
            if self._size > self._limit:
                raise Oversized(f"unpacks to more than {self._limit} bytes")
            if self._doubted and self._size > BOMB_SIZE and self._size > self._received * BOMB_RATIO:
                raise Oversized(f"unpacks to more than {BOMB_RATIO} times its size")
            if part:
                yield part
        self.complete = self._member.eof


def unpack(data: bytes, size: int) -> bytes:
    """All of it, where it has ``size`` bytes. Raises Damaged and Oversized."""
    # Not a list of parts: joining them would hold a large body twice.
    body = io.BytesIO()
    _unpack(data, size, body.write)
    return body.getvalue()


def unpack_apart(data: bytes, size: int) -> bytes | mmap.mmap:
    """As ``unpack``, in memory that is the system's again as soon as it is let go.

    What is freed otherwise often stays with the process, a little of every large body that it ever held.
    """
    if size == 0:
        return unpack(data, size)
    body = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        _unpack(data, size, body.write)
    except BaseException:
        body.close()
        raise
    return body


def _unpack(data: bytes, size: int, write: Callable[[bytes], object]) -> None:
    inflater = Inflater(size, doubted=False)
    view = memoryview(data)
    written = 0
    for start in range(0, len(view), _FED):
        for part in inflater.feed(view[start : start + _FED]):
            write(part)
            written += len(part)
    if not inflater.complete or written != size:
        raise Damaged("it ends early")
