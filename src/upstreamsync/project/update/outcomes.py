"""What became of each vendor of an update, as values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from upstreamsync.config.spec import Vendor
from upstreamsync.model import Change, Failure, Finding, PassedOver, VendorUpdate


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
        status="unchanged" if change.empty else "added" if change.first else "updated",
        before=change.before or finding.current,
        after=change.after or finding.current,
        added=tuple(sorted(added)),
        changed=tuple(sorted(files.keys() - added - removed)),
        removed=tuple(sorted(removed)),
        edits=change.edits,
        notes=change.notes,
        passed_over=(*missing, *finding.passed_over),
        change=change,
        finding=finding,
    )
