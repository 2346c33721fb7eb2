"""``--html``: what a run has to look at for its page while it runs, and the file that is written at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.cli.paths import write_file

if TYPE_CHECKING:  # only a run with --html loads what inspects and what draws
    from upstreamsync.project.session import Session
    from upstreamsync.project.settings import Settings
    from upstreamsync.project.verify.inspect import Inspector
    from upstreamsync.report.page.values import Page


class Watcher:
    """Of one ``verify``: it is shown both trees while they are there."""

    def __init__(self) -> None:
        self._inspector: Inspector | None = None
        self._versions: tuple[tuple[str, str], ...] = ()

    def of_folder(self, settings: Settings) -> Inspector:
        """What looks at two trees of which no vendors.yaml speaks."""
        from upstreamsync.project.settings import engines
        from upstreamsync.project.verify.inspect import Inspector

        self._inspector = Inspector(settings, engines(settings, cache=settings.cache()))
        return self._inspector

    def of_project(self, session: Session) -> Inspector:
        """What looks at both trees of a project."""
        self._inspector = inspector_of(session)
        self._versions = tuple((one.name, one.version or "") for one in session.configuration.vendors)
        return self._inspector

    def write(self, file: Path, command: str) -> None:
        """Write the page of what was seen; ``command`` is how it can be seen again."""
        from upstreamsync.report.page.make import page_of_verification

        if self._inspector is not None:
            (found,) = self._inspector.found
            write_page(file, page_of_verification(found, versions=self._versions, reproduce=command))


def inspector_of(session: Session) -> Inspector:
    """What looks at both trees of a project; it knows which base is whose."""
    from upstreamsync.project.verify.inspect import Inspector

    bases = {vendor.name: vendor.bases for vendor in session.configuration.vendors}
    return Inspector(session.settings, session.tools.engines, bases)


def write_page(file: Path, page: Page) -> None:
    """Raises UsageError where the file can't be written."""
    from upstreamsync.report.page.render import render

    write_file(file, render(page))
