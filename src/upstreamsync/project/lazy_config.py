"""A vendors.yaml that is not read yet: what `check` can say without reading it is said without."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from upstreamsync.config.where import find_configuration, shown_path
from upstreamsync.project.check.unchanged import still_valid_without_configuration
from upstreamsync.project.connections import Connections
from upstreamsync.project.settings import Settings

if TYPE_CHECKING:
    from upstreamsync.model import Finding
    from upstreamsync.project.project import Project


class LazyProject:
    """The repository at ``path``; the Project that it becomes asks through the same connections.

    Close it, or use it as a context manager. Raises UsageError when there is no vendors.yaml.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = ".",
        *,
        config: Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.path = config if config is not None else find_configuration(Path(path))
        self._settings = settings or Settings()
        self._connections = Connections(self._settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connections.close()

    @property
    def file(self) -> str:
        """The vendors.yaml as it is named to people."""
        return shown_path(self.path)

    def unchanged(self, vendors: Sequence[str] = ()) -> tuple[Finding, ...] | None:
        """What ``Project.check`` would say, where all of it stands since an earlier run; else None."""
        return still_valid_without_configuration(self.path, vendors, self._connections)

    def project(self) -> Project:
        """Read the configuration. Raises ConfigError and UsageError."""
        from upstreamsync.config.load import load_configuration
        from upstreamsync.project.project import Project
        from upstreamsync.project.session import Session

        configuration = load_configuration(self.path)
        return Project(Session(configuration, self._settings, connections=self._connections))
