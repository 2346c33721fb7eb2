"""Charts that are folders of a git repository, completed with what their Chart.yaml depends on.

Charts in git mostly leave their dependencies out; `helm dependency build` would fetch them, unverified.
Here the versions are those of Chart.lock, and each archive is held against its repository's digest.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from upstreamsync.errors import NotFound, Refused, SelectionError, UsageError
from upstreamsync.kit.git.remote import GitTree
from upstreamsync.kit.kubernetes.charts import Dependency, dependencies, refuse_pointers
from upstreamsync.kit.redact import redact
from upstreamsync.model import ContentFile, Resolved
from upstreamsync.sources import checksums
from upstreamsync.sources.chart_client import Chart, ChartClient, title
from upstreamsync.sources.git import fetch_tree
from upstreamsync.sources.job import Job, files_digest

if TYPE_CHECKING:
    from upstreamsync.config.spec import HelmSource

_DEPTH = 5


@dataclass(slots=True)
class _Folder:
    """A chart's folder while it is being completed; ``resolved`` collects what was fetched for it."""

    job: Job
    tree: GitTree
    where: str
    resolved: list[Resolved] = field(default_factory=list)

    def chart(self, path: str, depth: int = _DEPTH) -> dict[str, ContentFile]:
        """The chart's files by their path in it, dependencies included."""
        if depth == 0:
            raise Refused(f"charts of {self.where} depend on one another without end")
        prefix = f"{path}/" if path else ""
        inside = [one for one in self.tree.paths() if one.startswith(prefix)]
        if f"{prefix}Chart.yaml" not in inside:
            raise NotFound(
                f"{self.where} has no chart in `{path or '.'}`",
                hint="`path` names the folder with Chart.yaml",
            )
        files = {
            file.path[len(prefix) :]: replace(file, path=file.path[len(prefix) :])
            for file in self.tree.read(inside)
        }
        where = f"`{path or '.'}` of {self.where}"
        refuse_pointers({name: file.data for name, file in files.items()}, where)
        for one in dependencies({name: file.data for name, file in files.items()}, where):
            if not _present(one, files):
                for file in self._dependency(one, path, where, depth):
                    files[file.path] = file
        return files

    def _dependency(self, one: Dependency, path: str, where: str, depth: int) -> list[ContentFile]:
        """The files that a missing dependency becomes, below ``charts/``."""
        if one.repository.startswith("file://"):
            target = posixpath.normpath(posixpath.join(path, one.repository.removeprefix("file://")))
            if target.startswith(("..", "/")):
                raise Refused(f"{where} depends on `{one.repository}`, which is outside of its repository")
            inner = self.chart("" if target == "." else target, depth - 1)
            return [replace(file, path=f"charts/{one.name}/{name}") for name, file in inner.items()]
        if not one.repository.startswith(("https://", "http://", "oci://")):
            raise SelectionError(
                f"{where} depends on `{one.name}` {one.version}, which is neither in its charts/ folder nor "
                f"at an address (`{one.repository}`)",
                hint="use the chart as upstream publishes it, packed: `repository` and `chart`",
            )
        if one.exact is None:
            raise SelectionError(
                f"{where} depends on `{one.name}` {one.version} of `{redact(one.repository)}`, "
                "and has no Chart.lock that says which version that is",
                hint="use the chart as upstream publishes it, packed: `repository` and `chart`",
            )
        # `checksum:` is promised for the chart itself, not for its dependencies.
        job = replace(self.job, source=self.job.source.model_copy(update={"checksum": None}))
        client = ChartClient(tools=job.tools, promised=partial(checksums.verify, job))
        if one.repository.startswith("oci://"):
            found = client.from_registry(one.repository, one.name, (one.exact,))
        else:
            versions = (one.exact, f"v{one.exact}", one.exact.removeprefix("v"))
            found = client.from_urls(one.name, *client.lookup(one.repository, one.name, versions))
        self.resolved += found.resolved
        assert found.archive is not None  # noqa: S101 (repositories and registries give archives)
        return [ContentFile(path=f"charts/{one.name}-{one.exact}.tgz", data=found.archive)]


def from_git(job: Job, spec: HelmSource) -> Chart:
    """The chart in ``spec.path`` at the release's ref, complete.

    Raises NotFound, SelectionError for a dependency that can't be had, and what fetching raises.
    """
    assert spec.git is not None  # noqa: S101 (checked by the caller)
    checksums.refuse(job, "a chart in git is identified by its commit, which is in the lock")
    if spec.keyring is not None:
        raise UsageError("a chart in git has no provenance file", hint="remove `keyring`")
    tree, resolved = fetch_tree(job, spec.git, None)
    folder = _Folder(job=job, tree=tree, where=f"`{resolved.location}`")
    path = posixpath.normpath(job.fill(spec.path or ".", "helm.path"))
    files = folder.chart("" if path == "." else path)
    content = tuple(files[name] for name in sorted(files))
    name = title(content, folder.where)
    return Chart(
        name=name.partition(" ")[0],
        files=content,
        digest=files_digest(content),
        resolved=(resolved, *folder.resolved),
        title=name,
    )


def _present(one: Dependency, files: dict[str, ContentFile]) -> bool:
    """Whether the charts/ folder has the dependency, unpacked or packed."""
    packed = f"charts/{one.name}-"
    return f"charts/{one.name}/Chart.yaml" in files or any(
        name.startswith(packed) and name.endswith(".tgz") and name[len(packed) : len(packed) + 1].isdigit()
        for name in files
    )
