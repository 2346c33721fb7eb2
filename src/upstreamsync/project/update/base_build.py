"""Each base that is to be written builds with the real kustomize, whether an overlay stands on it or not.

What kustomize looks at in a base without a kustomization of upstream's own is who its objects are: that each
has a name, and no two are one. So it is given their names alone, which costs the same for a base of any size.
What it refuses in the rest of a file (keys given twice, YAML that is none) was refused before.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from upstreamsync.base.documents import documents_among, has_top_keys, parts
from upstreamsync.base.kustomization import NAMES, OWN_NAME, chart_folders, is_kustomization, is_ours
from upstreamsync.base.located import At, nowhere
from upstreamsync.base.validate import may_be_manifest
from upstreamsync.config import Vendor
from upstreamsync.errors import ContentError, ToolFailed, ToolMissing, UpstreamsyncError
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.kit.trees import write_tree
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Base, ContentFile

_NAMESPACE = "base-builds"
_NOISE = re.compile(
    r"^error: |accumulating resources: |accumulation err='|accumulating resources from '[^']*': "
    r"|': must build at directory: .*$",
    re.DOTALL,
)
#: A document that begins on the line of its marker.
_JOINED = re.compile(rb"---[ \t]*[^\s#][^\n]*\n?")
_TWICE = re.compile(r"already registered id: (?P<kind>[^.\s]+)\S*?/(?P<name>[^.\s\]]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseBuild:
    """What kustomize is given of one base; ``names`` are its objects, None where only it knows what they are."""

    base: str
    files: tuple[ContentFile, ...]
    names: frozenset[tuple[str, str]] | None

    def key(self, engine: str) -> str:
        """The digest of what is built, and by what."""
        return _key(self.files, engine)


def builds_of(vendor: Vendor, bases: Sequence[Base]) -> tuple[BaseBuild, ...]:
    """What has to be built of a vendor's bases.

    What is allowed to name other places (``allow``) is not built here, as that would fetch them.
    """
    closed = not any(source.allow for source in vendor.source)
    found = []
    for base in bases:
        files = _to_build(base, closed=closed)
        if files is not None:
            own = any(is_kustomization(file.path) and not is_ours(file.data) for file in base.files)
            found.append(
                BaseBuild(base=base.path, files=tuple(files), names=None if own else _names(files[:-1]))
            )
    return tuple(found)


def check_builds(vendor: Vendor, bases: Sequence[Base], tools: Toolbox, at: At = nowhere) -> None:
    """Build each base by itself. Raises ContentError with kustomize's words for one that does not build."""
    check_each(builds_of(vendor, bases), tools, at)


def check_each(
    builds: Sequence[BaseBuild], tools: Toolbox, at: At = nowhere, *, known: Collection[str] = ()
) -> None:
    """As ``check_builds``; ``known`` are the keys of those that were built already.

    Where no kustomize is installed nothing is said here: the verification that follows needs one, too.
    """
    kustomize = _kustomize(tools)
    if kustomize is None:
        return
    for build in builds:
        key = build.key(str(kustomize.binary))
        if key in known or tools.cache.get(_NAMESPACE, key) is not None:
            continue
        with TemporaryDirectory(prefix="upstreamsync-base-") as folder:
            write_tree(Path(folder), build.files)
            try:
                kustomize.build(Path(folder))
            except ToolFailed as error:
                raise _refused(build.base, error, folder, at) from None
        tools.cache.put(_NAMESPACE, key, b"")


def build_together(builds: Sequence[BaseBuild], tools: Toolbox) -> frozenset[str]:
    """The keys of those that build, found out in as few runs of kustomize as can be.

    A kustomization of several bases, none of which has an object of another's, builds when each of them does.
    Where it does not, nothing is known of any: each has to be built by itself, which says what is wrong.
    """
    kustomize = _kustomize(tools)
    if kustomize is None:
        return frozenset()
    engine = str(kustomize.binary)
    keyed = {build.key(engine): build for build in builds if build.names is not None}
    waiting = {key: build for key, build in keyed.items() if tools.cache.get(_NAMESPACE, key) is None}
    good: set[str] = set()
    for group in _apart(waiting):
        with TemporaryDirectory(prefix="upstreamsync-bases-") as folder:
            write_tree(Path(folder), list(_tree([waiting[key] for key in group])))
            try:
                kustomize.build(Path(folder))
            except UpstreamsyncError:
                continue
        for key in group:
            tools.cache.put(_NAMESPACE, key, b"")
        good.update(group)
    return frozenset(good)


def _kustomize(tools: Toolbox) -> Kustomize | None:
    try:
        return tools.engines.kustomize()
    except ToolMissing:
        return None


