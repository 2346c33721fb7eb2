"""What has to hold between the parts of vendors.yaml, beyond the form of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from upstreamsync.config.places import Keys, Places
from upstreamsync.config.spec import Edit, Source, Vendor
from upstreamsync.config.where import folders_above, leaves
from upstreamsync.kit.constraints import parse_constraint
from upstreamsync.kit.templates import PLACEHOLDERS, group_names, placeholders
from upstreamsync.model import Problem

Vendors = Mapping[int, Vendor]
#: The place in the order of the file, the folder, and the vendor that owns it.
_Owned = tuple[int, str, str]


def cross_check(vendors: Vendors, places: Places, root: Path, *, complete: bool) -> list[Problem]:
    """Every conflict between vendors, and every vendor that is incomplete in itself.

    ``vendors`` maps a place in the file's list to the vendor; ``complete`` says that none is missing.
    """
    problems = [*_names(vendors, places), *_bases(vendors, places, root)]
    if complete:
        problems += _references(vendors, places)
    for index, vendor in vendors.items():
        path: Keys = ("vendors", index)
        problems += _completeness(vendor, places, path)
        problems += _constraints(vendor, places, path)
        problems += _templates(vendor, places, path)
        problems += _fixed_addresses(vendor, places, path)
    return problems


def _names(vendors: Vendors, places: Places) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, vendor in vendors.items():
        if vendor.name in seen:
            first = places.of_value(("vendors", seen[vendor.name], "name"))
            yield Problem(
                place=places.of_value(("vendors", index, "name")),
                message=f"a vendor `{vendor.name}` exists already",
                hint=f"the other one is at line {first.line}; give one of them another name",
            )
        seen.setdefault(vendor.name, index)


def _bases(vendors: Vendors, places: Places, root: Path) -> Iterator[Problem]:
    """Two vendors must not own one folder, or a folder inside another's; none may leave the repository."""
    at: dict[str, list[_Owned]] = {}  # what owns exactly this folder
    inside: dict[str, list[_Owned]] = {}  # what owns a folder below this one
    number = 0
    real_root = root.resolve()
    for index, vendor in vendors.items():
        for base in vendor.bases:
            place = places.of_value(("vendors", index, "base"))
            above = folders_above(base)
            near = [one for folder in (base, *above) for one in at.get(folder, ())] + inside.get(base, [])
            for _, other, owner in sorted(one for one in near if one[2] != vendor.name):
                relation = "the same base as" if base == other else "a base nested with that of"
                yield Problem(
                    place=place,
                    message=f"`{vendor.name}` has {relation} `{owner}` ({other})",
                    hint="give each vendor a folder of its own",
                )
            number += 1
            at.setdefault(base, []).append((number, base, vendor.name))
            for folder in above:
                inside.setdefault(folder, []).append((number, base, vendor.name))
            if escaped := leaves(root, real_root, base):
                yield Problem(
                    place=place,
                    message=f"`{base}` leaves the repository: `{escaped}` is a link",
                    hint="a base has to be a real folder inside the repository",
                )


def _completeness(vendor: Vendor, places: Places, path: Keys) -> Iterator[Problem]:
    place = places.of_value(path)
    if not (vendor.source or vendor.images or vendor.edits or vendor.watch):
        yield Problem(
            place=place,
            message=f"`{vendor.name}` has nothing to do",
            hint="give it a `source` and a `base`, or `edits`, `images` or `watch`",
        )
    if vendor.reference:
        yield from _reference(vendor, places, path)
    for number, source in enumerate(vendor.vendored):
        if source.base is None and vendor.base is None:
            yield Problem(
                place=places.of_value((*path, "source", number)),
                message=f"`{vendor.name}` has a source but no `base`",
                hint="name the folder that upstreamsync is to own",
            )
    driven = vendor.source or vendor.edits or vendor.watch
    if driven and vendor.version is None:
        yield Problem(
            place=place,
            message=f"`{vendor.name}` has no `version`",
            hint="write the version that is vendored now",
        )
    if (
        driven
        and vendor.releases is None
        and not any(_implies_releases(vendor, n) for n in range(len(vendor.source)))
    ):
        yield Problem(
            place=place,
            message=f"`{vendor.name}` does not say where versions come from",
            hint="add `releases`: github, github_tags, git, helm, oci, page, json or branch",
        )
    if vendor.forks and not vendor.source:
        yield Problem(
            place=places.of_value((*path, "forks")), message="`forks` need a `source` to derive from"
        )


def _reference(vendor: Vendor, places: Places, path: Keys) -> Iterator[Problem]:
    """A vendor that only moves references has no base, and says where they stand."""
    if vendor.base is not None or any(source.base is not None for source in vendor.source):
        yield Problem(
            place=places.of_value((*path, "base" if vendor.base is not None else "source")),
            message=f"`{vendor.name}` is a reference, and has a `base`",
            hint="a reference writes no base: leave one of the two out",
        )
    if not (vendor.edits or vendor.images):
        yield Problem(
            place=places.of_value((*path, "reference")),
            message=f"`{vendor.name}` is a reference, and says nowhere what moves",
            hint="add `edits`: the file and the path, pattern or image of each place that names the version",
        )


