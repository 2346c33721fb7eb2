"""What moves between two trees, vendor by vendor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from upstreamsync.config import Configuration
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Move


def moves_between(before: Path, configuration: Configuration) -> tuple[Move, ...]:
    """The vendors whose version or base differs between the folder ``before`` and ``configuration``'s own.

    The old vendors.yaml is read leniently: it may be of a form that is valid no longer.
    """
    old = _versions(before / configuration.path.name)
    new = {vendor.name: vendor.version or "" for vendor in configuration.vendors}
    found = []
    for vendor in configuration.vendors:
        if vendor.name not in old:
            found.append(Move(vendor=vendor.name, before=None, after=new[vendor.name], note="new"))
        elif old[vendor.name] != new[vendor.name]:
            found.append(Move(vendor=vendor.name, before=old[vendor.name], after=new[vendor.name]))
        elif any(_differs(before / base, configuration.root / base) for base in vendor.bases):
            version, note = new[vendor.name], "the same version, another base"
            found.append(Move(vendor=vendor.name, before=version, after=version, note=note))
    gone = [name for name in old if name not in new]
    return (*found, *(Move(vendor=name, before=old[name], after=None, note="removed") for name in gone))


def _versions(file: Path) -> dict[str, str]:
    try:
        data = manifests.load(file.read_bytes(), name=file.name)
    except (OSError, UpstreamsyncError):
        return {}
    listed = data.get("vendors") if isinstance(data, Mapping) else None
    rows = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    return {str(row["name"]): str(row.get("version") or "") for row in rows if "name" in row}


def _differs(one: Path, other: Path) -> bool:
    return _content(one) != _content(other)


def _content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
