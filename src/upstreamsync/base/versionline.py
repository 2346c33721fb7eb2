"""The lines of vendors.yaml that a pull request changes: the versions, and nothing else."""

from __future__ import annotations

from upstreamsync.kit.yaml import edit as yaml_edit


def set_version(text: str, vendor: str, version: str, *, file: str = "vendors.yaml") -> str:
    """``text`` of a vendors.yaml with the vendor's ``version``; comments, order and quotes stay.

    May be applied to its own result, for one vendor after another. Raises EditError when there is no such
    vendor or version, or it stands elsewhere (as through a YAML alias).
    """
    return yaml_edit.replace(text, f"vendors[name={vendor}].version", version, file=file)[0]


def set_image_version(text: str, vendor: str, key: int, version: str, *, file: str = "vendors.yaml") -> str:
    """As ``set_version``, for the version of entry ``key`` of the vendor's ``images``."""
    return yaml_edit.replace(text, f"vendors[name={vendor}].images[{key}].version", version, file=file)[0]
