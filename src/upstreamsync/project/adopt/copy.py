"""What is there: the files of a copy, their objects, and what kustomize builds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from upstreamsync.adopt.matching import Manifest, kind_and_name
from upstreamsync.base.documents import Identity, documents, is_manifest, is_yaml_name
from upstreamsync.base.kustomization import NAMES, is_ours, own_kustomization
from upstreamsync.base.view import View
from upstreamsync.errors import HandEdited, ToolFailed, UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import ObjectId, object_id
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.plain import plain_object
from upstreamsync.model import Base, ContentFile

#: Fields of a kustomization that only list what there is.
_LISTING = frozenset(("apiVersion", "kind", "metadata", "resources"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One document of the copy: its file, its own bytes, the line (from 0) where it begins, and its name.

    The name is the one that is written: to kustomize a plain ``n`` or ``on`` is a text, and no truth value.
    """

    file: str
    data: bytes
    line: int
    name: ObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A folder with a copy of upstream's manifests.

    ``files`` maps every path below ``folder`` (from the folder of vendors.yaml) to its bytes. ``kustomization``
    is the path of the team's own kustomization in it, None where there is none, or one of ours.
    ``fields`` is what that one says; ``parts`` are the documents that are objects. ``named`` are the files of a
    copy that is no folder yet (a fork); others name them, and ``folder`` is where they will lie.
    """

    folder: str
    files: Mapping[str, bytes]
    kustomization: str | None
    fields: Mapping[str, Any]
    parts: tuple[Part, ...]
    named: tuple[str, ...] = ()

    @property
    def only_lists(self) -> bool:
        """Whether its kustomization does nothing but to list files of the folder."""
        return self.fields.keys() <= _LISTING and all(
            isinstance(one, str) and f"{self.folder}/{one.removeprefix('./')}" in self.files
            for one in self.fields.get("resources") or ()
        )

    def part_of(self, manifest: Manifest) -> Part | None:
        """The document that an object of the build comes from."""
        name = object_id(manifest)
        for same in (lambda one: one == name, lambda one: kind_and_name(one) == kind_and_name(name)):
            for part in self.parts:
                if same(part.name):
                    return part
        return None


def read_copy(folder: str, view: View) -> Copy:
    """Read a folder. Raises HandEdited when there is nothing to adopt in it, or it can't be read."""
    found = {path: data for path in view.listing(folder) if (data := view.read(path)) is not None}
    named = [f"{folder}/{name}" for name in NAMES if f"{folder}/{name}" in found]
    kustomization = next((path for path in named if not is_ours(found[path])), None)
    fields: Mapping[str, Any] = {}
    if kustomization is not None:
        loaded = manifests.load(found[kustomization], name=kustomization)
        fields = loaded if isinstance(loaded, dict) else {}
    parts = tuple(part for path in found if path not in named for part in parts_of(path, found[path]))
    if not parts:
        _refuse_unreadable(found)
        raise HandEdited(f"`{folder}` holds no Kubernetes objects", hint="name the folder of the copy")
    return Copy(folder=folder, files=found, kustomization=kustomization, fields=fields, parts=parts)


def _refuse_unreadable(files: Mapping[str, bytes]) -> None:
    for path in filter(is_yaml_name, files):
        try:
            manifests.objects(files[path], name=path)
        except UpstreamsyncError as error:
            raise HandEdited(error.message, hint="make it valid YAML first", place=error.place) from None


def parts_of(path: str, data: bytes) -> list[Part]:
    """The objects of a file with their documents; none of a file that is no YAML."""
    if not path.endswith((".yaml", ".yml", ".json")):
        return []
    found: list[Part] = []
    line = 0
    try:
        for document in documents(path, data):
            if document.identity is not None and document.identity.kind:
                manifests.load_all(document.data, name=path)  # to the end, and not its first lines alone
                found.append(
                    Part(file=path, data=document.data, line=line, name=_object_id(document.identity))
                )
            line += document.data.count(b"\n")
    except UpstreamsyncError:
        return []
    return found


