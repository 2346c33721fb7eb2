"""The team's own stages: commands that look at the built overlays after the judge (``checks`` of vendors.yaml)."""

from .run import Stage, run_stages

__all__ = ["Stage", "run_stages"]
