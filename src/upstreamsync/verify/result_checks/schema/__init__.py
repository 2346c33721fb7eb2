"""Holding built objects against schemas: those of Kubernetes' own kinds, and those of definitions."""

from .compare import compare

__all__ = ["compare"]
