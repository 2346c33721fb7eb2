"""A repository with a vendors.yaml, and what can be done with it: the facade that calls the commands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from upstreamsync.config import Configuration, find_configuration
from upstreamsync.project.kinds import NONE, Kinds
from upstreamsync.project.session import Progress, Session, open_session
from upstreamsync.project.settings import Settings

if TYPE_CHECKING:  # what only some commands need is imported where it is used: `check` is to start quickly
    from upstreamsync.config import Vendor
    from upstreamsync.model import Adoption, Change, Finding, PullRequest, Release, Verification
    from upstreamsync.project.changes import Changes
    from upstreamsync.project.check.lookup import Lookup
    from upstreamsync.project.check.offline import Held
    from upstreamsync.project.promote.promote import PromoteOptions, Promotions
    from upstreamsync.project.propose.propose import ProposeOptions


class Project:
    """A vendors.yaml and the tools to work with it. Close it, or use it as a context manager."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; the project may be used again."""
        self.session.close()

    @property
    def root(self) -> Path:
        """The folder of vendors.yaml; all paths are relative to it."""
        return self.session.root

    @property
    def configuration(self) -> Configuration:
        """What vendors.yaml says."""
        return self.session.configuration

    def check(self, vendors: Sequence[str] = (), *, progress: Progress | None = None) -> tuple[Finding, ...]:
        """What each vendor (or each of those named) would move to, in the order of the file.

        What was found before is found again without looking, where nothing that it depends on has changed.
        Raises UsageError for a vendor that is not declared.
        """
        from upstreamsync.project.check.check import check

        return check(self.session, vendors, progress, _held)

    def explain(self, vendor: str) -> tuple[Finding, tuple[tuple[Release, str], ...]]:
        """The finding of one vendor and what became of every version on offer."""
        from upstreamsync.project.check.check import explain_vendor

        return explain_vendor(self.session, vendor)

    def update(
        self,
        vendors: Sequence[str] = (),
        *,
        to: str | None = None,
        locked: bool = False,
        discard_edits: bool = False,
        progress: Progress | None = None,
    ) -> Changes:
        """The complete changes that bring the vendors to their targets; nothing is written yet.

        ``to`` names the version for the one vendor given. ``locked`` regenerates each base at its current
        version, and fails where the result does not equal the lock. A vendor whose base was edited by hand
        fails, unless ``discard_edits``; edits that are not committed are never replaced.
        """
        from upstreamsync.project.update.update import update

        return update(
            self.session, vendors, to=to, locked=locked, discard_edits=discard_edits, progress=progress
        )

    def adopt(self, vendors: Sequence[str] = (), *, version: str | None = None) -> tuple[Adoption, ...]:
        """What makes pristine bases and patches of copies that were edited by hand; nothing is written yet.

        Without names: of all whose base is not what its lock says, or has none. ``version`` says for the one
        vendor given which version its copy was made from. Raises UsageError for an unknown vendor.
        """
        from upstreamsync.project.adopt.adopt import adopt

        return adopt(self.session, vendors, version=version)

    def adopt_folder(self, folder: str, origin: str, *, version: str | None = None) -> Adoption:
        """As ``adopt``, of a folder that no vendor declares; the change has its entry, too.

        ``origin`` is the address of a file, ``REPOSITORY#CHART``, ``oci://…/CHART`` or ``GIT//PATH``.
        Raises UsageError for one that can't be understood.
        """
        from upstreamsync.project.adopt.adopt import adopt_folder

        return adopt_folder(self.session, folder, origin, version=version)

    def move(self, vendor: str, path: str) -> Change:
        """What brings a vendor's base to another folder; ``write`` it. Raises UsageError and HandEdited."""
        from upstreamsync.project.relocate.move import move

        return move(self.session, vendor, path)

    def remove(self, vendor: str, *, keep_files: bool = False, discard_edits: bool = False) -> Change:
        """What takes a vendor away, also one that is no longer declared; ``write`` it.

        Raises UsageError for an unknown one, HandEdited for edited files unless ``discard_edits``.
        """
        from upstreamsync.project.relocate.remove import remove

        return remove(self.session, vendor, keep_files=keep_files, discard_edits=discard_edits)

    def write(self, *changes: Change) -> None:
        """Write changes: all of them, or nothing. Raises RepositoryError; then all is as it was."""
        from upstreamsync.base.write import write

        if changes:
            write(changes, self.root)

    def verify(
        self, changes: Changes | None = None, *, overlays: Sequence[str] = (), since: str = "HEAD"
    ) -> Verification:
        """Judge every local customization.

        With ``changes``: the working tree against the working tree with them. Without: the revision
        ``since`` against the working tree. Also says whether each base equals its lock.
        """
        from upstreamsync.project.verify.verification import verify_change, verify_working_tree

        if changes is not None:
            return verify_change(self.session, changes.files, changes.changes, overlays=overlays)
        return verify_working_tree(self.session, since=since, overlays=overlays)

    def propose(
        self,
        changes: Changes,
        report: Verification | None = None,
        options: ProposeOptions | None = None,
    ) -> tuple[PullRequest, ...]:
        """Open or refresh a pull request for each change (or group); see ``forge`` for its rules.

        ``report`` is what ``verify(changes)`` said; it is made anew, vendor by vendor, where it is None.
        """
        from upstreamsync.project.propose.propose import propose

        return propose(self.session, changes, report, options)

    def promote(self, options: PromoteOptions | None = None) -> Promotions:
        """Keep a pull request open for each promotion that vendors.yaml declares, or for the one that is named.

        Nothing is ever merged. Raises UsageError where none is named or declared.
        """
        from upstreamsync.project.promote.promote import promote

        return promote(self.session, options)


def _held(session: Session, vendor: Vendor, lookup: Lookup) -> Held:
    """The base of a vendor without a lock, held against the version that is declared."""
    from upstreamsync.project.update.step import first_contact

    return first_contact(session, vendor, lookup)


def open_project(
    path: str | os.PathLike[str] = ".",
    *,
    config: Path | None = None,
    settings: Settings | None = None,
    kinds: Kinds = NONE,
) -> Project:
    """Open the repository at ``path``: its vendors.yaml is found there or above, or given by ``config``.

    ``kinds`` are sources, feeds and forges of the caller's own, used from vendors.yaml by their names.
    Raises ConfigError with every problem of the file, UsageError when there is none.
    """
    file = config if config is not None else find_configuration(Path(path))
    return Project(open_session(file, settings or Settings(), kinds))
