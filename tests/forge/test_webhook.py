"""The word to a chat after a run."""

from __future__ import annotations

import json

import pytest

from upstreamsync.errors import UpstreamError
from upstreamsync.forge import post_webhook, webhook_message
from upstreamsync.forge.webhook import _LIMIT
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.store.cache import Cache
from upstreamsync.model import Action, PullRequest


def result(action: Action, **fields) -> PullRequest:
    given = {"vendor": "app", "before": "v1", "after": "v2", "branch": "b", "title": "t", "action": action}
    return PullRequest(**{**given, **fields})


def test_it_tells_what_happened_and_how_much():
    message = webhook_message(
        [
            result(Action.OPENED, number=7, url="https://g.example/7", draft=True),
            result(Action.FAILED, vendor="web", reason="<!channel> is down & out"),
            result(Action.UNCHANGED, vendor="db"),
        ],
        repository="acme/apps",
        remarks=["a remark"],
    )
    assert message["text"] == "upstreamsync in acme/apps: 1 opened, 1 failed"
    lines = message["blocks"][1]["text"]["text"].splitlines()
    assert lines == [
        "• *app* v1 → v2 opened <https://g.example/7|#7> (needs a person)",
        "• *web* v1 → v2 failed: &lt;!channel&gt; is down &amp; out",
        "_a remark_",
    ]


def test_nothing_to_tell_is_not_told():
    assert webhook_message([result(Action.UNCHANGED)], repository="acme/apps") is None


def test_a_long_run_fits_into_a_block():
    message = webhook_message([result(Action.SKIPPED, reason="x" * 90)] * 100, repository="acme/apps")
    assert len(message["blocks"][1]["text"]["text"]) <= _LIMIT


def test_it_is_sent_as_json_and_a_failure_does_not_show_the_secret(world):
    with Http(cache=Cache(None)) as http, pytest.raises(UpstreamError) as refusal:
        post_webhook(http, f"{world.url}/hook/T000/secretpart", {"text": "hi"})
    (request,) = world.requests
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
    assert "secretpart" not in str(refusal.value)
    assert "secretpart" not in json.dumps(refusal.value.hint)


def test_foreign_words_stay_on_their_line_and_call_nobody():
    evil = "v2\n• *other* v1 → v2 opened\x1b[2J\u202e @all @here <!channel> <http://evil|x> ##[error]"
    message = webhook_message(
        [result(Action.OPENED, vendor="app", after=evil)], repository="acme/apps", remarks=[evil]
    )
    text = message["blocks"][1]["text"]["text"]
    assert len(text.splitlines()) == 2
    assert not set(text) & {"\x1b", "\u202e"}
    assert not {"@all", "@here", "<!channel>", "<http", "##["} & {
        word for word in ("@all", "@here", "<!channel>", "<http", "##[") if word in text
    }
