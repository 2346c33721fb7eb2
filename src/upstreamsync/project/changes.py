"""What an update would do, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.model import Change, VendorUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What ``update`` would do, vendor by vendor, as a value; ``write`` puts it on disk.

    Each vendor's change stands upon the repository as it is, as if it were alone (so it can become a pull
    request of its own); ``together`` are the same changes, each upon those before it, for one working tree.
    """

    root: Path
    updates: tuple[VendorUpdate, ...]
    together: tuple[Change, ...] = ()

    @property
    def files(self) -> Mapping[str, bytes | None]:
        """Everything that would be written: path → new bytes, None for a file that goes away."""
        from upstreamsync.base.write import as_tree

        return as_tree(self.together)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes that write something, in the order of the file."""
        return tuple(one.change for one in self.updates if one.change is not None and not one.change.empty)

    def write(self) -> None:
        """Write all of it, or nothing. Raises RepositoryError; then the repository is as it was."""
        from upstreamsync.base.write import write

        if self.together:
            write(self.together, self.root)
