"""``kustomize``: a kustomization in a git repository, built with the real kustomize."""

from __future__ import annotations

import dataclasses
import posixpath
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from upstreamsync.errors import Refused, SelectionError, ToolFailed
from upstreamsync.kit.git.remote import GitTree
from upstreamsync.kit.kubernetes.foreign import breaches_of, refuse
from upstreamsync.kit.kubernetes.kustomizations import FILE_NAMES, Role, all_references
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.trees import write_tree
from upstreamsync.model import Artifact, ContentFile
from upstreamsync.sources import checksums
from upstreamsync.sources.git import fetch_tree
from upstreamsync.sources.job import Job, one_file

_ALONE = (
    "nothing is fetched, and nothing run, while it is built: vendor what it names separately, or use `git`"
)


def fetch(job: Job) -> Artifact:
    """Fetch the kustomization with all that it refers to, and build it."""
    checksums.refuse(job, "what it is built from is identified by its commit, which is in the lock")
    source = job.source.kustomize
    assert source is not None  # noqa: S101 (the registry calls a kind for its own sources alone)
    tree, resolved = fetch_tree(job, source.repository, source.ref)
    folder = posixpath.normpath(job.fill(source.path, "kustomize.path"))
    files = _reach(tree, folder, f"`{resolved.location}`")
    engine = job.tools.engines.kustomize()
    with tempfile.TemporaryDirectory(prefix="upstreamsync-kustomize-") as scratch:
        write_tree(Path(scratch), files)
        try:
            built = engine.build(Path(scratch, folder), root=Path(scratch))
        except ToolFailed as error:
            words = error.stderr.replace(f"{Path(scratch).resolve()}/", "").replace(f"{scratch}/", "")
            raise ToolFailed(
                f"`{folder}` of `{resolved.location}` can't be built: {words.strip()[:2000]}",
                hint="upstream's kustomization has to build by itself, without its network",
                stderr=words,
                returncode=error.returncode,
            ) from None
    resolved = dataclasses.replace(resolved, tool=f"kustomize {engine.version}")
    return Artifact(resolved=(resolved,), files=one_file(job, built))


def probe(job: Job) -> None:
    """Nothing to do: that the ref exists is how the release is known."""


@dataclass(slots=True)
class _Tree:
    """The files of a git tree, each read once."""

    tree: GitTree
    paths: frozenset[str]
    known: dict[str, ContentFile] = field(default_factory=dict)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where there is none."""
        if path not in self.paths:
            return None
        if path not in self.known:
            self.take([path])
        return self.known[path].data

    def take(self, paths: Iterable[str]) -> None:
        """Read the files, all of them at once."""
        wanted = sorted(set(paths) - self.known.keys())
        for file in self.tree.read(wanted):
            refuse_pointer(file.data, f"`{file.path}`")
            self.known[file.path] = file

    def is_folder(self, path: str) -> bool:
        """Whether a file lies below ``path``."""
        return path == "." or any(name.startswith(f"{path}/") for name in self.paths)


def _reach(tree: GitTree, start: str, where: str) -> tuple[ContentFile, ...]:
    """Every file that building the kustomization in ``start`` may read.

    Raises Refused for a kustomization that names anything else.
    """
    files = _Tree(tree, frozenset(tree.paths()))
    waiting, seen = [start], set[str]()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        anchor = _kustomization_in(files, folder, where)
        refuse(list(breaches_of(files, anchor)), where, hint=_ALONE)
        needed: list[str] = []
        for reference in all_references(files, anchor):
            target = reference.path(folder) or ""
            if target in files.paths:
                needed.append(target)
            elif reference.role is not Role.FILE and files.is_folder(target):
                waiting.append(target)
            else:
                raise Refused(
                    f"`{anchor}` of {where} refers to `{reference.text}`, which is not in its tree",
                    hint=_ALONE,
                )
        files.take(needed)
    return tuple(files.known[path] for path in sorted(files.known))


def _kustomization_in(files: _Tree, folder: str, where: str) -> str:
    """The kustomization of a folder. Raises SelectionError where there is not exactly one."""
    paths = [posixpath.normpath(f"{folder}/{name}") for name in FILE_NAMES]
    found = [path for path in paths if path in files.paths]
    if len(found) != 1:
        raise SelectionError(
            f"{where} has {'no' if not found else 'more than one'} kustomization in `{folder}`",
            hint="`path` names the folder that has a kustomization.yaml",
        )
    return found[0]
