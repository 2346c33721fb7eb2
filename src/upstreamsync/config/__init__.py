"""vendors.yaml → Vendor: the declarations (spec), and reading them with the place of every problem (load).

Each name is loaded when it is first used: who only asks where the file is pays for no declarations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upstreamsync.config.where import find_configuration

if TYPE_CHECKING:
    from upstreamsync.config.load import Configuration, load_configuration
    from upstreamsync.config.spec import Edit, Follow, ImageFollow, Releases, Source, Vendor

__all__ = [
    "Configuration",
    "Edit",
    "Follow",
    "ImageFollow",
    "Releases",
    "Source",
    "Vendor",
    "find_configuration",
    "load_configuration",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `upstreamsync.config` has no attribute `{name}`")
    from importlib import import_module

    home = "load" if name in ("Configuration", "load_configuration") else "spec"
    return getattr(import_module(f"upstreamsync.config.{home}"), name)
