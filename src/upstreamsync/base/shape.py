"""From what was fetched to the pristine base layer: rewrite, strip, select, lay out. All values, no disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from upstreamsync.base import layout
from upstreamsync.base.comments import strip_comments
from upstreamsync.base.documents import Document, documents, is_yaml_name
from upstreamsync.base.kustomization import is_kustomization, own_kustomization
from upstreamsync.base.located import At, nowhere
from upstreamsync.base.paths import check_paths
from upstreamsync.base.pointers import refuse_pointers
from upstreamsync.base.rewrite import rewrite_files
from upstreamsync.base.select import select_documents
from upstreamsync.base.validate import TREES, check_content
from upstreamsync.config.spec import Source, Vendor
from upstreamsync.errors import ContentError
from upstreamsync.kit.kubernetes.foreign import FilesByPath, breaches_of, refuse
from upstreamsync.kit.templates import release_values
from upstreamsync.kit.yaml.form import is_sound
from upstreamsync.model import Artifact, Base, ContentFile, Release


def make_bases(
    vendor: Vendor,
    parts: Sequence[tuple[Source, Artifact]],
    release: Release,
    at: At = nowhere,
    *,
    sound: Callable[[bytes], bool] | None = None,
) -> tuple[Base, ...]:
    """The bases of a vendor, in the order of ``vendor.bases``; files sorted by path.

    ``parts`` are the vendor's sources, each with what it delivered. Documents keep upstream's own bytes.
    Where upstream brings no kustomization, each base gets one that lists its manifests. ``at`` gives the
    place of a declaration below the vendor (``partial(configuration.place, vendor.name)``), for errors;
    ``sound`` computes what ``kit.yaml.form.is_sound`` does.

    Raises SelectionError (a selection or rewrite matches nothing), Refused (a path that must not be
    written, a kustomization that names what did not come with it), Malformed (no YAML where YAML should
    be), or ContentError (two files for one place, a source that delivers nothing).
    """
    values = release_values(release)
    found: dict[str, dict[str, ContentFile]] = {base: {} for base in vendor.bases}
    origins: dict[str, dict[str, int]] = {base: {} for base in vendor.bases}
    sources: dict[str, list[tuple[list[ContentFile], Source, At]]] = {base: [] for base in vendor.bases}
    for number, (source, artifact) in enumerate(parts):
        base = source.base or vendor.base
        if base is None:
            raise ContentError(f"`{vendor.name}` has no base for its source {number}")
        here = partial(at, "source", number)
        shaped = shape(vendor, source, artifact, values, here)
        sources[base].append((shaped, source, here))
        for file in shaped:
            if file.path in found[base]:
                raise ContentError(
                    f"two sources of `{vendor.name}` write {base}/{file.path}",
                    hint="give one of them another `file`, or a `base` of its own",
                    place=here(),
                )
            found[base][file.path] = file
            origins[base][file.path] = number
    for path, files in found.items():
        _check_kustomizations(path, files, origins[path], parts, at)
    bases = tuple(
        _base(vendor, path, files, sources[path], sound or is_sound) for path, files in found.items()
    )
    check_paths(f"{base.path}/{file.path}" for base in bases for file in base.files)
    return bases


def _check_kustomizations(
    base: str,
    files: Mapping[str, ContentFile],
    origins: Mapping[str, int],
    parts: Sequence[tuple[Source, Artifact]],
    at: At,
) -> None:
    """Hold the kustomizations that came with the sources to the rule, as they will stand in the base."""
    tree = FilesByPath({path: file.data for path, file in files.items()})
    for path in filter(is_kustomization, sorted(files)):
        number = origins[path]
        found = breaches_of(tree, path, allow=parts[number][0].allow)
        refuse(list(found), f"what upstream brings for `{base}`", place=at("source", number))


def shape(
    vendor: Vendor, source: Source, artifact: Artifact, values: Mapping[str, str], at: At = nowhere
) -> list[ContentFile]:
    """The files of one source, by the steps that it declares. Raises as ``make_bases``."""
    files: Sequence[ContentFile] = artifact.files
    if not files:
        raise ContentError(f"a source of `{vendor.name}` ({source.kind}) delivered no files", place=at())
    try:
        refuse_pointers(files, tree=source.kind in TREES)
    except ContentError as error:
        error.place = at()
        raise
    files = rewrite_files(files, source.rewrite, values, partial(at, "rewrite"))
    if source.strip_comments:
        files = [_stripped(file) for file in files]
    arranged = _arranged(vendor, source, files, at)
    check_paths(file.path for file in arranged)
    if not any(file.data.strip() for file in arranged):
        raise ContentError(
            f"nothing is left of what a source of `{vendor.name}` ({source.kind}) delivered",
            hint="upstream may have emptied or moved it",
            place=at(),
        )
    return arranged


def _arranged(vendor: Vendor, source: Source, files: Sequence[ContentFile], at: At) -> list[ContentFile]:
    kind = source.layout or vendor.layout
    if kind == "as-is" and source.select is None:
        return _renamed(vendor, source, files, at)
    others = [file for file in files if not is_yaml_name(file.path)]
    chosen = _documents([file for file in files if is_yaml_name(file.path)])
    if source.select is not None:
        chosen = select_documents(chosen, source.select, partial(at, "select"))
    if kind == "one-file":
        return [layout.one_file(chosen, source.file or f"{vendor.name}.yaml"), *others]
    if kind == "per-resource":
        return [*layout.per_resource(chosen), *others]
    return [*_renamed(vendor, source, layout.as_is(files, chosen), at), *others]


def _documents(files: Sequence[ContentFile]) -> list[Document]:
    return [document for file in files for document in documents(file.path, file.data)]


def _renamed(vendor: Vendor, source: Source, files: Sequence[ContentFile], at: At) -> list[ContentFile]:
    """The one file under the name that ``file`` gives it."""
    if source.file is None or [file.path for file in files] == [source.file]:
        return list(files)
    if len(files) != 1:
        raise ContentError(
            f"`file: {source.file}` of `{vendor.name}` names one file, and there are {len(files)}",
            hint="use `layout: one-file` to join them, or leave `file` away",
            place=at("file"),
        )
    return [ContentFile(path=source.file, data=files[0].data, executable=files[0].executable)]


def _stripped(file: ContentFile) -> ContentFile:
    if not is_yaml_name(file.path):
        return file
    return ContentFile(path=file.path, data=strip_comments(file.data, file.path), executable=file.executable)


def _base(
    vendor: Vendor,
    path: str,
    files: Mapping[str, ContentFile],
    sources: Sequence[tuple[Sequence[ContentFile], Source, At]],
    sound: Callable[[bytes], bool],
) -> Base:
    content = list(files.values())
    paths = [file.path for file in content]
    listed: set[str] = set()
    for shaped, source, at in sources:
        listed |= check_content(
            shaped,
            beside=paths,
            tree=source.kind in TREES,
            declared=source.brings_manifests,
            place=at(),
            sound=sound,
        )
    own = own_kustomization(content, listed) if vendor.kustomization is not False else None
    if own is not None:
        content.append(own)
    return Base(vendor=vendor.name, path=path, files=tuple(sorted(content, key=lambda file: file.path)))
