"""What `check` finds without asking anybody: bases that are not as they should be, declarations that can't work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from upstreamsync.config.spec import Source, Vendor
from upstreamsync.errors import ConfigError, EditError, UpstreamsyncError
from upstreamsync.kit.http.credentials import is_loopback
from upstreamsync.model import BaseCondition, BaseState, Finding, Place, Problem, Status
from upstreamsync.project.check.lookup import Lookup

Read = Callable[[str], bytes | None]
#: Gives the place of a key below the vendor.
At = Callable[..., Place]
#: What outweighs the state of the base.
_WORSE = (Status.FAILED, Status.WITHDRAWN, Status.REPUBLISHED)


class Held(Protocol):
    """What came out when a base without a lock was held against the version that is declared."""

    @property
    def is_first(self) -> bool:
        """Whether none of the version's files is there."""

    @property
    def is_pristine(self) -> bool:
        """Whether all of its files that are there are upstream's own."""


def with_bases(lookup: Lookup, vendor: Vendor, states: Sequence[BaseState]) -> Lookup:
    """The lookup with what the bases on disk say.

    A vendor without a base moves to the version that is written, whatever is newer.
    """
    wrong = [state for state in states if not state.sound]
    told = tuple(map(remark, [state for state in states if state.why and state not in wrong]))
    absent = bool(states) and all(state.condition is BaseCondition.NOT_VENDORED for state in states)
    finding = lookup.finding
    if finding.status is Status.WITHDRAWN:
        return replace(lookup, finding=replace(finding, remarks=_other_versions(vendor, states)))
    if finding.status in _WORSE or not (wrong or told):
        return lookup
    if not (wrong or absent):
        finding = replace(finding, remarks=told)
    elif absent:
        first = lookup.release(vendor.version) if vendor.version else None
        newer = f"; newest is {finding.newest}" if finding.newest not in (None, vendor.version) else ""
        told = (f"there is no base yet: `upstreamsync update {vendor.name}` adds {vendor.version}{newer}",)
        finding = replace(finding, status=Status.NOT_VENDORED, target=first, major=None, remarks=told)
    else:
        finding = replace(finding, status=Status.EDITED, remarks=tuple(map(remark, wrong)))
    return replace(lookup, finding=finding)


def _other_versions(vendor: Vendor, states: Sequence[BaseState]) -> tuple[str, ...]:
    """Where a version that nobody offers was never vendored: what is there, and the way out."""
    return tuple(
        f"{state.path}: {state.why}: write the version that is there, or one of those that "
        f"`upstreamsync explain {vendor.name}` lists"
        for state in states
        if state.condition is BaseCondition.OTHER_VERSION
    )


def unlocked(states: Sequence[BaseState], held: Held) -> tuple[BaseState, ...]:
    """States of bases without a lock, once they were held against the version that is declared."""
    if held.is_first:
        return tuple(
            replace(state, condition=BaseCondition.NOT_VENDORED, pristine=True, why="there is no base yet")
            for state in states
        )
    if not held.is_pristine:
        return tuple(states)
    return tuple(
        replace(
            state,
            condition=BaseCondition.PRISTINE,
            pristine=True,
            why="there is no lock yet, and the files are upstream's own",
            command=f"upstreamsync update {state.vendor}",
        )
        for state in states
    )


def remark(state: BaseState) -> str:
    """What is wrong with a base, and the command that mends it, in a line."""
    files = [path for path in state.changed_files if path not in state.missing_files]
    named = f" ({', '.join(files[:3])}{', …' if len(files) > 3 else ''})" if files else ""
    return f"{state.path or state.vendor}: {state.why}{named}: `{state.command}`"


def orphan_findings(orphans: Sequence[BaseState]) -> tuple[Finding, ...]:
    """A finding for each vendor that vendors.yaml no longer has, while its lock is still there."""
    found: dict[str, list[BaseState]] = {}
    for state in orphans:
        found.setdefault(state.vendor, []).append(state)
    return tuple(
        Finding(vendor=name, status=Status.EDITED, current="", remarks=tuple(map(remark, states)))
        for name, states in found.items()
    )


# -- declarations that can't work ---------------------------------------------------------------------


def refuse_what_cannot_work(vendor: Vendor, read: Read, at: At, current: Mapping[str, str]) -> None:
    """Raise ConfigError with everything of a vendor that an update would stumble over, each with its place.

    Those are files that a render reads and that are not there, edits that find nothing, and addresses that
    would be refused. ``current`` fills the placeholders of edits, as far as the version alone can.
    """
    problems = [
        *_missing_files(vendor, read, at),
        *_idle_edits(vendor, read, at, current),
        *_plain_http(vendor, at),
    ]
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.place, problem.message)))


def _missing_files(vendor: Vendor, read: Read, at: At) -> Iterator[Problem]:
    for number, source in enumerate(vendor.source):
        for keys, path in _read_files(source):
            if _is_missing(path, read):
                yield Problem(
                    place=at("source", number, *keys),
                    message=f"`{path}` is read when the base is made, and is not there",
                    hint="write the path from the folder of vendors.yaml, or commit the file",
                )


def _read_files(source: Source) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if source.helm is not None:
        for number, path in enumerate(source.helm.values):
            yield ("helm", "values", number), path
        if source.helm.keyring is not None:
            yield ("helm", "keyring"), source.helm.keyring
    if source.command is not None:
        for number, path in enumerate(source.command.inputs):
            yield ("command", "inputs", number), path


def _is_missing(path: str, read: Read) -> bool:
    try:
        return read(path) is None
    except UpstreamsyncError:
        return False  # something is there; what is wrong with it, is said when it is read


def _idle_edits(vendor: Vendor, read: Read, at: At, current: Mapping[str, str]) -> Iterator[Problem]:
    rows = [(("edits", number), edit) for number, edit in enumerate(vendor.edits)]
    rows += [
        (("images", image, "edits", number), edit)  # type: ignore[misc]
        for image, declared in enumerate(vendor.images)
        for number, edit in enumerate(declared.edits)
    ]
    if not rows:
        return
    from upstreamsync.base.edits import find_places  # most vendors have no edits: `check` starts without it

    for keys, edit in rows:
        try:
            find_places(edit, read, current)
        except EditError as error:
            yield Problem(place=at(*keys), message=str(error), hint=error.hint)
        except UpstreamsyncError:
            continue  # a file that can't be read as what it should be is no matter of the edit


def _plain_http(vendor: Vendor, at: At) -> Iterator[Problem]:
    if vendor.allow_http:
        return
    for number, source in enumerate(vendor.source):
        for keys, url in _addresses(source):
            if url.startswith("http://") and not is_loopback(urlsplit(url).hostname):
                yield Problem(
                    place=at("source", number, *keys),
                    message=f"{url} is not encrypted, and would be refused",
                    hint="use https://, or set `allow_http: true` for this vendor",
                )


def _addresses(source: Source) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(source.url, str):
        yield ("url",), source.url
    elif source.url is not None:
        for file, url in source.url.items():
            yield ("url", file), url
    if source.docs is not None:
        yield ("docs", "url"), source.docs.url
    if source.archive is not None:
        yield ("archive", "url"), source.archive.url
    if source.helm is not None and source.helm.repository is not None:
        yield ("helm", "repository"), source.helm.repository
    if source.checksum is not None and "://" in source.checksum:
        yield ("checksum",), source.checksum
