"""A world to test a vendors.yaml against: upstreams of every kind, and a GitHub, on loopback.

::

    with World() as world:
        world.chart("charts/acme", "acme", "1.2.0")
        world.oci_chart("org/acme", "1.2.0", auth=True)
        world.file("docs/install.md", "...")
        world.github.repository("acme/tool").release("v1.2.0", assets={"install.yaml": "..."})
        gitops = GitOps(tmp_path / "gitops", world)          # a checkout, its origin, its GitHub side
        gitops.write({"base/kustomization.yaml": kustomization(resources=["upstream"])})
        gitops.commit()
        ...                                                  # run it with GITHUB_API_URL=world.github.url
        assert world.count("/charts/acme/index.yaml") == 1
        (pull,) = gitops.github.pulls("open")

Nothing in it depends on the clock, and nothing leaves the machine. ``World.fault`` makes requests fail.
"""

from upstreamsync.testing.builders import GitOps, kustomization, manifest, write_files
from upstreamsync.testing.charts import Chart, tarball, zipball
from upstreamsync.testing.faults import Fault
from upstreamsync.testing.git import GitRemote
from upstreamsync.testing.github import App, Comment, GitHub, Issue, Pull, Release, Repository, Status
from upstreamsync.testing.mixed import MixedChart, mixed_world
from upstreamsync.testing.oci import Registry
from upstreamsync.testing.world import Request, World

__all__ = [
    "App",
    "Chart",
    "Comment",
    "Fault",
    "GitHub",
    "GitOps",
    "GitRemote",
    "Issue",
    "MixedChart",
    "Pull",
    "Registry",
    "Release",
    "Repository",
    "Request",
    "Status",
    "World",
    "kustomization",
    "manifest",
    "mixed_world",
    "tarball",
    "write_files",
    "zipball",
]
