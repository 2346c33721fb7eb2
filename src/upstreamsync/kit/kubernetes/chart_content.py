"""A chart as something that helm can be handed: its files, or its archive, looked through beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.kit.trees import write_tree

if TYPE_CHECKING:
    from upstreamsync.model import ContentFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartReference:
    """A chart in a repository, ``https://…`` or ``oci://…``, at one version."""

    repository: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} of {self.repository}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartContent:
    """A chart that was fetched and checked.

    ``files`` are relative to it, ``archive`` is what they came in (None: a folder), ``digest`` stands for all
    of its content, and ``title`` is its name and version for people.
    """

    title: str
    digest: str
    files: tuple[ContentFile, ...]
    archive: bytes | None = None

    def write(self, folder: Path) -> Path:
        """What helm is to read, written into ``folder``; see ``write_chart``."""
        return write_chart(folder, self.files, self.archive, self.title)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the chart; None where there is none."""
        return next((file.data for file in self.files if file.path == path), None)


def write_chart(folder: Path, files: Iterable[ContentFile], archive: bytes | None, title: str) -> Path:
    """The chart as helm is to read it: the archive itself, or the folder, where .helmignore counts.

    A schema of values that refers outside of the chart is left out: helm would fetch what it names.
    """
    from upstreamsync.kit.kubernetes.chart_schemas import archive_without_foreign, without_foreign

    kept, left_out = without_foreign(files)
    if archive is None:
        path = folder / "chart"
        write_tree(path, kept)
        return path
    path = folder / "chart.tgz"
    path.write_bytes(archive_without_foreign(archive, title) if left_out else archive)
    return path
