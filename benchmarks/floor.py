"""The floor: fetch addresses with httpx and nothing else. ``python benchmarks/floor.py FILE [ETAGS]``.

FILE has one address a line. With ETAGS, a file, the answers are revalidated by what an earlier run put there.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx


def main() -> None:
    """Fetch all, sixteen at once."""
    urls = Path(sys.argv[1]).read_text("utf-8").split()
    store = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    known = json.loads(store.read_text("utf-8")) if store and store.exists() else {}

    with httpx.Client(verify=False, limits=httpx.Limits(max_keepalive_connections=32)) as client:

        def fetch(url: str) -> tuple[str, str]:
            headers = {"if-none-match": known[url]} if url in known else {}
            response = client.get(url, headers=headers)
            assert response.status_code in {200, 304}, (url, response.status_code)
            return url, response.headers["etag"]

        with ThreadPoolExecutor(16) as pool:
            etags = dict(pool.map(fetch, urls))
    if store:
        store.write_text(json.dumps(etags), "utf-8")


main()
