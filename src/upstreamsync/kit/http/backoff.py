"""What is asked again, and when that is in vain: what the exchange and its retries agree on."""

from __future__ import annotations

RETRIED = (429, 500, 502, 503, 504)


class ComeBackLater(Exception):
    """The server names a time to wait, in seconds, that is longer than the run may wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds
