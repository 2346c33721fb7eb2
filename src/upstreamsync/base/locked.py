"""The lock of a vendor, as the repository has it."""

from __future__ import annotations

from upstreamsync.base.view import View
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import RepositoryError
from upstreamsync.lock import Lock, parse


def read_lock(vendor: Vendor, view: View) -> Lock | None:
    """The vendor's lock; None where there is none yet. Raises RepositoryError for a broken one."""
    if vendor.lock_path is None:
        return None
    data = view.read(vendor.lock_path)
    if data is None:
        return None
    lock = parse(data, vendor.lock_path)
    if lock.vendor != vendor.name:
        raise RepositoryError(
            f"{vendor.lock_path} is the lock of `{lock.vendor}`, not of `{vendor.name}`",
            hint="if the vendor was renamed, rename it in the lock too; else give one of them another `lock`",
        )
    return lock
