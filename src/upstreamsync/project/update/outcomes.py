"""What became of each vendor of an update, as values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from upstreamsync.config.spec import Vendor
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.redact import redact
from upstreamsync.model import Change, Failure, Finding, PassedOver, VendorUpdate

T = TypeVar("T")


def failed_update(vendor: Vendor, failure: Failure) -> VendorUpdate:
    """The vendor stays where it is."""
    current = vendor.version or ""
    return VendorUpdate(vendor=vendor.name, status="failed", before=current, after=current, error=failure)


def unchanged_update(vendor: Vendor, finding: Finding) -> VendorUpdate:
    """Nothing to do, and nothing was fetched to find that out."""
    current = finding.current
    return VendorUpdate(
        vendor=vendor.name,
        status="unchanged",
        before=current,
        after=current,
        passed_over=finding.passed_over,
        finding=finding,
    )


def completed_update(
    vendor: Vendor,
    finding: Finding,
    change: Change,
    missing: Sequence[PassedOver],
    read: Callable[[str], bytes | None],
) -> VendorUpdate:
    """A change and its files, told apart by what is there now; ``missing`` are releases without files."""
    files = change.files
    removed = {path for path, data in files.items() if data is None}
    added = {path for path in files if path not in removed and read(path) is None}
    return VendorUpdate(
        vendor=vendor.name,
        status="unchanged" if change.empty else "updated",
        before=change.before,
        after=change.after,
        added=tuple(sorted(added)),
        changed=tuple(sorted(files.keys() - added - removed)),
        removed=tuple(sorted(removed)),
        edits=change.edits,
        notes=change.notes,
        passed_over=(*missing, *finding.passed_over),
        change=change,
        finding=finding,
    )


def guarded(function: Callable[[], T], *, but: tuple[type[UpstreamsyncError], ...] = ()) -> T | Failure:
    """Run it; an error of ours, ``but`` for some, becomes a value; anything else is a bug and stays one."""
    try:
        return function()
    except but:
        raise
    except UpstreamsyncError as error:
        hint = redact(error.hint) if error.hint else None
        return Failure(kind=error.kind, message=redact(str(error)), hint=hint)
