"""Charts that render differently each time: found by rendering again, named by path.

Random passwords and certificates made while rendering would look like an update on every run. Only charts
whose templates call a function that may vary are rendered again; for those that look at the clock, the
clock is moved.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.errors import Malformed, TooLarge
from upstreamsync.kit.kubernetes import objects
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import ContentFile

#: Functions of Sprig and Helm whose result is another one each time.
_RANDOM = re.compile(
    rb"\b(?:rand(?:Alpha|AlphaNum|Ascii|Numeric|Bytes|Int)|shuffle|uuidv4|bcrypt|htpasswd|encryptAES"
    rb"|gen(?:CA|PrivateKey|SelfSignedCert|SignedCert)(?:WithKey)?)\b"
)
_CLOCK = re.compile(rb"\b(?:now|date(?:InZone|Modify|_in_zone|_modify)?|htmlDate(?:InZone)?|ago|unixEpoch)\b")
_SECONDS = re.compile(rb"\b(?:unixEpoch|duration|ago)\b|now\s*\}\}|:05|5\.0|RFC")
_ACTION = re.compile(rb"\{\{.*?\}\}", re.DOTALL)
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What may make a chart's render vary. ``seconds``: the clock counts to the second."""

    random: bool
    clock: bool
    seconds: bool

    def __bool__(self) -> bool:
        return self.random or self.clock


def suspect(files: Iterable[ContentFile], values: Iterable[bytes]) -> Suspicion:
    """Look through templates and values for functions that vary; packed subcharts count as suspicious."""
    random = clock = seconds = False
    texts = list(values)
    for file in files:
        if file.path.endswith(".tgz"):
            random = True
        elif "templates/" in file.path or file.path.rpartition("/")[2] == "values.yaml":
            texts.append(file.data)
    for text in texts:
        for action in _ACTION.findall(text):
            random = random or _RANDOM.search(action) is not None
            if _CLOCK.search(action):
                clock = True
                seconds = seconds or _SECONDS.search(action) is not None
    return Suspicion(random, clock, seconds)


def time_zones(folder: Path) -> tuple[Path, Path]:
    """Two TZif files written into ``folder``: 14 hours ahead of UTC, and 12 behind.

    Between them lies more than a day, so that in one of the two the date differs from that in UTC.
    """
    ahead, behind = folder / "ahead", folder / "behind"
    ahead.write_bytes(_zone(14 * 3600, b"X14"))
    behind.write_bytes(_zone(-12 * 3600, b"X12"))
    return ahead, behind


def _zone(offset: int, name: bytes) -> bytes:
    """A time zone of one fixed offset in seconds, in version 1 of the format (RFC 8536, section 3)."""
    header = b"TZif" + bytes(16) + struct.pack(">6I", 0, 0, 0, 0, 1, len(name) + 1)
    return header + struct.pack(">iBB", offset, 0, 0) + name + b"\0"


def differing_paths(first: bytes, other: bytes) -> tuple[str, ...]:
    """Where two renders of one chart differ: ``v1 Secret ns/name: data.password``, in order."""
    if first == other:
        return ()
    try:
        changes = objects.compare(
            objects.numbered(manifests.objects(first, name="the first render")),
            objects.numbered(manifests.objects(other, name="the second render")),
        )
    except (Malformed, TooLarge):
        return ("(the whole output)",)
    added, removed, changed = changes
    found = [f"{one.resource}: {field.path}" for one in changed for field in one.fields]
    found += [f"{resource}: (exists only at times)" for resource in (*added, *removed)]
    return tuple(found) or ("(text that is no value)",)


def listed(paths: tuple[str, ...]) -> str:
    """The paths as part of a sentence."""
    shown = ", ".join(paths[:_LISTED])
    return shown if len(paths) <= _LISTED else f"{shown} and {len(paths) - _LISTED} more"
