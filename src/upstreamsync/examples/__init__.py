"""Embedded example upstreams and a small GitOps repository that vendors them: what ``demo`` runs on.

Every kind of source is there once. The upstreams live through two stages: what the repository vendored
at first, and what upstream has published since.
"""

from upstreamsync.examples.gitops import repository_files
from upstreamsync.examples.upstreams import publish_first, publish_second

__all__ = ["publish_first", "publish_second", "repository_files"]
