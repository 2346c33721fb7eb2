"""Each base that is to be written builds with the real kustomize, whether an overlay stands on it or not.

What kustomize looks at in a base without a kustomization of upstream's own is who its objects are: that each
has a name, and no two are one. So it is given their names alone, which costs the same for a base of any size.
What it refuses in the rest of a file (keys given twice, YAML that is none) was refused before.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from upstreamsync.base.documents import documents_among, has_top_keys, parts
from upstreamsync.base.kustomization import NAMES, OWN_NAME, chart_folders, is_kustomization, is_ours
from upstreamsync.base.located import At, nowhere
from upstreamsync.base.validate import may_be_manifest
from upstreamsync.config import Vendor
from upstreamsync.errors import ContentError, ToolFailed, ToolMissing
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


def check_builds(vendor: Vendor, bases: Sequence[Base], tools: Toolbox, at: At = nowhere) -> None:
    """Build each base by itself. Raises ContentError with kustomize's words for one that does not build.

    Where no kustomize is installed nothing is said here: the verification that follows needs one, too. What
    is allowed to name other places (``allow``) is not built here, as that would fetch them.
    """
    closed = not any(source.allow for source in vendor.source)
    try:
        kustomize = tools.engines.kustomize()
    except ToolMissing:
        return
    for base in bases:
        files = _to_build(base, closed=closed)
        if files is None:
            continue
        key = _key(files, str(kustomize.binary))
        if tools.cache.get(_NAMESPACE, key) is not None:
            continue
        with TemporaryDirectory(prefix="upstreamsync-base-") as folder:
            write_tree(Path(folder), files)
            try:
                kustomize.build(Path(folder))
            except ToolFailed as error:
                raise _refused(base, error, folder, at) from None
        tools.cache.put(_NAMESPACE, key, b"")


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
    """The file with nothing of its objects but who they are; None for one that holds none."""
    pieces = parts(file.data)
    if not any(map(has_top_keys, pieces)):
        return None
    lines: list[str] = []
    for document in documents_among(pieces, file.path):
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


def _refused(base: Base, error: ToolFailed, folder: str, at: At) -> ContentError:
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
    return ContentError(
        f"the base {base.path} does not build by itself: {plain}", hint=hint, place=at("source")
    )
