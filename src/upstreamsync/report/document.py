"""Results as JSON documents, exactly as the contract has them; schemas/ holds a JSON Schema of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # values of one verb: no run has all of them
    from upstreamsync.model import (
        BaseState,
        Build,
        Failure,
        FieldChange,
        Finding,
        ImageFinding,
        ItemFinding,
        Judgement,
        OverlayVerification,
        PassedOver,
        PullRequest,
        Release,
        ResourceChange,
        VendorUpdate,
        Verification,
    )

Document = dict[str, Any]


def check_document(findings: Sequence[Finding]) -> Document:
    """``upstreamsync/check/v1``."""
    return {"schema": "upstreamsync/check/v1", "vendors": [_finding(finding) for finding in findings]}


def explain_document(finding: Finding, releases: Sequence[tuple[Release, str]]) -> Document:
    """``upstreamsync/explain/v1``: every version on offer, newest first, with what became of it."""
    return {
        "schema": "upstreamsync/explain/v1",
        "vendor": _finding(finding),
        "versions": [
            {
                "version": release.version,
                "ref": release.ref,
                "published": _time(release.published),
                "decision": decision,
            }
            for release, decision in releases
        ],
    }


def verify_document(verification: Verification) -> Document:
    """``upstreamsync/verify/v1``."""
    from upstreamsync.model import Verdict  # a check loads nothing that judges

    counts = Counter(item.verdict for item in verification.items)
    return {
        "schema": "upstreamsync/verify/v1",
        "engine": verification.engine,
        "bases": [_base(base) for base in verification.bases],
        "overlays": [_overlay(overlay) for overlay in verification.overlays],
        "summary": {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]},
    }


def update_document(updates: Sequence[VendorUpdate], verification: Verification | None) -> Document:
    """``upstreamsync/update/v1``."""
    from upstreamsync.model import Verification as Judged

    return {
        "schema": "upstreamsync/update/v1",
        "vendors": [_update(update) for update in updates],
        "verification": verify_document(verification or Judged()),
    }


def pr_document(pull_requests: Sequence[PullRequest]) -> Document:
    """``upstreamsync/pr/v1``."""
    return {
        "schema": "upstreamsync/pr/v1",
        "proposals": [
            {
                "vendor": one.vendor,
                "from": one.before,
                "to": one.after,
                "branch": one.branch,
                "title": one.title,
                "action": one.action.value,
                "reason": one.reason,
                "number": one.number,
                "url": one.url,
                "draft": one.draft,
                "body": one.body,
                "error": failure_document(one.error),
            }
            for one in pull_requests
        ],
    }


def _finding(finding: Finding) -> Document:
    target = finding.target
    document: Document = {
        "name": finding.vendor,
        "status": finding.status.value,
        "current": finding.current,
        "target": target.version if target else None,
        "newest": finding.newest,
        "published": _time(target.published) if target else None,
        "page": target.page if target else None,
        "passed_over": [_passed_over(one) for one in finding.passed_over],
        "error": failure_document(finding.error),
    }
    if target is not None and target.app_version is not None:
        document |= {"app_version": target.app_version, "ref": target.ref}
    if finding.remarks:
        document["remarks"] = list(finding.remarks)
    if finding.images:
        document["images"] = [_image(image) for image in finding.images]
    return document


def _image(image: ImageFinding) -> Document:
    return {
        "image": image.image,
        "current": image.current,
        "target": image.target.version if image.target else None,
        "passed_over": [_passed_over(one) for one in image.passed_over],
    }


def _passed_over(one: PassedOver) -> Document:
    document = {"version": one.version, "reason": one.reason}
    if one.until is not None:
        document["until"] = str(_time(one.until))
    return document


def failure_document(failure: Failure | None) -> Document | None:
    """An error as it stands under ``error`` in every document."""
    if failure is None:
        return None
    document: Document = {"kind": failure.kind, "message": failure.message, "hint": failure.hint}
    return {**document, "details": failure.details} if failure.details else document


def _time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _base(base: BaseState) -> Document:
    return {
        "vendor": base.vendor,
        "path": base.path,
        "pristine": base.pristine,
        "changed_files": list(base.changed_files),
        "missing_files": list(base.missing_files),
        "condition": base.condition.value,
        "why": base.why,
        "command": base.command,
    }


def _build(build: Build) -> Document:
    return {"ok": build.ok, "error": build.error}


def _overlay(overlay: OverlayVerification) -> Document:
    return {
        "path": overlay.path,
        "before": _build(overlay.before),
        "after": _build(overlay.after),
        "items": [_item(item) for item in overlay.items],
        "resources": {
            "added": list(overlay.added),
            "removed": list(overlay.removed),
            "changed": [_resource(change) for change in overlay.changed],
        },
        "builds": overlay.builds,
        "left_out": [str(one) for one in overlay.left_out],
        "new": overlay.is_new,
    }


def _item(item: Judgement) -> Document:
    return {
        "item": item.item,
        "kustomization": item.kustomization,
        "field": item.field,
        "key": item.key,
        "file": item.file,
        "line": item.line,
        "verdict": item.verdict.value,
        "severity": item.severity.value,
        "reason": item.reason,
        "resources": list(item.resources),
        "paths": list(item.paths),
        "why": item.why,
        "hint": item.hint,
        "overlays": list(item.overlays),
        "failed_before": item.failed_before,
        "was_so": item.was_so,
        "fixable": item.fix is not None,
        "findings": [_item_finding(finding) for finding in item.told],
    }


def _item_finding(finding: ItemFinding) -> Document:
    return {
        "verdict": finding.verdict.value,
        "severity": finding.severity.value,
        "reason": finding.reason,
        "why": finding.why,
        "hint": finding.hint,
        "proven": finding.proven,
        "resources": list(finding.resources),
        "paths": list(finding.paths),
    }


def _resource(change: ResourceChange) -> Document:
    return {"resource": change.resource, "fields": [_field(field) for field in change.fields]}


def _field(field: FieldChange) -> Document:
    return {"path": field.path, "op": field.op, "before": field.before, "after": field.after}


def _update(update: VendorUpdate) -> Document:
    return {
        "name": update.vendor,
        "status": update.status,
        "from": update.before,
        "to": update.after,
        "files": {
            "added": list(update.added),
            "changed": list(update.changed),
            "removed": list(update.removed),
        },
        "edits": [
            {
                "file": edit.place.file,
                "line": edit.place.line,
                "what": edit.what,
                "before": edit.before,
                "after": edit.after,
            }
            for edit in update.edits
        ],
        "notes": list(update.notes),
        "passed_over": [_passed_over(one) for one in update.passed_over],
        "error": failure_document(update.error),
    }


__all__ = [
    "Document",
    "check_document",
    "explain_document",
    "pr_document",
    "update_document",
    "verify_document",
]
