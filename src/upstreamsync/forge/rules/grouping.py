"""Which changes travel together."""

from __future__ import annotations

from collections.abc import Iterable

from upstreamsync.config.load import Configuration
from upstreamsync.config.spec import Vendor
from upstreamsync.forge.rules.risk import is_commit, major_of
from upstreamsync.model import Change


def group_changes(
    changes: Iterable[Change], configuration: Configuration
) -> list[tuple[str, tuple[Change, ...]]]:
    """(key, changes) per proposal: the group's name, or the vendor's; in the order of vendors.yaml.

    A major step that is to be proposed apart (``separate_major``) stands alone, whatever the group; its
    key is the vendor's too. Empty changes are left out. Raises UsageError for a vendor that is not
    configured.
    """
    found: dict[tuple[str, bool], list[Change]] = {}
    order = [vendor.name for vendor in configuration.vendors]
    kept = [change for change in changes if not change.empty]
    for change in kept:
        configuration.vendor(change.vendor)
    for change in sorted(kept, key=lambda change: order.index(change.vendor)):
        vendor = configuration.vendor(change.vendor)
        alone = is_apart(change, vendor)
        key = vendor.name if alone or vendor.group is None else vendor.group
        found.setdefault((key, alone), []).append(change)
    return [(key, tuple(members)) for (key, _), members in found.items()]


def is_major(change: Change) -> bool:
    """Whether the first number of the version changes."""
    if is_commit(change.before) or is_commit(change.after):
        return False
    return change.before != change.after and major_of(change.before) != major_of(change.after)


def is_apart(change: Change, vendor: Vendor) -> bool:
    """Whether this step has a branch of its own, beside that of the vendor."""
    return is_major(change) and (vendor.follow.separate_major or vendor.pull_request.separate_major)
