"""A world to test a vendors.yaml against: upstreams of every kind, and a GitHub, on loopback.

::

    with World() as world:
        world.chart("charts/acme", "acme", "1.2.0")
        world.git("gitops").commit({"README.md": "hello"})
        ...
        assert world.count("/charts/acme/index.yaml") == 1
"""

from upstreamsync.testing.charts import Chart
from upstreamsync.testing.faults import Fault
from upstreamsync.testing.git import GitRemote
from upstreamsync.testing.world import Request, World

__all__ = [
    "Chart",
    "Fault",
    "GitRemote",
    "Request",
    "World",
]
