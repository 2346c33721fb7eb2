"""A word after a run to a chat: JSON that Slack, Mattermost and others take at an incoming webhook."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from upstreamsync.errors import UpstreamError
from upstreamsync.forge.text.markdown import shorten
from upstreamsync.kit.defuse import ZERO_WIDTH
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.http.inside import named_in
from upstreamsync.kit.redact import register
from upstreamsync.kit.sanitize import one_line
from upstreamsync.model import Action, PullRequest

#: Slack cuts a text block at 3,000 characters.
_LIMIT = 2_900
_QUIET = (Action.UNCHANGED,)


def webhook_message(
    pull_requests: Sequence[PullRequest], *, repository: str, remarks: Sequence[str] = ()
) -> dict[str, Any] | None:
    """The message about a run; None when there is nothing to tell."""
    told = [each for each in pull_requests if each.action not in _QUIET]
    if not told:
        return None
    counts = Counter(str(each.action) for each in told)
    summary = ", ".join(f"{counts[str(action)]} {action}" for action in Action if counts[str(action)])
    head = f"upstreamsync in {_escape(repository)}: {summary}"
    lines = [*map(_line, told), *(f"_{_escape(remark)}_" for remark in remarks)]
    text = shorten("\n".join(lines), _LIMIT)
    return {
        "text": head,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": f"*{head}*"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        ],
    }


def _line(each: PullRequest) -> str:
    name = f"*{_escape(each.vendor)}*"
    step = f"{_escape(each.before)} → {_escape(each.after)}"
    link = f" <{each.url}|#{each.number}>" if each.url and each.number else ""
    draft = " (needs a person)" if each.draft and each.action in (Action.OPENED, Action.UPDATED) else ""
    reason = f": {_escape(each.reason)}" if each.reason and each.action is not Action.OPENED else ""
    return f"• {name} {step} {each.action}{link}{draft}{reason}"


def _escape(text: str) -> str:
    """One line without Slack's three control characters, so without its mentions and links, and without others'.

    Mattermost and its like read `@all` where Slack reads `<!channel>`.
    """
    flat = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return flat.replace("@", f"@{ZERO_WIDTH}")


def post_webhook(http: Http, url: str, message: Mapping[str, Any]) -> None:
    """Send it. The URL is a secret and never shown: errors name its host alone. Raises UpstreamError."""
    register(url)
    http.named |= named_in(url)
    try:
        http.post(
            url,
            content=json.dumps(message).encode(),
            headers={"content-type": "application/json"},
        )
    except UpstreamError as error:
        raise type(error)(
            f"the webhook at {urlsplit(url).hostname} did not take the notice ({error.kind})",
            hint="check the URL in the environment variable that forge.webhook_env names",
        ) from None
