"""Git submodules that kustomizations stand on: their files at the pointer of either side.

A revision of a repository has of a submodule no more than a commit. Its files are taken from the clone
that lies in the working tree where that has the commit, else fetched as any other repository is. Neither
is done for one that only the change names.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.git.repository import Repository, Submodule
from upstreamsync.model import LeftOut
from upstreamsync.references.permits import Permits
from upstreamsync.references.remote import GitPath
from upstreamsync.verify.overlays.graph import OBJECT_FIELDS
from upstreamsync.verify.overlays.tree import Kustomization, Tree, normalize, within

if TYPE_CHECKING:
    from upstreamsync.references.fetch import Fetcher


@dataclass(slots=True)
class Submodules:
    """The submodules of two revisions of a repository, as seen from ``folder`` in it ("." or a path)."""

    repository: Repository
    since: str
    folder: str
    fetcher: Callable[[], Fetcher]
    hosts: Collection[str] = ()
    offline: bool = False
    paths: dict[str, None] = field(default_factory=dict)

    def laid(self, before: Tree, after: Tree) -> tuple[Tree, Tree]:
        """Both trees with the files of those submodules that a kustomization reaches."""
        old = self._declared(self.since)
        # The side after is the working tree: where that declares none, git need not be asked.
        new = self._declared("HEAD") if (self.repository.root / ".gitmodules").is_file() else {}
        if not old and not new:
            return before, after
        permits = Permits.of([_remote(one) for one in old.values()], self.hosts, offline=self.offline)
        wanted = {path for path in {*old, *new} if any(_reaches(tree, path) for tree in (before, after))}
        self.paths.update(dict.fromkeys(sorted(wanted)))
        files: dict[str, tuple[dict[str, bytes], dict[str, bytes]]] = {}
        missing: dict[str, LeftOut] = {}
        for path in sorted(wanted):
            try:
                files[path] = (
                    self._side(before, path, old.get(path), permits),
                    self._side(after, path, new.get(path), permits),
                )
            except UpstreamsyncError as error:
                known = path in old and path in new and old[path] == new[path]
                missing[path] = LeftOut(
                    what=path,
                    reason="not_reachable",
                    why=f"the submodule `{path}` can't be had: {error.message}",
                    known=known,
                    hint=error.hint,
                )
        sides = []
        for number, tree in enumerate((before, after)):
            added = {f"{path}/{name}": data for path in files for name, data in files[path][number].items()}
            sides.append(_completed(tree, added, missing))
        return sides[0], sides[1]

    def _side(self, tree: Tree, path: str, declared: Submodule | None, permits: Permits) -> dict[str, bytes]:
        """What one side lacks of a submodule: nothing where its files lie in the working tree."""
        if declared is None or any(tree.files(path)):
            return {}
        return self._files(declared, permits)

    def _declared(self, revision: str) -> dict[str, Submodule]:
        found = {}
        for one in self.repository.submodules(revision):
            inside = posixpath.relpath(one.path, self.folder)
            if not inside.startswith(".."):
                found[normalize(inside)] = one
        return found

    def _files(self, one: Submodule, permits: Permits) -> dict[str, bytes]:
        clone, remote = self.repository.root / one.path, _remote(one)
        if permits.knows(remote) and (clone / ".git").exists():
            inner = Repository(clone)
            if inner.has(one.commit):
                return inner.files_at(one.commit)
        permits.check(remote)
        fetcher = self.fetcher()
        fetcher.trust([remote])
        tree = fetcher.tree(remote, permits)
        return {file.path: file.data for file in tree.read(tree.regular())}


def _remote(one: Submodule) -> GitPath:
    return GitPath(repository=one.url, ref=one.commit)


def _reaches(tree: Tree, path: str) -> bool:
    """Whether a kustomization outside of the submodule names something in it."""
    return any(
        within(target, (path,))
        for folder in tree.folders()
        if not within(folder, (path,))
        for target in _named(tree, folder)
    )


def _named(tree: Tree, folder: str) -> Iterator[str]:
    kustomization = tree.kustomization(folder)
    if kustomization is not None:
        for name in OBJECT_FIELDS:
            for entry in kustomization.entries(name):
                if isinstance(entry, str) and "\n" not in entry:
                    yield kustomization.resolve(entry)


def _completed(tree: Tree, added: dict[str, bytes], missing: dict[str, LeftOut]) -> Tree:
    """A tree with files; kustomizations don't name what is missing."""
    left_out: dict[str, tuple[LeftOut, ...]] = {}
    originals: dict[str, str] = {}
    for folder in tree.folders() if missing else ():
        kustomization = tree.kustomization(folder)
        if kustomization is None or within(folder, missing):
            continue
        gone = tuple(
            missing[path] for path in missing if any(within(one, (path,)) for one in _named(tree, folder))
        )
        if gone:
            left_out[folder] = gone
            added[kustomization.file] = json.dumps(_without(kustomization, missing)).encode()
            originals[kustomization.file] = kustomization.text
    return Tree(
        tree.root,
        disk=tree.disk,
        read_before=tree.read_before,
        added=added,
        originals=originals,
        left_out=left_out,
    )


def _without(kustomization: Kustomization, missing: dict[str, LeftOut]) -> dict[str, Any]:
    data = dict(kustomization.data)
    for name in OBJECT_FIELDS:
        if name in data:
            data[name] = [
                entry
                for entry in kustomization.entries(name)
                if not (
                    isinstance(entry, str)
                    and "\n" not in entry
                    and within(kustomization.resolve(entry), missing)
                )
            ]
    data.setdefault("generatorOptions", {"disableNameSuffixHash": False})  # an empty one would be refused
    return data
