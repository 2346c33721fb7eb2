"""The verbs as a library: open, check, update, verify, propose.

This is the one place where a vendor's error becomes a value: one vendor's failure never stops the others.
Each name is loaded when it is first used: a `check` that finds nothing changed needs few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upstreamsync.project.settings import Settings

if TYPE_CHECKING:
    from upstreamsync.project.changes import Changes
    from upstreamsync.project.project import Project, open_project

__all__ = ["Changes", "Project", "Settings", "open_project"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `upstreamsync.project` has no attribute `{name}`")
    from importlib import import_module

    home = "changes" if name == "Changes" else "project"
    return getattr(import_module(f"upstreamsync.project.{home}"), name)
