"""What judging alone costs: ``python benchmarks/verify_cost.py BEFORE AFTER OVERLAY…``.

Everything is imported and kustomize is found before the clock starts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from measure import tell

from upstreamsync.kit.run.engines import Engines
from upstreamsync.verify import verify_trees


def main() -> None:
    """Judge once and print what that took."""
    before, after, *overlays = sys.argv[1:]
    kustomize = Engines().kustomize()
    tell(lambda: verify_trees(Path(before), Path(after), overlays, kustomize=kustomize))


if __name__ == "__main__":
    main()
