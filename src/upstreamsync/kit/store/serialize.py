"""Releases and findings as JSON values, to be kept; what is not set is left out.

What is read again is held against the types that it should have: it may have been damaged on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upstreamsync.kit.store.timestamps import UNREADABLE, parse_timestamp
from upstreamsync.model import Finding, ImageFinding, PassedOver, Release, Status

__all__ = ["UNREADABLE", "finding", "of_finding", "of_release", "release"]


def of_release(release: Release) -> dict[str, Any]:
    """A release. Written out, as there are thousands of them: going by ``fields`` takes three times as long."""
    facts: dict[str, Any] = {"version": release.version, "ref": release.ref}
    if release.published is not None:
        facts["published"] = release.published.isoformat()
    if release.known_by is not None:
        facts["known_by"] = release.known_by.isoformat()
    if release.prerelease:
        facts["prerelease"] = True
    if release.digest is not None:
        facts["digest"] = release.digest
    if release.app_version is not None:
        facts["app_version"] = release.app_version
    if release.commit is not None:
        facts["commit"] = release.commit
    if release.download:
        facts["download"] = release.download
    if release.page is not None:
        facts["page"] = release.page
    if release.notes is not None:
        facts["notes"] = release.notes
    if release.note is not None:
        facts["note"] = release.note
    if release.assets:
        facts["assets"] = dict(release.assets)
    if release.groups:
        facts["groups"] = dict(release.groups)
    return facts


def release(facts: Mapping[str, Any]) -> Release:
    """What ``of_release`` was given. Raises one of UNREADABLE for anything else."""
    made = dict(facts)
    for name, value in made.items():
        if name == "prerelease":
            _check(value, bool)
        elif name in {"assets", "groups"}:
            for word in (*_check(value, dict), *value.values()):
                _check(word, str)
        elif name == "download":
            made[name] = tuple(_check(word, str) for word in _check(value, list))
        else:
            _check(value, str)
    for name in ("published", "known_by"):
        if name in made:
            made[name] = parse_timestamp(made[name])
    return Release(**made)


def of_finding(finding: Finding) -> dict[str, Any]:
    """A finding that is no failure."""
    facts = {
        "vendor": finding.vendor,
        "status": finding.status.value,
        "current": finding.current,
        "newest": finding.newest,
        "target": _optional(finding.target),
        "major": _optional(finding.major),
        "passed_over": _of_passed_over(finding.passed_over),
        "remarks": list(finding.remarks),
        "images": [
            {
                "key": image.key,
                "image": image.image,
                "current": image.current,
                "target": _optional(image.target),
                "passed_over": _of_passed_over(image.passed_over),
            }
            for image in finding.images
        ],
    }
    return {name: value for name, value in facts.items() if value not in (None, [])}


def finding(facts: Mapping[str, Any]) -> Finding:
    """What ``of_finding`` was given. Raises one of UNREADABLE for anything else."""
    return Finding(
        vendor=_check(facts["vendor"], str),
        status=Status(facts["status"]),
        current=_check(facts["current"], str),
        newest=_check(facts["newest"], str) if "newest" in facts else None,
        target=_release_in(facts, "target"),
        major=_release_in(facts, "major"),
        passed_over=_passed_over(facts),
        remarks=tuple(_check(one, str) for one in facts.get("remarks", ())),
        images=tuple(
            ImageFinding(
                key=_check(image["key"], int),
                image=_check(image["image"], str),
                current=_check(image["current"], str),
                target=_release_in(image, "target"),
                passed_over=_passed_over(image),
            )
            for image in facts.get("images", ())
        ),
    )


def _optional(value: Release | None) -> dict[str, Any] | None:
    return of_release(value) if value is not None else None


def _release_in(facts: Mapping[str, Any], name: str) -> Release | None:
    return release(facts[name]) if facts.get(name) is not None else None


def _of_passed_over(passed_over: tuple[PassedOver, ...]) -> list[list[str | None]]:
    return [
        [one.version, one.reason, one.until.isoformat() if one.until is not None else None]
        for one in passed_over
    ]


def _passed_over(facts: Mapping[str, Any]) -> tuple[PassedOver, ...]:
    return tuple(
        PassedOver(
            version=_check(version, str),
            reason=_check(reason, str),
            until=parse_timestamp(until) if until is not None else None,
        )
        for version, reason, until in facts.get("passed_over", ())
    )


def _check(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
