"""The judge's mechanical corrections, put together into the new text of each local file."""

from __future__ import annotations

from collections.abc import Callable

from upstreamsync.model import Verification


def fixed_files(verification: Verification, read: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """Path → new bytes of every file that a correction changes.

    Corrections of one file are made together. One that was made for another text than ``read`` gives, or
    that overlaps one before it, is left out: the next run offers it again.
    """
    from upstreamsync.verify.repair.merge import merged

    found = [finding.fix for item in verification.items for finding in item.told if finding.fix is not None]
    return merged([*found, *(item.fix for item in verification.items if item.fix is not None)], read)
