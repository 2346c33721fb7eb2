"""Whether an overlay builds at all: the least that has to be known of one in which nothing differs."""

from __future__ import annotations

import hashlib

from upstreamsync.errors import ToolMissing
from upstreamsync.kit.yaml.manifests import is_yaml
from upstreamsync.verify.build.builds import Builder, Failed
from upstreamsync.verify.build.unbuildable import Unbuildable
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.overlays.graph import inputs


def builds(space: Workspace, builder: Builder) -> bool:
    """Whether kustomize builds the overlay of a workspace as it is.

    Once that is known of just these files, nothing is run, no chart rendered. Where helm is needed and
    missing there is nothing that could be said against the overlay.
    """
    key, store = _key(space, builder), builder.store
    if store is not None and store.get(key) is not None:
        return True
    try:
        folder = space.original()
        found = builder.output(folder, root=space.scratch / "pristine", unrestricted=space.unrestricted)
    except Unbuildable:
        return False
    except ToolMissing:
        return True
    # What is left out of the build has to be YAML all the same.
    good = not isinstance(found, Failed) and all(map(is_yaml, space.cut.schemas.values()))
    if good and store is not None:
        store.put(key, b"+")
    return good


def _key(space: Workspace, builder: Builder) -> str:
    total = hashlib.sha256(f"{builder.kustomize}\0{space.overlay}\0{space.unrestricted}\0".encode())
    for name in sorted(inputs(space.tree, space.overlay)):
        total.update(name.encode("utf-8", "surrogateescape") + b"\0")
        total.update(hashlib.sha256(space.tree.read(name)).digest())
    return f"builds-{total.hexdigest()}"