def _object_id(identity: Identity) -> ObjectId:
    version = identity.api_version.rpartition("/")[2]
    name = identity.generate_name or identity.name
    return ObjectId(identity.group, version, identity.kind, identity.namespace, name)


def text_beside(path: str, data: bytes) -> str:
    """What a file of manifests has besides its objects: documents of comments alone."""
    try:
        beside = [one.data for one in documents(path, data) if one.identity is None]
    except UpstreamsyncError:
        return ""
    return b"\n".join(beside).decode("utf-8", "replace")


def build_files(files: Mapping[str, bytes], kustomize: Kustomize, inside: str = "") -> list[dict[str, Any]]:
    """The objects that kustomize builds of a folder given as files; of the folder ``inside`` in it."""
    with TemporaryDirectory(prefix="upstreamsync-adopt-") as folder:
        root = Path(folder)
        for path, data in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return manifests.objects(kustomize.build(root / inside, root=root), name="the build")


def objects_of(folder: str, files: Mapping[str, bytes], kustomize: Kustomize) -> list[dict[str, Any]]:
    """What a folder builds; one without a kustomization builds all manifests in it.

    Raises HandEdited with kustomize's words for a folder that does not build.
    """
    inner = {path.removeprefix(f"{folder}/"): data for path, data in files.items()}
    try:
        if not any(name in inner for name in NAMES):
            return _built_as_listed(inner, kustomize, folder)
        return build_files(inner, kustomize)
    except ToolFailed as error:
        raise HandEdited(
            f"`{folder}` does not build as it is: {error.stderr.strip() or error.message}",
            hint="make it build first: what it builds is what has to come out again",
        ) from None


def _built_as_listed(
    files: Mapping[str, bytes], kustomize: Kustomize, folder: str = "."
) -> list[dict[str, Any]]:
    """What files without a kustomization build: all manifests among them."""
    listed = [path for path, data in files.items() if _is_manifest(path, data)]
    own = own_kustomization([ContentFile(path=path, data=files[path]) for path in listed], listed)
    if own is None:
        raise HandEdited(
            f"`{folder}` holds nothing that kustomize can build", hint="name the folder of the copy"
        )
    return build_files({**files, own.path: own.data}, kustomize)


def _is_manifest(path: str, data: bytes) -> bool:
    try:
        return is_manifest(path, data)
    except UpstreamsyncError:
        return False


def base_objects(bases: Sequence[Base], kustomize: Kustomize) -> list[Manifest]:
    """The objects of a pristine base: built where upstream brings a kustomization, else as they stand."""
    (base,) = bases
    files = {file.path: file.data for file in base.files}
    brought = any(name in files and not is_ours(files[name]) for name in NAMES)
    if brought:
        return list(build_files(files, kustomize))
    return as_built(
        {path: data for path, data in files.items() if is_yaml_name(path) and path not in NAMES}, kustomize
    )


def as_built(files: Mapping[str, bytes], kustomize: Kustomize) -> list[Manifest]:
    """The objects of files, with the values that a build gives them: what a copy builds is held against these.

    kustomize reads a plain ``yes`` as a text and a date as a moment. It is asked only where a document has
    something of the kind; what it refuses (an object that stands there twice) is read as it is written.
    """
    found: list[Manifest] = []
    for path, data in files.items():
        for document in documents(path, data):
            if document.identity is None or not document.identity.kind:
                continue
            plain = plain_object(document.data)
            if plain is None:
                try:
                    return list(_built_as_listed(files, kustomize))
                except (HandEdited, ToolFailed):
                    return _as_written(files)
            found.append(plain)
    return found


def _as_written(files: Mapping[str, bytes]) -> list[Manifest]:
    return [
        one for path, data in files.items() for one in manifests.objects(data, name=path) if one.get("kind")
    ]


def texts_of(bases: Sequence[Base]) -> dict[ObjectId, str]:
    """Upstream's own text of each object of a base, as far as it stands in a file."""
    return {
        part.name: part.data.decode("utf-8", "replace")
        for base in bases
        for file in base.files
        for part in parts_of(file.path, file.data)
    }
