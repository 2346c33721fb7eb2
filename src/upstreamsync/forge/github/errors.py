"""GitHub's refusals in our terms: what the token lacks, when to come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upstreamsync.errors import Denied, ForgeError, NotFound, RateLimited, Unreachable, UpstreamsyncError
from upstreamsync.kit.redact import redact


def refusal(
    what: str, *, status: int, data: Any, headers: Mapping[str, str | None] | None
) -> UpstreamsyncError:
    """The error for an answer that says no; ``what`` was to be done: ``list issues``."""
    message = redact(_message(data) or f"status {status}")
    missing = _missing_right(headers) if status in (403, 404) else None
    if status == 401:
        return Denied(f"GitHub does not know the token: can't {what}", hint="is it expired, or revoked?")
    if status in (403, 429) and "rate limit" in message.lower():
        return RateLimited(f"GitHub asks for a pause: can't {what} now", hint=when_again(headers))
    if status == 403 or missing:
        hint = missing or "it needs contents and pull requests: write"
        return Denied(f"the token may not {what}: {message}", hint=hint)
    if status == 404:
        return NotFound(
            f"GitHub finds nothing: can't {what}", hint="check GITHUB_REPOSITORY and what the token may see"
        )
    if status >= 500:
        return Unreachable(f"GitHub answered {status}: can't {what}", hint="run again later")
    return ForgeError(f"GitHub refused to {what}: {message}")


def when_again(headers: Mapping[str, str | None] | None) -> str:
    """When a run makes sense again, as the answer tells."""
    wait = _lower(headers).get("retry-after")
    return f"run again in {wait} s" if wait else "run again later"


def _lower(headers: Mapping[str, str | None] | None) -> dict[str, str]:
    return {key.lower(): value for key, value in (headers or {}).items() if value is not None}


def _message(data: Any) -> str:
    if not isinstance(data, dict):
        return str(data or "")[:500]
    errors = data.get("errors")
    parts = [str(data.get("message", ""))]
    parts += [_one(each) for each in (errors if isinstance(errors, list) else ())]
    return "; ".join(part for part in parts if part)[:500]


def _one(each: Any) -> str:
    if not isinstance(each, dict):
        return str(each)
    return str(each.get("message") or f"{each.get('field', '')} {each.get('code', '')}".strip())


def _missing_right(given: Mapping[str, str | None] | None) -> str | None:
    """What the token lacks, as GitHub's headers tell it; None when they do not."""
    headers = _lower(given)
    if needed := headers.get("x-accepted-github-permissions"):
        alternatives = needed.replace("=", ": ").replace(",", " and ").split(";")
        return f"give it the permission {' or '.join(part.strip() for part in alternatives)}"
    wanted = _words(headers.get("x-accepted-oauth-scopes", ""))
    if wanted and "x-oauth-scopes" in headers and not wanted & _words(headers["x-oauth-scopes"]):
        return f"give it the scope {' or '.join(sorted(wanted))}"
    return None


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",") if word.strip()}