def _implies_releases(vendor: Vendor, number: int) -> bool:
    source = vendor.source[number]
    return source.helm is not None or source.git is not None or source.kustomize is not None


def _constraints(vendor: Vendor, places: Places, path: Keys) -> Iterator[Problem]:
    rules = [((*path, "follow"), vendor.follow)]
    rules += [
        ((*path, "images", number, "follow"), image.follow)
        for number, image in enumerate(vendor.images)
        if image.follow is not None
    ]
    for where, follow in rules:
        texts = [((*where, "range"), follow.range)]
        for keys, text in texts:
            if text is None:
                continue
            try:
                parse_constraint(text)
            except ValueError as error:
                yield Problem(
                    place=places.of_value(keys),
                    message=f"`range`: {error}",
                    hint="constraints are written as for Helm: >=1.2 <2, ~1.2, ^1 || ^2",
                )


def _templates(vendor: Vendor, places: Places, path: Keys) -> Iterator[Problem]:
    """Placeholders that nothing fills."""
    known = set(PLACEHOLDERS)
    if vendor.releases is not None and vendor.releases.tag is not None:
        known |= group_names(vendor.releases.tag)
    texts: list[tuple[Keys, str | None]] = []
    for number, source in enumerate(vendor.source):
        here: Keys = (*path, "source", number)
        texts += _addresses(source, here)
        if source.docs is not None:
            texts.append(((*here, "docs", "url"), source.docs.url))
        if source.helm is not None:
            texts.append(((*here, "helm", "app_version"), source.helm.app_version))
    if vendor.releases is not None:
        texts.append(((*path, "releases", "ref"), vendor.releases.ref))
    texts += [
        ((*path, "edits", number, key), text)
        for number, edit in enumerate(vendor.edits)
        for key, text in _edit_texts(edit)
    ]
    for keys, text in texts:
        for name in placeholders(text or ""):
            if name not in known:
                yield Problem(
                    place=places.of_value(keys),
                    message=f"nothing fills the placeholder {{{name}}}",
                    hint=f"known here: {', '.join('{' + one + '}' for one in sorted(known))}",
                )


def _addresses(source: Source, here: Keys) -> Iterator[tuple[Keys, str]]:
    """The addresses of files and archives, with their places."""
    if isinstance(source.url, str):
        yield (*here, "url"), source.url
    elif source.url is not None:
        for file, url in source.url.items():
            yield (*here, "url", file), url
    if source.archive is not None:
        yield (*here, "archive", "url"), source.archive.url


#: A version that is written out in an address, with the marks around it.
_WRITTEN = re.compile(r"(?<![\w.])v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?(?=[/?#&]|$)")


def _fixed_addresses(vendor: Vendor, places: Places, path: Keys) -> Iterator[Problem]:
    """Addresses of one version: each other one would be given its content.

    An address without any version (a branch's file) has whatever is newest, which may be meant.
    """
    for number, source in enumerate(vendor.vendored):
        for keys, url in _addresses(source, (*path, "source", number)):
            if any(True for _ in placeholders(url)) or (text := _version_in(url, vendor.version)) is None:
                continue
            name = "{version}" if text.startswith("v") or text == vendor.version else "{semver}"
            yield Problem(
                place=places.of_value(keys),
                message=f"{url} is the address of {text} alone: every other version would be given its content",
                hint=f"write {name} in place of {text}: {url.replace(text, name)}",
            )


def _version_in(url: str, version: str | None) -> str | None:
    """The version that an address has written out: the current one, or what can be nothing else."""
    inside = url.partition("://")[2].partition("/")[2]
    bare = (version or "").removeprefix("v")
    if re.search(r"\d", bare):
        found = re.search(rf"(?<![\w.])v?{re.escape(bare)}(?!\w|\.\d)", inside)
        if found is not None:
            return found.group()
    other = _WRITTEN.search(inside)
    return other.group() if other is not None else None


def _edit_texts(edit: Edit) -> Iterator[tuple[str, str]]:
    for key in ("tag", "digest", "name", "value"):
        text = getattr(edit, key)
        if text is not None:
            yield key, text


def _references(vendors: Vendors, places: Places) -> Iterator[Problem]:
    names = {vendor.name for vendor in vendors.values()}
    for index, vendor in vendors.items():
        for number, other in enumerate(vendor.apart_from):
            if other not in names:
                yield Problem(
                    place=places.of_value(("vendors", index, "apart_from", number)),
                    message=f"there is no vendor `{other}`",
                    hint="`apart_from` lists names of vendors of this file",
                )
