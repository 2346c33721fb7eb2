"""Results as workflow commands of GitHub Actions: ``::error file=…,line=…::message``.

The form and its escapes are those of GitHub's page "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from upstreamsync.model import (
    Failure,
    Finding,
    ItemFinding,
    Judgement,
    PullRequest,
    Severity,
    Status,
    VendorUpdate,
    Verdict,
    Verification,
)

_LEVEL = {
    Severity.BROKEN: "error",
    Severity.SILENT_BREAK: "error",
    Severity.REVIEW: "warning",
    Severity.CLEANUP: "notice",
    Severity.INFO: "notice",
}


def check_annotations(findings: Sequence[Finding], *, file: str) -> str:
    """A notice for each update, a warning for what is odd, an error for what failed."""
    lines = []
    for finding in findings:
        if finding.error is not None:
            lines.append(_failure(finding.vendor, finding.error, file))
        elif finding.status is Status.EDITED:
            lines += [command("error", f"{finding.vendor}: {remark}", file) for remark in finding.remarks]
        elif finding.status is Status.NOT_VENDORED:
            lines += [command("notice", f"{finding.vendor}: {remark}", file) for remark in finding.remarks]
        elif finding.status in (Status.WITHDRAWN, Status.REPUBLISHED):
            lines.append(
                command("warning", f"{finding.vendor} {finding.current} is {finding.status.value}", file)
            )
        elif finding.status is Status.OUTDATED:
            target = finding.target.version if finding.target else "new image tags"
            lines.append(command("notice", f"{finding.vendor}: {finding.current} → {target}", file))
    return _joined(lines)


def notices(lines: Iterable[str]) -> str:
    """A notice for each line, without a place."""
    return _joined([f"::notice::{_data(line)}" for line in lines])


def matrix(findings: Sequence[Finding]) -> str:
    """The vendors that have something to do, as ``matrix=<json>`` for a job's outputs."""
    todo = (Status.OUTDATED, Status.NOT_VENDORED)
    names = [finding.vendor for finding in findings if finding.status in todo]
    return "matrix=" + json.dumps({"vendor": names}, separators=(",", ":")) + "\n"


def verify_annotations(verification: Verification, *, prefix: str = "") -> str:
    """One annotation at the line of each customization that is not ok."""
    lines = [
        command(
            "error", f"{base.path}: {base.why or 'it does not equal its lock'}: {base.command}", prefix + file
        )
        for base in verification.bases
        if not base.sound
        for file in base.changed_files or (base.path,)
    ]
    seen: set[tuple[str, str]] = set()
    for item in verification.items:
        if item.verdict is not Verdict.OK and (item.item, item.why) not in seen:
            seen.add((item.item, item.why))
            lines.append(_item(item, prefix))
    return _joined(lines)


def update_annotations(updates: Sequence[VendorUpdate], *, file: str) -> str:
    """Errors for vendors that failed, notices for those that moved."""
    return _joined(list(_updates(updates, file)))


def pr_annotations(pull_requests: Sequence[PullRequest], *, file: str) -> str:
    """A notice for each pull request, an error for each that could not be made."""
    lines = []
    for one in pull_requests:
        if one.error is not None:
            lines.append(_failure(one.vendor, one.error, file))
        else:
            text = f"{one.vendor}: {one.action.value} {one.url or one.branch}"
            lines.append(command("notice", f"{text}: {one.reason}" if one.reason else text, file))
    return _joined(lines)


def _updates(updates: Sequence[VendorUpdate], file: str) -> Iterator[str]:
    for update in updates:
        if update.error is not None:
            yield _failure(update.vendor, update.error, file)
        elif update.status == "added":
            yield command("notice", f"{update.vendor}: added at {update.after}", file)
        elif update.status == "updated":
            yield command("notice", f"{update.vendor}: {update.before} → {update.after}", file)


def _item(item: Judgement, prefix: str) -> str:
    first, *others = item.told
    lines = [first.why, *_hint(first)]
    for finding in others:
        lines += [f"also {finding.verdict.value}: {finding.why}", *_hint(finding)]
    title = f"{item.verdict.value}: {item.item}"
    return command(_LEVEL[item.severity], "\n".join(lines), prefix + item.file, line=item.line, title=title)


def _hint(finding: ItemFinding) -> list[str]:
    return [f"hint: {finding.hint}"] if finding.hint else []


def _failure(vendor: str, failure: Failure, file: str) -> str:
    hint = f"\nhint: {failure.hint}" if failure.hint else ""
    return command("error", failure.message + hint, file, title=f"{vendor}: {failure.kind}")


def command(level: str, message: str, file: str, *, line: int | None = None, title: str | None = None) -> str:
    """One workflow command."""
    properties = {"file": file, "line": str(line) if line else None, "title": title}
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{level} {shown}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
