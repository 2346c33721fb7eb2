"""Reading what the world answers, leniently: a date that is none is no date."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from upstreamsync.errors import Malformed
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.redact import redact
from upstreamsync.model import Release

#: Without a date tools write the year 1, 1970, 1980 (zip), 1985 (npm) or 2000; no release that is followed here is
#: older than git.
_FIRST = datetime(2005, 4, 7, tzinfo=UTC)
_LONGEST = 100
_AS_GO_PRINTS = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})\b")


def json_document(response: Response, *, numbers_as_text: bool = True) -> Any:
    """The body as JSON; by default with numbers as they are written (1.10, not 1.1).

    Raises Malformed, or ContentError for a pointer of Git LFS in its place.
    """
    try:
        if numbers_as_text:
            return json.loads(response.body, parse_float=str, parse_int=str)
        return json.loads(response.body)
    except (ValueError, RecursionError) as error:
        refuse_pointer(response.body, f"`{redact(response.url)}`")
        raise Malformed(
            f"`{redact(response.url)}` is not JSON: {error}", hint="open the address; is it the right one?"
        ) from None


def last_modified(response: Response) -> datetime | None:
    """When the document was last changed, as its server says; None where it does not say."""
    try:
        at = parsedate_to_datetime(response.headers.get("last-modified", ""))
        return counted(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
    except (ValueError, TypeError, OverflowError):
        return None


def on_offer_by(releases: Sequence[Release], response: Response) -> tuple[Release, ...]:
    """The releases of a document without dates: they were in it when it was last changed."""
    at = last_modified(response)
    if at is None:
        return tuple(releases)
    return tuple(replace(one, known_by=at) if one.published is None else one for one in releases)


def timestamp(text: Any) -> datetime | None:
    """A date, in UTC: RFC 3339, as Go prints it, or as mail and HTTP write it; None for anything else."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        at = _moment(text.strip())
        return counted(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
    except (ValueError, TypeError, OverflowError):
        return None


def counted(at: datetime) -> datetime | None:
    """The date, unless it is one that tools write where they know none."""
    return at if at >= _FIRST else None


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        if match := _AS_GO_PRINTS.match(text):
            return datetime.fromisoformat("T".join(match.groups()[:2]) + match[3])
        if text[:1].isdecimal():
            return datetime.fromisoformat(text.upper())
        return parsedate_to_datetime(text)
