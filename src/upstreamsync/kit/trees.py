"""Writing fetched files into a temporary folder, for a program to read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.errors import Refused
from upstreamsync.kit.paths import check_relative

if TYPE_CHECKING:
    from upstreamsync.model import ContentFile


def write_tree(folder: Path, files: Iterable[ContentFile]) -> None:
    """Write ``files`` below ``folder``. Raises Refused for a name that would leave it."""
    for file in files:
        path = folder / check_relative(file.path, origin="what was fetched")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as opened:
                opened.write(file.data)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise Refused(
                f"what was fetched has `{file.path}` twice, or both as a file and as a folder",
                hint="nothing was kept; report this to those who published it",
            ) from None
        if file.executable:
            path.chmod(0o755)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """The file under another name; a copy where links can't be, as between two disks."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