def _apart(builds: Mapping[str, BaseBuild]) -> list[list[str]]:
    """The keys in groups of two and more in which no object is in two of the bases."""
    groups: list[tuple[list[str], set[tuple[str, str]]]] = []
    for key, build in builds.items():
        names = build.names or frozenset()
        fitting = next((group for group in groups if group[1].isdisjoint(names)), None)
        if fitting is None:
            groups.append(([key], set(names)))
        else:
            fitting[0].append(key)
            fitting[1].update(names)
    return [group for group, _ in groups if len(group) > 1]


def _tree(group: Sequence[BaseBuild]) -> Iterator[ContentFile]:
    for number, build in enumerate(group):
        for file in build.files:
            yield ContentFile(path=f"{number}/{file.path}", data=file.data)
    text = json.dumps({"resources": [str(number) for number in range(len(group))]})
    yield ContentFile(path=OWN_NAME, data=text.encode())


def _names(files: Sequence[ContentFile]) -> frozenset[tuple[str, str]] | None:
    """Kind and name of each object, of files that have nothing else; None where there is more."""
    names = set()
    for file in files:
        for line in file.data.splitlines():
            if line == b"---":
                continue
            try:
                one = json.loads(line)
                names.add((str(one["kind"]), str(one["metadata"]["name"])))
            except (ValueError, LookupError, TypeError):
                return None
    return frozenset(names)


def _to_build(base: Base, *, closed: bool) -> list[ContentFile] | None:
    """What kustomize is given; None where there is nothing that could be built by itself.

    Among kustomizations below the top nobody knows which of the files are objects, and which are patches.
    """
    upstreams = [file for file in base.files if is_kustomization(file.path) and not is_ours(file.data)]
    if upstreams:
        own = [file for file in upstreams if file.path in NAMES]
        if not own or not closed:
            return None
        loaded = manifests.load(own[0].data, name=own[0].path)
        component = isinstance(loaded, dict) and loaded.get("kind") == "Component"
        return None if component else list(base.files)
    charts = chart_folders([file.path for file in base.files])
    files = [
        named
        for file in base.files
        if may_be_manifest(file.path, charts) and (named := _named_only(file)) is not None
    ]
    if not files:
        return None
    text = json.dumps({"resources": [file.path for file in files]})
    return [*files, ContentFile(path=OWN_NAME, data=text.encode())]


def _named_only(file: ContentFile) -> ContentFile | None:
    """The file with nothing of its objects but who they are; None for one that holds none.

    What stands in a base without a kustomization of upstream's was checked before (``base.validate``).
    """
    pieces = parts(file.data)
    if not any(map(has_top_keys, pieces)):
        return None
    lines: list[str] = []
    for document in documents_among(pieces, file.path, checked=True):
        who = document.identity
        if who is None:
            continue
        if who.kind.endswith("List") and b"items" in document.data:
            lines.append(
                _text(document.data)
            )  # items that don't stand alone: kustomize says what it makes of them
            continue
        if lines and (joined := _JOINED.match(document.data)):
            lines.append(joined[0].decode("utf-8", "replace"))  # which kustomize refuses
        name = "" if who.generate_name else who.name
        metadata = {"name": name, "generateName": who.generate_name, "namespace": who.namespace}
        facts = {"apiVersion": who.api_version, "kind": who.kind}
        kept = {key: value for key, value in facts.items() if value}
        kept["metadata"] = {key: value for key, value in metadata.items() if value}  # type: ignore[assignment]
        lines.append(f"---\n{json.dumps(kept)}\n")
    return ContentFile(path=file.path, data="".join(lines).encode())


def _text(document: bytes) -> str:
    text = document.decode("utf-8", "replace")
    return text if text.startswith("---") and text.endswith("\n") else f"---\n{text}\n"


def _key(files: Sequence[ContentFile], engine: str) -> str:
    digest = hashlib.sha256(engine.encode())
    for file in files:
        digest.update(f"\n{file.path} {len(file.data)}\n".encode())
        digest.update(file.data)
    return digest.hexdigest()


def _refused(base: str, error: ToolFailed, folder: str, at: At) -> ContentError:
    words = error.stderr.strip().replace(f"{Path(folder).resolve()}/", "").replace(f"{folder}/", "")
    plain = _NOISE.sub("", words).strip()[:500]
    hint = "compare what vendors.yaml declares with what upstream has now"
    if twice := _TWICE.search(words):
        plain = f"`{twice['kind']} {twice['name']}` is in it twice"
        hint = "leave one of them out (`select.exclude`, or the file), and tell upstream"
    elif "missing kind in object" in words or "missing Resource metadata" in words:
        plain = f"an object, or an item of a list, does not say what it is: {plain}"
        hint = "`rewrite` can give it its `apiVersion` and `kind`; tell upstream"
    elif "missing metadata.name" in words:
        plain = f"an object has no name: {plain}"
        hint = "`rewrite` can give it one (`generateName: x-` → `name: x`), or `select.exclude` leaves it out"
    return ContentError(f"the base {base} does not build by itself: {plain}", hint=hint, place=at("source"))
