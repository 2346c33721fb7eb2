"""What ``update`` says when nothing had to be done, drawn without rich: loading that takes a tenth of such a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Final

from upstreamsync.kit.sanitize import Guarded, visible
from upstreamsync.model import Status, VendorUpdate
from upstreamsync.report.check_text import colored

#: So many vendors that stay as they are get a line each.
STILL: Final = 5


def applies(updates: Sequence[VendorUpdate]) -> bool:
    """Whether there is nothing to say but that each vendor is as it was."""
    return all(
        one.status == "unchanged"
        and one.error is None
        and not (one.notes or one.edits)
        and (one.finding is None or one.finding.status is not Status.WITHDRAWN)
        for one in updates
    )


def write(stream: IO[str], *, updates: Sequence[VendorUpdate], verbose: bool) -> None:
    """As ``text.print_updates`` of the same; ``verbose`` names each of many."""
    out = Guarded(stream)
    if verbose or len(updates) <= STILL:
        for one in updates:
            out.write(visible(f"{one.vendor}: unchanged at {one.before}\n"))
        return
    line = f"{len(updates)} vendors are unchanged (-v names them)"
    out.write(f"\x1b[2m{line}\x1b[0m\n" if colored(terminal=stream.isatty()) else f"{line}\n")
