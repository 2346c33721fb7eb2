"""The one way in which content is named by its digest."""

from __future__ import annotations

import hashlib


def sha256(data: bytes) -> str:
    """``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
