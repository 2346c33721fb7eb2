"""Builders for what a user has: a GitOps repository, checked out, with an origin in the test world."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.yaml import syntax
from upstreamsync.testing.charts import as_bytes, read_folder
from upstreamsync.testing.git import GitRemote, git
from upstreamsync.testing.github import Repository
from upstreamsync.testing.world import World

#: Who commits in a GitOps repository unless told otherwise.
USER = "Ann Human <ann@example.com>"


def write_files(folder: Path, files: Mapping[str, str | bytes | None]) -> None:
    """Write ``files`` by their path below ``folder``; None deletes one."""
    for path, data in files.items():
        target = folder / path
        if data is None:
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(as_bytes(data))


def kustomization(**fields: Any) -> str:
    """A kustomization.yaml with these fields."""
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return str(syntax.safe_dump({**head, **fields}, sort_keys=False))


def manifest(kind: str, name: str, *, api: str = "v1", namespace: str | None = None, **fields: Any) -> str:
    """A Kubernetes object as YAML; ``fields`` stand beside its metadata."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    value = {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}
    return str(syntax.safe_dump(value, sort_keys=False))


class GitOps:
    """A user's repository: a checkout at ``path`` on branch main, its bare ``origin``, and its GitHub side.

    Without a world the origin is a folder beside the checkout and ``github`` is None.
    """

    def __init__(self, path: Path, world: World | None = None, *, name: str = "acme/gitops") -> None:
        self.path = path
        self.github: Repository | None = None
        if world is None:
            folder = path.with_name(f"{path.name}.origin.git")
            self.origin = GitRemote(folder, folder.as_uri())
        else:
            self.origin = world.git(name)
            self.github = world.github.repository(name, git=self.origin)
        path.mkdir(parents=True)
        git("init", "-q", "--initial-branch=main", cwd=path)
        git("remote", "add", "origin", self.origin.url, cwd=path)
        user, _, mail = USER.rstrip(">").partition(" <")
        git("config", "user.name", user, cwd=path)
        git("config", "user.email", mail, cwd=path)
        git("config", "commit.gpgsign", "false", cwd=path)

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files into the checkout; None deletes one."""
        write_files(self.path, files)

    def vendors(self, *vendors: Mapping[str, Any], **top: Any) -> None:
        """Write vendors.yaml with these vendors, and other fields of its top level."""
        text = syntax.safe_dump({"version": 1, **top, "vendors": list(vendors)}, sort_keys=False, width=10**6)
        self.write({"vendors.yaml": text})

    def commit(self, message: str = "Change", *, push: bool = True) -> str:
        """Commit everything in the checkout, push it to the origin, and return the commit's sha."""
        git("add", "-A", cwd=self.path)
        git("commit", "-q", "--allow-empty", "-m", message, cwd=self.path)
        if push:
            git("push", "-q", "-u", "origin", "HEAD", cwd=self.path)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        """Run git in the checkout and return what it printed."""
        return git(*words, cwd=self.path)

    def status(self) -> str:
        """``git status --porcelain`` with ignored and untracked files: empty when nothing was touched."""
        return self.git("status", "--porcelain", "--untracked-files=all", "--ignored")

    def files(self, folder: str = ".") -> dict[str, bytes]:
        """The bytes of all files below ``folder``, without git's own."""
        found = read_folder(self.path / folder)
        return {path: data for path, data in found.items() if not path.startswith(".git/")}

    def kustomize(self, overlay: str, engines: Engines | None = None) -> str:
        """Build an overlay with the real kustomize. Raises ToolFailed or ToolMissing."""
        return (engines or Engines()).kustomize().build(self.path / overlay, root=self.path).decode()
