"""Looking vendors up in several processes, when there are many and several processors.

Vendors that ask the same host stay together: each address is then still asked once, a registry still gives
one token, and the limits on what a host is asked at once still hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from upstreamsync.config import Vendor
from upstreamsync.kit.foreign import all_strings
from upstreamsync.kit.store.dependencies import DependencyRecord
from upstreamsync.kit.store.timestamps import parse_timestamp
from upstreamsync.model import Failure, Finding
from upstreamsync.project.check.unchanged import frozen_question, has_secrets

#: A finding, all that was asked for it, and the moment up to which it holds.
Recorded = tuple[Finding, DependencyRecord, datetime | None]

#: Fewer vendors than this for each process are not worth its start.
WORTH_IT = 20
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?([^/@\s]+?)(?:[/:].*)?", re.DOTALL)
_GITHUB = ("github", "github_tags")


def spread(vendors: Sequence[Vendor], processes: int) -> list[list[Vendor]]:
    """The vendors in at most as many parts, of similar size, that share no host; each in the given order."""
    count = min(processes, len(vendors) // WORTH_IT)
    if count < 2:
        return [list(vendors)]
    groups = sorted(_together(vendors), key=len, reverse=True)
    parts: list[list[int]] = [[] for _ in range(count)]
    for group in groups:
        min(parts, key=len).extend(group)
    return [[vendors[number] for number in sorted(part)] for part in parts if part]


def _together(vendors: Sequence[Vendor]) -> list[list[int]]:
    """The numbers of the vendors that share hosts, directly or by way of others."""
    groups: list[list[int]] = []
    of_host: dict[str, int] = {}
    for number, vendor in enumerate(vendors):
        hosts = set(_hosts(vendor))
        known = sorted({of_host[host] for host in hosts if host in of_host})
        mine = [number]
        for other in known:
            mine += groups[other]
            groups[other] = []
        groups.append(mine)
        for host, group in of_host.items():
            if group in known:
                of_host[host] = len(groups) - 1
        of_host.update(dict.fromkeys(hosts, len(groups) - 1))
    return [group for group in groups if group]


def _hosts(vendor: Vendor) -> Iterator[str]:
    """What looks like a host in all that a vendor asks for; rather too much than too little."""
    asked = vendor.model_dump(
        mode="json", include={"source", "releases", "images", "watch"}, exclude_defaults=True
    )
    yield from _texts(asked)
    releases = vendor.releases
    if releases is not None and any(getattr(releases, name) is not None for name in _GITHUB):
        yield "github"


def _texts(value: Any) -> Iterator[str]:
    for text in all_strings(value):
        match = _HOST.fullmatch(text) if "/" in text or ":" in text else None
        if match is not None:
            yield match[1].lower()


# -- findings on their way from one process to another -----------------------------------------------


def packed(found: Mapping[str, Recorded]) -> bytes:
    """Findings by vendor, as bytes."""
    from upstreamsync.kit.store import serialize

    rows = {}
    clean: set[str] = set()
    for name, (finding, record, until) in found.items():
        error = finding.error
        rows[name] = [
            serialize.of_finding(finding),
            [error.kind, error.message, error.hint] if error is not None else None,
            list(record.answers.items()),
            # What is a secret is known here, where it was read.
            record.doubtful or has_secrets(record.answers, clean),
            until.isoformat() if until is not None else None,
        ]
    return json.dumps(rows, separators=(",", ":")).encode()


def unpacked(data: bytes) -> dict[str, Recorded]:
    """What ``packed`` was given."""
    from upstreamsync.kit.store import serialize

    found: dict[str, Recorded] = {}
    for name, (finding, error, answers, doubtful, until) in json.loads(data).items():
        record = DependencyRecord()
        record.answers = {frozen_question(question): answer for question, answer in answers}
        record.doubtful = doubtful
        made = serialize.finding(finding)
        if error is not None:
            made = replace(made, error=Failure(kind=error[0], message=error[1], hint=error[2]))
        found[name] = (made, record, parse_timestamp(until) if until is not None else None)
    return found
