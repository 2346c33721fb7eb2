"""Holding built objects against schemas: those of Kubernetes' own kinds, and those of definitions."""

from .compare import compare
from .custom import default_faults

__all__ = ["compare", "default_faults"]
