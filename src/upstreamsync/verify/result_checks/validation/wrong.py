"""What a rule of an API says, and the small questions that many rules ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from upstreamsync.verify.result_checks.finding import Manifest

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")


class Wrong(NamedTuple):
    """One thing that the API server refuses: where, what, and what to do about it."""

    path: str
    why: str
    hint: str
    reason: str = "schema_violation"


#: A rule of one kind: given the object, and what it was before where it is not new.
Rule = Callable[[Manifest, Manifest | None], Iterator[Wrong]]


def number(value: Any) -> int | None:
    """A whole number; None for anything else, also for none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_label(value: str) -> bool:
    """Whether it is a DNS label (RFC 1123), of at most 63 signs."""
    return len(value) <= 63 and _LABEL.fullmatch(value) is not None


def is_subdomain(value: str) -> bool:
    """Whether it is a DNS subdomain, of at most 253 signs."""
    return len(value) <= 253 and _SUBDOMAIN.fullmatch(value) is not None


def is_port_name(value: str) -> bool:
    """Whether it may name a port of a container: an IANA service name, of at most 15 signs."""
    return len(value) <= 15 and _PORT_NAME.fullmatch(value) is not None


def is_label_value(value: str) -> bool:
    """Whether it may be the value of a label."""
    return not value or (len(value) <= 63 and _QUALIFIED.fullmatch(value) is not None)


def is_qualified(value: str) -> bool:
    """Whether it may be the key of a label or an annotation: ``name`` or ``prefix/name``."""
    prefix, slash, name = value.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(name) <= 63 and _QUALIFIED.fullmatch(name) is not None


def one_of(value: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """Those of the fields that are set."""
    return [name for name in names if value.get(name) is not None]
