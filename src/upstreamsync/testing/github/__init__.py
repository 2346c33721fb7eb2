"""A stateful GitHub with real git repositories behind it."""

from upstreamsync.testing.github.repository import Repository
from upstreamsync.testing.github.server import GitHub
from upstreamsync.testing.github.state import App, Comment, Issue, Pull, Release, Status

__all__ = ["App", "Comment", "GitHub", "Issue", "Pull", "Release", "Repository", "Status"]
