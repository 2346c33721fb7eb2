"""The commit from which a session was laid out in a folder of its own: what git does to its files there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from upstreamsync.base.origins import shortened
from upstreamsync.errors import RepositoryError, ToolError
from upstreamsync.kit.git.attributes import changed_since, filters_at
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.lfs import pointed_at
from upstreamsync.model import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A commit of the user's repository; ``prefix`` is the folder of vendors.yaml in it, with its slash."""

    repository: Repository
    commit: str
    prefix: str = ""

    def filters(self, paths: Sequence[str]) -> dict[str, str]:
        """Path → filter, of those of the files to which gitattributes give one."""
        try:
            found = filters_at(self.repository, self.commit, [self.prefix + path for path in paths])
        except (RepositoryError, ToolError):
            return {}
        return {path.removeprefix(self.prefix): name for path, name in found.items()}

    def unknown_by(self, lock_path: str, files: Mapping[str, bytes]) -> str | None:
        """The filter that keeps files (path → what git stores of them) from being compared, if all that is told."""
        found = self.filters(list(files))
        if len(found) < len(files) or any(pointed_at(data) is not None for data in files.values()):
            return None
        try:
            stored = self.repository.object_ids(self.commit, [self.prefix + path for path in files])
            edited = changed_since(self.repository, self.prefix + lock_path, stored, rev=self.commit)
        except (RepositoryError, ToolError):
            return None
        return next(iter(found.values())) if not edited else None

    def noted(self, change: Change) -> Change:
        """The change, with a note where its files go through a filter that a commit of ours does not run."""
        found = self.filters([path for path, data in change.base_files.items() if data is not None])
        if not found:
            return change
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(found.values()))
        note = (
            f"{shortened(sorted(found))}: gitattributes give {'it' if len(found) == 1 else 'them'} the filter {names}, "
            "and the commit has upstream's bytes as they are, so that git shows a checkout as changed; "
            "`git add --renormalize` on the branch puts that right, or except the base (`-filter`)"
        )
        return replace(change, notes=(*change.notes, note))
