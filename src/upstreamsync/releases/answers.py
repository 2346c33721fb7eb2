"""Reading what the world answers, leniently: a date that is none is no date."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from upstreamsync.errors import Malformed
from upstreamsync.kit.http.client import Response
from upstreamsync.kit.redact import redact


def json_document(response: Response, *, numbers_as_text: bool = True) -> Any:
    """The body as JSON; by default with numbers as they are written (1.10, not 1.1). Raises Malformed."""
    try:
        if numbers_as_text:
            return json.loads(response.body, parse_float=str, parse_int=str)
        return json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise Malformed(
            f"`{redact(response.url)}` is not JSON: {error}", hint="open the address; is it the right one?"
        ) from None


def timestamp(text: Any) -> datetime | None:
    """A date of RFC 3339, in UTC; None for anything else, and for the zero value that Go writes for none."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year > 1970 else None
