"""Where a checkout begins, found without asking git."""

from __future__ import annotations

import os
from pathlib import Path


def checkout_of(folder: Path) -> Path:
    """The nearest folder, this one or one above it, that has a ``.git``; the folder itself where none has.

    git looks there first, and then takes a folder below it that merely looks like a repository for one, unless it
    is new enough to know ``safe.bareRepository`` (2.38). Nobody can commit a ``.git``.
    """
    folder = folder.resolve()
    return next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), folder)
