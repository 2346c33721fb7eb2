"""The verbs as a library: open, check, update, verify, propose.

This is the one place where a vendor's error becomes a value: one vendor's failure never stops the others.
"""

from upstreamsync.project.project import Changes, Project, open_project
from upstreamsync.project.settings import Settings

__all__ = ["Changes", "Project", "Settings", "open_project"]
