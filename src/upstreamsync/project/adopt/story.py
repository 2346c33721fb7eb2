"""What git tells of a copy: when it was taken, which states it had, and which commits changed it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from upstreamsync.adopt.comments import line_of, new_comments
from upstreamsync.adopt.customize import Patch
from upstreamsync.adopt.matching import Manifest, Pair
from upstreamsync.errors import RepositoryError, UpstreamsyncError
from upstreamsync.kit.git.history import HistoryEntry, blame, commits_of
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.kubernetes.objects import ObjectId, object_id
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.project.adopt.copy import Copy, as_built

#: So many commits of a copy are looked at.
_COMMITS = 20
_UNCOMMITTED = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The history of a copy.

    ``earlier`` are its objects after each of its commits, newest first; ``changed`` is the date of the last
    one, None where something is not committed. ``lines`` has the commit of each line, by file.
    """

    copy: Copy
    commits: tuple[HistoryEntry, ...] = ()
    earlier: tuple[Sequence[Manifest], ...] = ()
    changed: datetime | None = None
    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def head(self, version: str) -> list[str]:
        """What stands at the top of the kustomization."""
        said = [f"Customizations of a copy of {version}, made patches by `upstreamsync adopt`."]
        if self.commits:
            first = self.commits[-1]
            said.append(f"The copy was taken in {_short(first)}.")
        return said

    def remarks(self, patch: Patch, upstream: Mapping[ObjectId, str]) -> list[str]:
        """What stands above a patch: the comments that the copy had, and the commits that changed it."""
        if patch.local is None:
            return []
        part = self.copy.part_of(patch.local)
        if part is None:
            return []
        text = part.data.decode("utf-8", "replace")
        said = [str(one) for one in new_comments(text, upstream.get(object_id(patch.upstream), ""))]
        first = self.commits[-1].commit if self.commits else ""
        known = {one.commit: one for one in self.commits}
        lines = self.lines.get(part.file, ())
        found: dict[str, None] = {}
        for operation in patch.operations:
            line = line_of(text, operation.path)
            at = part.line + line if line is not None else -1
            if 0 <= at < len(lines) and lines[at] != first:
                found[lines[at]] = None
        said += [_short(known[one]) for one in found if one in known]
        return said

    def other_comments(
        self, pairs: Sequence[Pair], patches: Sequence[Patch], upstream: Mapping[ObjectId, str]
    ) -> list[str]:
        """The comments of objects without a patch, above which they would stand; each with its object."""
        patched = {object_id(one.local) for one in patches if one.local is not None}
        found: dict[str, None] = {}
        for pair in pairs:
            part = self.copy.part_of(pair.local)
            if part is not None and object_id(pair.local) not in patched:
                text = part.data.decode("utf-8", "replace")
                for one in new_comments(text, upstream.get(object_id(pair.upstream), "")):
                    found[f"{object_id(pair.local).short}: {one}"] = None
        return list(found)


def _short(entry: HistoryEntry) -> str:
    subject = entry.message.partition("\n")[0]
    return f"{entry.commit[:10]} {entry.date:%Y-%m-%d} {entry.author[0]}: {subject}"


def read_story(root: Path, copy: Copy, kustomize: Kustomize) -> Story:
    """The history of a copy; an empty one where there is no git, or no commit of it."""
    try:
        repository = Repository.open(root)
        prefix = root.resolve().relative_to(repository.root.resolve()).as_posix()
    except RepositoryError:
        return Story(copy=copy)
    above = "" if prefix == "." else f"{prefix}/"
    paths = sorted({above + part.file for part in copy.parts})
    commits = commits_of(repository.root, repository.git_folder, paths, limit=_COMMITS)
    if not commits:
        return Story(copy=copy)
    lines = {path.removeprefix(above): blame(repository.root, repository.git_folder, path) for path in paths}
    dirty = any(_UNCOMMITTED in found for found in lines.values())
    return Story(
        copy=copy,
        commits=commits,
        earlier=tuple(_objects_at(repository, one.commit, paths, kustomize) for one in commits),
        changed=None if dirty else commits[0].date,
        lines=lines,
    )


def _objects_at(
    repository: Repository, commit: str, paths: Sequence[str], kustomize: Kustomize
) -> list[Manifest]:
    try:
        return as_built(repository.read_all(commit, paths), kustomize)
    except UpstreamsyncError:
        return []
