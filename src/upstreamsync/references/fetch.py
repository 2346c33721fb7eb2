"""Remote → files, by our own clients: kustomize and helm are never asked to fetch anything."""

from __future__ import annotations

import json
import posixpath
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from upstreamsync.errors import NotFound, Refused, UpstreamsyncError
from upstreamsync.kit.constraints import parse_constraint
from upstreamsync.kit.foreign import all_strings
from upstreamsync.kit.git.remote import Git, GitTree
from upstreamsync.kit.http.inside import named_in
from upstreamsync.kit.http.oci import Oci
from upstreamsync.kit.kubernetes.charts import index_versions
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.kit.versions import parse
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import ContentFile, Release
from upstreamsync.references.permits import Permits
from upstreamsync.references.remote import ChartVersion, GitChart, GitPath, Remote, WebFile, read_resource
from upstreamsync.verify.overlays.tree import FILE_NAMES

if TYPE_CHECKING:
    from upstreamsync.config.spec import Source
    from upstreamsync.sources.job import Job

#: The largest single file that a kustomization may name.
_FILE_LIMIT = 64 * 1024 * 1024
_INDEX_LIMIT = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a remote turned out to be: ``files``, and where in them is what was named (a folder or a file)."""

    files: tuple[ContentFile, ...]
    entry: str = ""
    version: str = ""


@dataclass(slots=True)
class Fetcher:
    """Fetches each thing once, whoever asks for it and however often; safe for several threads."""

    tools: Toolbox
    local_git: Git
    _known: dict[Remote, Future[Content]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def trust(self, remotes: Iterable[Remote]) -> None:
        """Let the hosts of these lie on this machine or in its network: the user's own files name them."""
        self.tools.http.named |= named_in(" ".join(str(remote) for remote in remotes))

    def content(self, remote: Remote, permits: Permits) -> Content:
        """What is there. Raises Refused where it may not be asked for, and what fetching raises."""
        permits.check(remote)
        with self._lock:
            future = self._known.get(remote)
            if mine := future is None:
                future = self._known[remote] = Future()
        if mine:
            try:
                future.set_result(self._fetch(remote))
            except UpstreamsyncError as error:
                future.set_exception(error)
            except BaseException as error:
                future.set_exception(error)
                raise
        try:
            return future.result()
        except UpstreamsyncError as error:  # each caller gets an exception of its own
            raise type(error)(error.message, hint=error.hint, place=error.place) from None

    def tree(self, remote: GitPath, permits: Permits) -> GitTree:
        """A git repository's files at a ref. Raises as ``content``."""
        permits.check(remote)
        return self._tree(remote)

    def _tree(self, remote: GitPath) -> GitTree:
        git = self.local_git if "://" not in remote.repository or _is_local(remote) else self.tools.git
        return git.fetch_tree(remote.repository, remote.ref or "HEAD")

    def _fetch(self, remote: Remote) -> Content:
        if isinstance(remote, GitPath):
            return _closure(self._tree(remote), remote)
        if isinstance(remote, WebFile):
            answer = self.tools.http.get(remote.url, limit=_FILE_LIMIT)
            file = ContentFile(path=remote.name, data=answer.body)
            return Content(files=(file,), entry=remote.name)
        return self._git_chart(remote) if isinstance(remote, GitChart) else self._chart(remote)

    def _git_chart(self, remote: GitChart) -> Content:
        """The chart with what it depends on."""
        from dataclasses import replace

        from upstreamsync.config.spec import HelmSource, Source
        from upstreamsync.sources.chart_folders import from_git

        tools = replace(self.tools, git=self.local_git) if _is_local(remote) else self.tools
        spec = HelmSource(git=remote.repository, path=remote.path or ".")
        job = _job(tools, Source(helm=spec), remote.ref or "HEAD")
        return Content(files=_unpacked(from_git(job, spec).files))

    def _chart(self, remote: ChartVersion) -> Content:
        from upstreamsync.sources.chart_client import ChartClient

        version = self._exact(remote)
        client = ChartClient(tools=self.tools)
        if remote.repository.startswith("oci://"):
            found = client.from_registry(remote.repository, remote.name, _spellings(version))
        else:
            urls, digest = client.lookup(remote.repository, remote.name, _spellings(version))
            found = client.from_urls(remote.name, urls, digest)
        return Content(files=_unpacked(found.files), version=found.title.partition(" ")[2])

    def _exact(self, remote: ChartVersion) -> str:
        """The version that a range means now; what is exact stays as it is written."""
        text = remote.version.strip()
        if text and parse(text) is not None:
            return text
        if remote.repository.startswith("oci://"):
            offered = Oci(self.tools.http).tags(f"{remote.repository.rstrip('/')}/{remote.name}")
        else:
            address = f"{remote.repository.rstrip('/')}/index.yaml"
            answer = self.tools.http.get(address, limit=_INDEX_LIMIT)
            offered = index_versions(answer.body, remote.name, address)
        try:
            constraint = parse_constraint(text or "*")
        except ValueError as error:
            raise Refused(f"`{remote}`: {error}", hint="correct the version") from None
        best = None
        for one in offered:
            version = parse(one.replace("_", "+"))
            if version is not None and constraint.matches(version) and (best is None or best[0] < version):
                best = version, one
        if best is None:
            raise NotFound(f"`{remote}`: no version fits", hint="check the chart's name and version")
        return best[1]


