"""A vendor that needs no change, told without loading what makes one."""

from __future__ import annotations

from dataclasses import dataclass

from upstreamsync.base.view import View
from upstreamsync.config.load import content_digest
from upstreamsync.config.spec import Vendor
from upstreamsync.lock import Lock, changed_files
from upstreamsync.model import Status, VendorUpdate
from upstreamsync.project.check.lookup import Lookup
from upstreamsync.project.session import Session
from upstreamsync.project.update.outcomes import failed_update, unchanged_update


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller asks for: a version, the lock's own content, all vendors or named ones.

    ``discard_edits`` lets committed edits of a base be replaced; what is not committed never is.
    """

    to: str | None = None
    locked: bool = False
    named: bool = False
    discard_edits: bool = False


def settled(session: Session, vendor: Vendor, lookup: Lookup, wishes: Wishes) -> VendorUpdate | None:
    """What becomes of a vendor that failed, or is as it should be; None for one that has to be made anew."""
    finding = lookup.finding
    if finding.error is not None:
        return failed_update(vendor, finding.error)
    if wishes.named or wishes.locked or finding.status is not Status.UP_TO_DATE:
        return None
    lock = session.lock(vendor)
    return unchanged_update(vendor, finding) if _is_as_locked(vendor, lock, session.view) else None


def _is_as_locked(vendor: Vendor, lock: Lock | None, view: View) -> bool:
    """Whether the bases, if any, were made from this version and configuration, and are as they were made."""
    if lock is None:
        return not vendor.bases
    return (
        lock.version == vendor.version
        and lock.config == content_digest(vendor)
        and not changed_files(lock, view.read)
    )
