"""Reading what the world answers, leniently: a date that is none is no date."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from upstreamsync.errors import Malformed
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.redact import redact
from upstreamsync.model import Release


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


def last_modified(response: Response) -> datetime | None:
    """When the document was last changed, as its server says; None where it does not say."""
    try:
        at = parsedate_to_datetime(response.headers.get("last-modified", ""))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def on_offer_by(releases: Sequence[Release], response: Response) -> tuple[Release, ...]:
    """The releases of a document without dates: they were in it when it was last changed."""
    at = last_modified(response)
    if at is None:
        return tuple(releases)
    return tuple(replace(one, known_by=at) if one.published is None else one for one in releases)


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
