"""Asking again after an attempt that failed. Loaded only then: httpx-retries brings asyncio along."""

from __future__ import annotations

import httpx
from httpx_retries import Retry, RetryTransport

from upstreamsync.kit.http.backoff import RETRIED, ComeBackLater


def transport(
    first: httpx.Response | httpx.TransportError,
    then: httpx.BaseTransport,
    *,
    attempts: int,
    max_wait: float,
    backoff: float,
) -> httpx.BaseTransport:
    """A transport whose first attempt has been made already, and came out as ``first``."""
    return RetryTransport(
        transport=_Resumed(first, then),
        retry=_Retry(
            total=attempts - 1,
            status_forcelist=RETRIED,
            backoff_factor=backoff,
            max_backoff_wait=max_wait,
            total_timeout=max_wait * 2,
        ),
    )


class _Resumed(httpx.BaseTransport):
    def __init__(self, first: httpx.Response | httpx.TransportError, then: httpx.BaseTransport) -> None:
        self._first: httpx.Response | httpx.TransportError | None = first
        self._then = then

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        first, self._first = self._first, None
        if first is None:
            return self._then.handle_request(request)
        if isinstance(first, httpx.TransportError):
            raise first
        return first


class _Retry(Retry):
    """Waits as told to, unless that is too long: then it gives up at once instead of asking too early."""

    def sleep(self, response: httpx.Response | Exception) -> None:
        if isinstance(response, httpx.Response) and (stated := response.headers.get("retry-after")):
            try:
                seconds = self.parse_retry_after(stated)
            except ValueError:
                seconds = 0.0
            if seconds > self.max_backoff_wait:
                raise ComeBackLater(seconds)
        super().sleep(response)
