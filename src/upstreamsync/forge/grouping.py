"""Which changes travel together."""

from __future__ import annotations

from collections.abc import Iterable

from upstreamsync.config.load import Configuration
from upstreamsync.model import Change


def group_changes(
    changes: Iterable[Change], configuration: Configuration
) -> list[tuple[str, tuple[Change, ...]]]:
    """(key, changes) per proposal: the group's name, or the vendor's; in the order of vendors.yaml.

    Empty changes are left out. Raises UsageError for a change of a vendor that is not configured.
    """
    found: dict[str, list[Change]] = {}
    order = [vendor.name for vendor in configuration.vendors]
    kept = [change for change in changes if not change.empty]
    for change in kept:
        configuration.vendor(change.vendor)
    for change in sorted(kept, key=lambda change: order.index(change.vendor)):
        group = configuration.vendor(change.vendor).group
        found.setdefault(group or change.vendor, []).append(change)
    return [(key, tuple(members)) for key, members in found.items()]
