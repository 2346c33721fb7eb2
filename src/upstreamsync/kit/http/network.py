"""What the client asks over the network: one exchange, with its errors in our terms."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from upstreamsync.errors import (
    RateLimited,
    TooLarge,
    Unreachable,
)
from upstreamsync.kit.http import addresses, backoff
from upstreamsync.kit.http.credentials import Credentials
from upstreamsync.kit.http.inside import Inside, Named
from upstreamsync.kit.http.response import Body, Response
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import budget
from upstreamsync.kit.store import dependencies

if TYPE_CHECKING:
    from upstreamsync.kit.http.wire import Answer, Wire

_log = logging.getLogger(__name__)

#: These are fetched as they are: a server that says `Content-Encoding: gzip` of a .tgz means the file itself.
_PACKED = (".tgz", ".gz", ".zip", ".tar", ".xz", ".bz2", ".zst")


class Network:
    """The connections of a run, made when they are first needed; ``Http`` says what they mean."""

    def __init__(
        self,
        *,
        jobs: int,
        per_host: int,
        timeout: float,
        attempts: int,
        max_wait: float,
        user_agent: str,
        total_timeout: float,
        backoff: float,
        offline: bool,
        named: Named,
        credentials: Credentials | None,
    ) -> None:
        self.credentials = credentials or Credentials()
        self.offline = offline
        self.named = named
        self.requests: list[tuple[str, str, int]] = []
        self._user_agent = user_agent
        self._total = total_timeout
        self._settings = {
            "jobs": jobs,
            "per_host": per_host,
            "timeout": timeout,
            "attempts": attempts,
            "max_wait": max_wait,
            "backoff": backoff,
        }
        self._wire: Wire | None = None
        self._lock = threading.Lock()
        self._dead: set[str] = set()

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def post(
        self,
        url: str,
        *,
        content: bytes = b"",
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 1 << 20,
        allow_http: bool = False,
        accept_status: Collection[int] = (),
    ) -> Response:
        """Send ``content`` (or ``form``, URL-encoded) once: not cached, not retried, not redirected.

        Raises as ``get``.
        """
        dependencies.doubt()
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if form is not None:
            content = urlencode(form).encode()
            sent["content-type"] = "application/x-www-form-urlencoded"
        target, authorization = addresses.checked(url, allow_http=allow_http, named=self.named)
        sent = {**self.credentials.for_url(target), **authorization, **sent}
        answer = self._ask("POST", target, sent, content=content, limit=limit, deadline=self._deadline())
        addresses.raise_for_status(answer.status, target, accept_status)
        return Response(
            url=target,
            status=answer.status,
            headers=answer.headers,
            body=Body(data=answer.body, packed=answer.packed, size=answer.size),
            digest=answer.digest,
        )

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        content: bytes | None = None,
        limit: int,
        deadline: float,
    ) -> Answer:
        from upstreamsync.kit.http import wire

        budget.check()
        if self.offline:
            raise Unreachable(f"`{redact(url)}` was not asked for: --offline", hint="leave --offline out")
        with self._lock:
            if self._wire is None:
                self._wire = wire.Wire(
                    **self._settings,  # type: ignore[arg-type]
                    record=self._record,
                    may_be_inside=self._may_be_inside,
                )
            connection = self._wire
        origin = addresses.origin(url)
        packed = urlsplit(url).path.lower().endswith(_PACKED)
        encoding = "identity" if packed else "gzip"
        sent = {"accept": "*/*", "accept-encoding": encoding, "user-agent": self._user_agent, **headers}
        question = wire.Question(
            method=method,
            url=url,
            headers=sent,
            content=content,
            limit=limit,
            deadline=deadline,
            decode=sent["accept-encoding"] != "identity",
            once=origin in self._dead,
        )
        where = redact(url)
        try:
            return connection.ask(question)
        except backoff.ComeBackLater as error:
            raise RateLimited(
                f"`{where}`: asked to come back in {error.seconds:.0f} s",
                hint="run again later, or give a token, which raises the limit of most hosts",
            ) from None
        except wire.Failed as error:
            budget.check()
            if error.lasting:
                # The next address on this host is asked once, not with all retries again.
                self._dead.add(origin)
            raise Unreachable(f"`{where}`: {redact(str(error))}", hint=addresses.UNREACHABLE) from None
        except Inside as error:
            raise addresses.inside(url, error) from None
        except (TooLarge, Unreachable) as error:
            budget.check()
            raise type(error)(
                f"`{where}`: {redact(error.message)}", hint=error.hint or addresses.HINTS[type(error)]
            ) from None

    def _record(self, method: str, url: str, status: int) -> None:
        self.requests.append((method, redact(url), status))
        _log.debug("%s %s: %s", method, redact(url), status or "no answer")

    def _may_be_inside(self, host: str, port: int) -> bool:
        """Whether the user named a host; asked for each connection, as names may be added meanwhile."""
        return self.named.has(host, port)

    def _deadline(self) -> float:
        return min(time.monotonic() + self._total, budget.deadline())
