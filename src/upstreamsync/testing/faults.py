"""What may go wrong on the way: one value per kind of failure, performed by the test world's server."""

from __future__ import annotations

import contextlib
import fnmatch
import http
import json
import threading
import zlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from upstreamsync.testing.server import Answer, Call, Content, Reply, Wire

Kind = Literal[
    "status",
    "reset",
    "slow",
    "hang",
    "truncate",
    "wrong-length",
    "endless",
    "redirect",
    "redirect-loop",
    "gzip-bomb",
    "flipped-byte",
    "body",
]

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failure; made by the class methods, given to ``World.fault``."""

    kind: Kind
    code: int = 500
    retry_after: str | None = None
    size: int = 0
    seconds: float = 0.0
    url: str | None = None
    data: bytes = b""

    @classmethod
    def status(
        cls, code: int, *, retry_after: float | str | None = None, message: str | None = None
    ) -> Fault:
        """Answer with ``code``; ``retry_after`` is seconds, or an HTTP date as text.

        ``message`` is sent in JSON, as GitHub does.
        """
        data = b"" if message is None else json.dumps({"message": message}).encode()
        after = f"{retry_after:g}" if isinstance(retry_after, int | float) else retry_after
        return cls(kind="status", code=code, retry_after=after, data=data)

    @classmethod
    def reset(cls, *, after: int = 0) -> Fault:
        """Reset the connection after ``after`` bytes of the body; 0: before anything is sent."""
        return cls(kind="reset", size=after)

    @classmethod
    def slow(cls, bytes_per_second: int) -> Fault:
        """Send the body at this speed."""
        return cls(kind="slow", size=bytes_per_second)

    @classmethod
    def hang(cls, seconds: float = 3600.0) -> Fault:
        """Say nothing for so long, then close the connection."""
        return cls(kind="hang", seconds=seconds)

    @classmethod
    def truncate(cls, *, after: int | None = None) -> Fault:
        """Promise the whole body and close after ``after`` bytes of it (default: half)."""
        return cls(kind="truncate", size=-1 if after is None else after)

    @classmethod
    def wrong_length(cls) -> Fault:
        """Announce fewer bytes than the content has, and end there: well-formed HTTP, half the content."""
        return cls(kind="wrong-length")

    @classmethod
    def endless(cls, *, limit: int = 1 << 32) -> Fault:
        """Repeat the body without a length until the client hangs up, or ``limit`` bytes are sent."""
        return cls(kind="endless", size=limit)

    @classmethod
    def redirect(cls, url: str | None = None, *, code: int = 302) -> Fault:
        """Redirect to ``url``; None: the same path under ``World.elsewhere``, another host name."""
        return cls(kind="redirect", url=url, code=code)

    @classmethod
    def redirect_loop(cls) -> Fault:
        """Redirect the path to itself for ever."""
        return cls(kind="redirect-loop")

    @classmethod
    def gzip_bomb(cls, size: int = 1 << 28) -> Fault:
        """Send a small compressed body that unpacks to ``size`` zero bytes."""
        return cls(kind="gzip-bomb", size=size)

    @classmethod
    def flipped_byte(cls) -> Fault:
        """Change one byte in the middle of the content."""
        return cls(kind="flipped-byte")

    @classmethod
    def body(cls, data: bytes) -> Fault:
        """Answer 200 with other content: bad YAML, the page of a captive portal."""
        return cls(kind="body", data=data)

    @property
    def early(self) -> bool:
        """Whether it strikes before the request is understood, so that nothing is done for it."""
        return self.kind in {"status", "hang", "redirect", "redirect-loop"} or (
            self.kind == "reset" and not self.size
        )

    def alter(self, call: Call, reply: Reply, elsewhere: str) -> Reply:
        """The answer as this fault makes it; faults of the transmission leave it as it is."""
        match self.kind:
            case "status":
                extra = {"Retry-After": self.retry_after} if self.retry_after is not None else {}
                words = Content(b"the test world was told to fail here\n", "text/plain", modified=None)
                if self.data:
                    words = Content(self.data, "application/json", modified=None)
                return Reply(status=self.code, content=words, headers=extra)
            case "redirect":
                return Reply(status=self.code, headers={"Location": self.url or elsewhere + call.target})
            case "redirect-loop":
                return Reply(status=302, headers={"Location": call.target})
            case "body":
                kind = reply.content.content_type if reply.content else "text/plain"
                return Reply(content=Content(self.data, kind))
            case "flipped-byte" if reply.content is not None:
                return replace(reply, content=_flipped(reply.content))
            case "wrong-length" if reply.content is not None:
                half = reply.content.data[: len(reply.content.data) // 2]
                return replace(reply, content=Content(half, reply.content.content_type))
            case _:
                return reply

    def transmit(self, answer: Answer, wire: Wire) -> bool:
        """Send ``answer`` the way this fault wants it; False: the connection ends here."""
        match self.kind:
            case "reset":
                if self.size:
                    wire.send(answer.head(length=len(answer.body)) + answer.body[: self.size])
                    wire.wait(0.05)  # else the reset overtakes what was sent
                wire.reset()
            case "hang":
                wire.wait(self.seconds)
            case "truncate":
                cut = len(answer.body) // 2 if self.size < 0 else self.size
                wire.send(answer.head(length=len(answer.body)) + answer.body[:cut])
            case "slow":
                return _slowly(answer, wire, self.size)
            case "endless":
                _endlessly(answer, wire, self.size)
            case "gzip-bomb":
                bomb = replace(answer, status=200, headers={**answer.headers, "Content-Encoding": "gzip"})
                packed = gzip_bomb(self.size)
                wire.send(bomb.head(length=len(packed)) + packed)
            case _:
                wire.send(answer.head(length=len(answer.body)) + answer.body)
                return True
        return False


def _flipped(content: Content) -> Content:
    data = bytearray(content.data)
    if data:
        data[len(data) // 2] ^= 0x01
    return Content(bytes(data), content.content_type, modified=content.modified)


def _slowly(answer: Answer, wire: Wire, bytes_per_second: int) -> bool:
    wire.send(answer.head(length=len(answer.body)))
    step = max(1, bytes_per_second // 20)
    for start in range(0, len(answer.body), step):
        if not wire.wait(step / bytes_per_second):
            return False
        wire.send(answer.body[start : start + step])
    return True


def _endlessly(answer: Answer, wire: Wire, limit: int) -> None:
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Encoding"}
    seed = answer.body if answer.body and headers == answer.headers else b"# and so on\n"
    block = seed * max(1, _BLOCK // len(seed))
    wire.send(replace(answer, status=http.HTTPStatus.OK, headers=headers).head(length=None))
    sent = 0
    with contextlib.suppress(OSError):
        while sent < limit and wire.wait(0):
            wire.send(block)
            sent += len(block)


@cache
def gzip_bomb(size: int) -> bytes:
    """A gzip stream of ``size`` zero bytes, about a thousandth of that long."""
    zeros = bytes(1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the packer starts afresh, so one block's output can be repeated as it is.
    count, rest = divmod(size, len(zeros))
    tail = packer.compress(zeros[:rest]) + packer.flush(zlib.Z_FINISH)
    check = 0
    for _ in range(count):
        check = zlib.crc32(zeros, check)
    check = zlib.crc32(zeros[:rest], check)
    trailer = check.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + first * count + tail + trailer


class Faults:
    """The faults that were asked for, and how often each is still to happen."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()

    def add(
        self, pattern: str, fault: Fault, *, times: int | None, skip: int, method: str | None, done: bool
    ) -> None:
        """Arm ``fault`` for paths that match the glob."""
        with self._lock:
            self._rules.append(_Rule(pattern, fault, times, skip, method, done))

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._rules.clear()

    def next(self, call: Call) -> tuple[Fault | None, bool]:
        """The fault that this request meets, if any, and whether its work is done first; counts it."""
        with self._lock:
            for rule in self._rules:
                if rule.meets(call):
                    return rule.fault, rule.done
        return None, True


@dataclass(slots=True)
class _Rule:
    pattern: str
    fault: Fault
    times: int | None
    skip: int
    method: str | None
    done: bool

    def meets(self, call: Call) -> bool:
        if self.times == 0 or self.method not in {None, call.method}:
            return False
        if not fnmatch.fnmatchcase(call.path, self.pattern):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True
