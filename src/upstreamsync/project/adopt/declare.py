"""``adopt FOLDER --from …``: the entry of vendors.yaml that a folder without one gets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from upstreamsync.adopt.texts import dump
from upstreamsync.config.load import content_digest
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import ContentError, UsageError
from upstreamsync.kit.yaml import edit, manifests
from upstreamsync.project.adopt.chart_values import with_values
from upstreamsync.project.session import Session

_VERSION = re.compile(r"v?\d+\.\d+(?:\.\d+)?(?:[-+][0-9A-Za-z.-]+)?")
_FORMS = (
    "a file (https://github.com/OWNER/REPO/releases/download/v1.2.3/install.yaml), a chart "
    "(https://charts.example.com#CHART or oci://host/path/CHART), or a folder of a git repository "
    "(https://host/owner/repo.git//path)"
)
#: What stands in the new entry until the version is found.
UNKNOWN = "v0"


def refuse_folder(session: Session, name: str) -> None:
    """Raise UsageError, with what is missing, where a folder stands in place of a vendor's name."""
    vendors = session.configuration.vendors
    if (
        any(vendor.name == name for vendor in vendors)
        or not (session.configuration.path.parent / name).is_dir()
    ):
        return
    folder = name.strip("/").removeprefix("./")
    owners = [vendor.name for vendor in vendors if folder in vendor.bases]
    if owners:
        raise UsageError(f"`{name}` is the base of `{owners[0]}`", hint=f"upstreamsync adopt {owners[0]}")
    raise UsageError(
        f"no vendor declares the folder `{name}`",
        hint=f"say where it came from: upstreamsync adopt {name} --from ORIGIN",
    )


def declared(session: Session, folder: str, origin: str) -> tuple[Session, str]:
    """The session with an entry for ``folder``, and the name of the new vendor.

    Raises UsageError for an origin that can't be understood, ContentError where vendors.yaml can't take it.
    """
    configuration = session.configuration
    source = source_of(origin)
    name = name_for(folder, [vendor.name for vendor in configuration.vendors])
    entry = {"name": name, "version": UNKNOWN, **source, "base": folder}
    text = with_entry(configuration.text, entry, configuration.path.name)
    return session.with_text(text), name


def with_entry(text: str, entry: Mapping[str, Any], file: str) -> str:
    """``text`` of a vendors.yaml with one more vendor at its end."""
    lines = dump([dict(entry)]).decode().splitlines(keepends=True)
    indent = "  "
    if match := re.search(r"^vendors:[ \t]*(?:\[\][ \t]*)?(?:#.*)?$", text, re.MULTILINE):
        if found := re.search(r"^([ \t]*)- ", text[match.end() :], re.MULTILINE):
            indent = found[1]
        head = re.sub(r"^(vendors:)[ \t]*\[\]", r"\1", text, flags=re.MULTILINE).rstrip("\n")
        return head + "\n" + "".join(indent + line for line in lines)
    raise ContentError(
        f"{file} can't take another vendor line by line", hint="write its `vendors:` as a list"
    )


def name_for(folder: str, taken: list[str]) -> str:
    """A name for the vendor of a folder that is not taken."""
    parts = [part for part in folder.split("/") if part not in ("base", "upstream", "manifests", "deploy")]
    name = re.sub(r"[^a-z0-9-]+", "-", (parts or [folder])[-1].lower()).strip("-") or "vendor"
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def source_of(origin: str) -> dict[str, Any]:
    """``source`` and, where nothing implies it, ``releases`` of an origin. Raises UsageError."""
    if "#" in origin:
        repository, _, chart = origin.partition("#")
        return {"source": {"helm": {"repository": repository, "chart": chart}}}
    if origin.startswith("oci://"):
        repository, _, chart = origin.rpartition("/")
        return {"source": {"helm": {"repository": repository, "chart": chart}}}
    scheme, _, rest = origin.partition("://")
    if "//" in rest:
        repository, _, path = rest.partition("//")
        return {"source": {"git": {"repository": f"{scheme}://{repository}", "paths": [path.strip("/")]}}}
    if scheme in ("http", "https") and re.search(r"\.(?:ya?ml|json)$", rest):
        return _of_url(origin)
    raise UsageError(f"`{origin}` is no origin that is understood", hint=f"--from takes {_FORMS}")


def _of_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    segments = parts.path.split("/")
    tag = next((one for one in segments if _VERSION.search(one)), None)
    host, (owner, repository) = parts.hostname or "", [*segments[1:3], "", ""][:2]
    if host not in ("github.com", "raw.githubusercontent.com") or tag is None:
        raise UsageError(
            f"nothing says which versions there are of {url}",
            hint="declare a vendor with `releases:` in vendors.yaml, and adopt that",
        )
    match = _VERSION.search(tag)
    version = match[0] if match is not None else tag
    kind = "github" if host == "github.com" else "github_tags"
    releases: dict[str, Any] = {kind: f"{owner}/{repository}"}
    if tag != version:
        before, after = (re.escape(part) for part in tag.split(version, 1))
        releases["tag"] = f"{before}(?P<version>v?[0-9].*){after}"
    return {"source": {"url": url.replace(version, "{version}")}, "releases": releases}


def with_base(vendor: Vendor, base: str, version: str) -> Vendor:
    """The vendor with its one base elsewhere."""
    update: dict[str, object] = {"version": version}
    if vendor.base is not None:
        update["base"] = base
    sources = tuple(
        one.model_copy(update={"base": base}) if one.base is not None else one for one in vendor.source
    )
    return vendor.model_copy(update={**update, "source": sources})


def configured(session: Session, moved: Vendor, comments: Sequence[str]) -> dict[str, bytes]:
    """vendors.yaml with the vendor's base, version and chart values; the rest stays as it stands.

    ``comments`` are put above the values. Raises ContentError where the file can't be changed so.
    """
    vendor = session.configuration.vendor(moved.name)
    configuration = session.configuration
    name = configuration.path.name
    text = configuration.text
    here = f"vendors[name={vendor.name}]"
    if moved.version is not None and moved.version != vendor.version:
        text = edit.replace(text, f"{here}.version", moved.version, file=name)[0]
    if moved.bases != vendor.bases:
        raw = manifests.load(text, name=name)
        row = next(one for one in raw["vendors"] if one.get("name") == vendor.name)
        paths = [f"{here}.base"] if "base" in row else []
        sources = row.get("source")
        if isinstance(sources, dict) and "base" in sources:
            paths.append(f"{here}.source.base")
        elif isinstance(sources, list):
            paths += [f"{here}.source[{n}].base" for n, one in enumerate(sources) if "base" in one]
        for path in paths:
            text = edit.replace(text, path, moved.bases[0], file=name)[0]
    if values := _new_values(vendor, moved):
        text = with_values(text, vendor.name, values, session.parsed, comments) or text
    again = session.parsed(text).vendor(vendor.name)
    if content_digest(again) != content_digest(moved) or again.version != moved.version:
        raise ContentError(
            f"{name} could not be changed as needed for `{vendor.name}`",
            hint=f"write `base: {moved.bases[0]}` and `version: {moved.version}` into it by hand first",
        )
    return {name: text.encode()} if text != configuration.text else {}


def _new_values(vendor: Vendor, moved: Vendor) -> dict[str, Any]:
    """The values of its chart that the vendor has got."""
    found: dict[str, Any] = {}
    for before, after in zip(vendor.source, moved.source, strict=True):
        if before.helm is not None and after.helm is not None:
            old = before.helm.set
            found |= {key: value for key, value in after.helm.set.items() if old.get(key, ...) != value}
    return found
