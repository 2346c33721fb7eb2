"""What a semantic difference alone costs: ``python benchmarks/difference_cost.py OLD NEW``.

The two files are read before the clock starts; from their bytes to what a reviewer reads, all is measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

from measure import Wrong, tell

from upstreamsync.kit.yaml import manifests
from upstreamsync.review import review


def main() -> None:
    """Compare once and print what that took."""
    old, new = (Path(name).read_bytes() for name in sys.argv[1:])
    found = []
    tell(lambda: found.append(review("overlay", *manifests.objects_of_both(old, new))))
    if not (found[0].changed or found[0].label_only):
        raise Wrong("the difference found nothing")


if __name__ == "__main__":
    main()