def _spellings(version: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((version, version.removeprefix("v"), f"v{version}")))


def _is_local(remote: GitPath | GitChart) -> bool:
    return remote.repository.startswith(("file://", "/"))


def _job(tools: Toolbox, source: Source, version: str) -> Job:
    """What the fetching of charts wants to know: a vendor that stands in no file."""
    from upstreamsync.config.spec import Vendor
    from upstreamsync.sources.job import Job

    vendor = Vendor(name="chart", version=version, source=(source,))
    return Job(source=source, release=Release(version=version, ref=version), vendor=vendor, tools=tools)


def _unpacked(files: Sequence[ContentFile]) -> tuple[ContentFile, ...]:
    return tuple(file for file in files if not file.path.startswith("/"))


# -- the part of a repository that a kustomization in it reads ---------------------------------------


def _closure(tree: GitTree, remote: GitPath) -> Content:
    """Every file that building the folder may read: whatever its kustomizations mention and the tree has.

    More may be taken than is read, as every text that is a path counts; never less, however fields are
    spelled.
    """
    start = posixpath.normpath(remote.path) if remote.path else "."
    if start.startswith(("..", "/")):
        raise Refused(f"`{remote}` leads out of its repository")
    paths = frozenset(tree.paths())
    if start in paths:
        return Content(files=tree.read([start]), entry=start)
    files: dict[str, ContentFile] = {}
    waiting, seen = [start], set[str]()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        anchor = next((one for name in FILE_NAMES if (one := _join(folder, name)) in paths), None)
        if anchor is None:
            inside = sorted(one for one in paths if folder == "." or one.startswith(f"{folder}/"))
            if folder == start and remote.plain:
                return _plain_folder(tree, start, inside)
            if folder == start:
                raise NotFound(f"`{remote}` has no kustomization", hint="check the path, and the version")
            _take(tree, inside, files)
            continue
        _take(tree, [anchor], files)
        for text in _texts(files[anchor]):
            target = _join(folder, text)
            if target in paths:
                _take(tree, [target], files)
                waiting_for = _mentioned(files[target], folder, paths)
                _take(tree, waiting_for, files)
            elif target == "." or any(path.startswith(f"{target}/") for path in paths):
                waiting.append(target)
    return Content(files=tuple(files[path] for path in sorted(files)), entry=start)


def _plain_folder(tree: GitTree, folder: str, inside: Sequence[str]) -> Content:
    """A folder of manifests, with the kustomization that collects them."""
    prefix = "" if folder == "." else f"{folder}/"
    names = [path[len(prefix) :] for path in inside if path.endswith((".yaml", ".yml", ".json"))]
    direct = [name for name in names if "/" not in name]
    if not direct or any(posixpath.basename(path) == "Chart.yaml" for path in inside):
        raise NotFound(
            f"`{folder}` of the repository has no manifests", hint="check the path, and the version"
        )
    collecting = json.dumps({"resources": direct}).encode()
    files = (
        *tree.read([f"{prefix}{name}" for name in direct]),
        ContentFile(path=f"{prefix}kustomization.yaml", data=collecting),
    )
    return Content(files=files, entry=folder)


def _take(tree: GitTree, wanted: Sequence[str], files: dict[str, ContentFile]) -> None:
    missing = [path for path in wanted if path not in files]
    if missing:
        files.update((file.path, file) for file in tree.read(missing))


def _mentioned(file: ContentFile, folder: str, paths: frozenset[str]) -> list[str]:
    """What a file of a generator or transformer names in its turn; its paths are the kustomization's."""
    if len(file.data) > 100_000 or b"kind:" not in file.data:
        return []
    return [target for text in _texts(file) if (target := _join(folder, text)) in paths]


def _texts(file: ContentFile) -> Iterator[str]:
    """Every text of a YAML file that may be a path."""
    try:
        documents = manifests.load_all(file.data, name=file.path)
    except UpstreamsyncError:
        return
    for document in documents:
        yield from _strings(document)


def _strings(value: Any) -> Iterator[str]:
    for text in all_strings(value):
        if text and "\n" not in text and len(text) < 500:
            yield text
            _, equals, rest = text.partition("=")
            if equals and rest:
                yield rest


def _join(folder: str, text: str) -> str:
    return posixpath.normpath(posixpath.join(folder, text))


def nested(content: Content) -> Iterator[tuple[str, Remote]]:
    """The folders of fetched content whose kustomizations name something outside again, and what."""
    for file in content.files:
        if posixpath.basename(file.path) in FILE_NAMES:
            try:
                data = manifests.load(file.data, name=file.path)
            except UpstreamsyncError:
                continue
            for field in ("resources", "bases", "components"):
                listed = data.get(field) if isinstance(data, dict) else None
                for entry in listed if isinstance(listed, list) else ():
                    found = read_resource(entry) if isinstance(entry, str) else None
                    if found is not None:
                        yield posixpath.dirname(file.path) or ".", found
