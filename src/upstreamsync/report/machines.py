"""A verification in the forms that other programs show: SARIF 2.1.0, JUnit's XML, GitLab's code quality.

SARIF: the OASIS standard's fields that GitHub's code scanning reads. JUnit: the elements that CI servers
agree on. Code quality: the fields of GitLab's page on its report format.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from upstreamsync._version import __version__
from upstreamsync.kit.sanitize import sanitized
from upstreamsync.model import Judgement, Severity, Verdict, Verification

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {
    Severity.BROKEN: "error",
    Severity.SILENT_BREAK: "error",
    Severity.REVIEW: "warning",
    Severity.CLEANUP: "note",
    Severity.INFO: "note",
    Severity.NONE: "none",
}
_GITLAB: Final = {
    Severity.BROKEN: "blocker",
    Severity.SILENT_BREAK: "critical",
    Severity.REVIEW: "major",
    Severity.CLEANUP: "minor",
    Severity.INFO: "info",
    Severity.NONE: "info",
}
_RULES: Final = {
    Verdict.FAILS: "kustomize refuses to build because of it",
    Verdict.DUPLICATE: "Upstream now ships an object which the overlay defines too",
    Verdict.REJECTED: "Builds, but the API server will refuse it",
    Verdict.MISAPPLIED: "Takes effect somewhere else, or does damage beside its job",
    Verdict.LOST: "Changes nothing any more",
    Verdict.NARROWED: "Still works on some of its targets, no longer on others",
    Verdict.DANGLING: "Names something which upstream renamed or removed",
    Verdict.SHADOWS: "Same effect, but upstream changed what it overwrites",
    Verdict.UNJUDGED: "Could not be compared",
    Verdict.WIDENED: "Now also applies to objects that it did not touch",
    Verdict.UNCOVERED: "Covered every object of a kind, and misses a new one",
    Verdict.REDUNDANT: "Every effect of it is moot",
    Verdict.UNUSED: "Did nothing before either",
    Verdict.OK: "Does what it did before",
}
_NOT_PRISTINE: Final = "not-pristine"
#: What XML 1.0 has no way to write.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Finding:
    """One thing to show, at a line of a file."""

    rule: str
    level: Severity
    subject: str
    text: str
    file: str
    line: int

    @property
    def fingerprint(self) -> str:
        """The same for the same finding, wherever its line moves to."""
        said = "\0".join((self.rule, self.subject, self.file, self.text))
        return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


def _findings(verification: Verification) -> Iterator[_Finding]:
    for base in verification.bases:
        if not base.pristine:
            for file in base.changed_files:
                text = f"{base.path} does not equal its lock: move the change into a patch"
                yield _Finding(_NOT_PRISTINE, Severity.SILENT_BREAK, base.path, text, file, 1)
    seen: set[tuple[str, str]] = set()
    for item in verification.items:
        for rule, severity, why, hint in _told(item):
            text = sanitized(f"{item.item}: {why}" + (f" — {hint}" if hint else ""))
            if (item.item, text) not in seen:
                seen.add((item.item, text))
                yield _Finding(rule, severity, item.item, text, item.file, max(item.line, 1))


def _told(item: Judgement) -> Iterator[tuple[str, Severity, str, str | None]]:
    """What is said of an item: verdict, severity, why, hint."""
    if item.failed_before:
        yield item.verdict.value, Severity.INFO, f"failed before too: {item.why}", item.hint
        return
    said = [(one.verdict, one.severity, one.why, one.hint) for one in item.findings]
    for verdict, severity, why, hint in said or [(item.verdict, item.severity, item.why, item.hint)]:
        if verdict is not Verdict.OK:
            yield verdict.value, severity, why, hint


# -- SARIF -------------------------------------------------------------------------------------------


def verify_sarif(verification: Verification, *, prefix: str = "") -> dict[str, Any]:
    """A SARIF log with one run. ``prefix`` leads from the checkout to the files."""
    found = list(_findings(verification))
    used = list(dict.fromkeys(one.rule for one in found))
    driver = {
        "name": "upstreamsync",
        "version": __version__,
        "rules": [_rule(rule) for rule in used],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "upstreamsync/verify/"},
        "invocations": [{"executionSuccessful": not verification.crashes}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, used, prefix) for one in found],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: str) -> dict[str, Any]:
    text = "A vendored base was edited by hand" if rule == _NOT_PRISTINE else _RULES[Verdict(rule)]
    return {"id": rule, "shortDescription": {"text": text}}


def _result(one: _Finding, rules: Sequence[str], prefix: str) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(prefix + one.file, safe="/~"), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": one.line},
    }
    return {
        "ruleId": one.rule,
        "ruleIndex": rules.index(one.rule),
        "level": _LEVELS[one.level],
        "message": {"text": one.text},
        "locations": [
            {"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": sanitized(one.subject)}]}
        ],
        "partialFingerprints": {"upstreamsync/v1": one.fingerprint},
    }


# -- JUnit -------------------------------------------------------------------------------------------


def verify_junit(verification: Verification, *, prefix: str = "") -> str:
    """One suite an overlay, one case a customization; what needs a person is a failure, a bug an error."""
    root = ET.Element("testsuites", name="upstreamsync verify")
    for base in verification.bases:
        suite = ET.SubElement(root, "testsuite", name=_xml(base.path))
        case = ET.SubElement(suite, "testcase", classname=_xml(base.path), name="equals its lock")
        if not base.pristine:
            files = ", ".join(base.changed_files)
            ET.SubElement(case, "failure", type=_NOT_PRISTINE, message=_xml(f"edited by hand: {files}"))
        _count(suite)
    for overlay in verification.overlays:
        suite = ET.SubElement(root, "testsuite", name=_xml(overlay.path))
        for item in overlay.items:
            _case(suite, overlay.path, item, prefix)
        if overlay.crash is not None:
            case = ET.SubElement(suite, "testcase", classname=_xml(overlay.path), name="is judged")
            ET.SubElement(case, "error", type="bug", message="a bug ended the judgement")
        _count(suite)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, overlay: str, item: Judgement, prefix: str) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_xml(overlay),
        name=_xml(item.item),
        file=_xml(prefix + item.file),
        line=str(max(item.line, 1)),
    )
    said = "\n".join(
        f"{rule}: {why}" + (f"\nhint: {hint}" if hint else "") for rule, _, why, hint in _told(item)
    )
    needed = item.severity.rank <= Severity.REVIEW.rank and item.verdict is not Verdict.UNCOVERED
    if needed and not item.failed_before:
        kind = "error" if item.verdict is Verdict.UNJUDGED else "failure"
        reason = f"{item.verdict.value}/{item.reason}" if item.reason else item.verdict.value
        ET.SubElement(case, kind, type=reason, message=_xml(item.why)).text = _xml(said)
    elif said:
        ET.SubElement(case, "system-out").text = _xml(said)


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", sanitized(text))


# -- GitLab ------------------------------------------------------------------------------------------


def verify_gitlab(verification: Verification, *, prefix: str = "") -> list[dict[str, Any]]:
    """A code quality report."""
    return [
        {
            "description": one.text,
            "check_name": f"upstreamsync/{one.rule}",
            "fingerprint": one.fingerprint,
            "severity": _GITLAB[one.level],
            "location": {"path": prefix + one.file, "lines": {"begin": one.line}},
        }
        for one in _findings(verification)
    ]
