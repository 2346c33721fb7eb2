"""Secrets do not reach people: known ones, and those that look like it."""

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.kit import redact as module
from upstreamsync.kit.redact import MASK, RedactingFilter, redact, register, register_basic


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_known", {})


def test_registered_secrets_in_all_their_forms() -> None:
    register("s3cret/with+signs")
    register_basic("robot", "hunter2-hunter2")
    text = "s3cret/with+signs s3cret%2Fwith%2Bsigns czNjcmV0L3dpdGgrc2lnbnM= hunter2-hunter2"
    text += " cm9ib3Q6aHVudGVyMi1odW50ZXIy"
    assert set(redact(text).split()) == {MASK}


def test_short_words_and_nothing_are_not_secrets() -> None:
    register("abc")
    register("")
    register(None)
    assert redact("abc and so on") == "abc and so on"


def test_a_secret_inside_a_longer_one() -> None:
    register("abcdef")
    register("abcdefghij")
    assert redact("abcdefghij abcdef") == f"{MASK} {MASK}"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://user:pass@host/x", f"https://{MASK}@host/x"),
        ("https://token@host/x", f"https://{MASK}@host/x"),
        ("ssh://me:pw@host:22/x", f"ssh://{MASK}@host:22/x"),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}"),
        ("authorization=Basic Zm9vOmJhcg==", f"authorization=Basic {MASK}"),
        ("{'Authorization': 'token abcdef'}", f"{{'Authorization': 'token {MASK}'}}"),
        ("Authorization: opaque", f"Authorization: {MASK}"),
        ("ghp_" + "a" * 36, MASK),
        ("x ghs_" + "A1" * 18 + " y", f"x {MASK} y"),
        ("github_pat_" + "a1_" * 20, MASK),
        ("glpat-" + "a" * 20, MASK),
        ("xoxb-1234-abcd-efgh", MASK),
        ("AKIA" + "ABCDEFGH" * 2, MASK),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", MASK),
        ("https://h/x?a=1&X-Amz-Signature=deadbeef&b=2", f"https://h/x?a=1&X-Amz-Signature={MASK}&b=2"),
        ("https://h/x?token=abc", f"https://h/x?token={MASK}"),
        ("https://h/x?sig=a%2Bb&sv=1", f"https://h/x?sig={MASK}&sv={MASK}"),
    ],
)
def test_shapes(text: str, kept: str) -> None:
    assert redact(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "https://host/path@v1.2.3",
        "ssh://git@github.com/a/b",
        "git@github.com:a/b.git",
        "quay.io/x/y@sha256:" + "a" * 64,
        "https://h/x?page=2&per_page=100",
        "see user@example.org: it is fine",
        "a token is needed; the key of the map",
        "https://h/x?monkey=1&designation=2",
        "commit 0123456789abcdef0123456789abcdef01234567",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_logs_pass_through_it_tracebacks_included() -> None:
    register("canary-canary")
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("upstreamsync.test-redact")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        int("with canary-canary in it")
    except ValueError:
        logger.exception("about %s", "canary-canary")
    finally:
        logger.removeHandler(handler)
    assert "canary" not in out.getvalue()
    assert "Traceback" in out.getvalue()


_PIECES = (
    "Authorization", "authoriſation", "PROXY-AUTHORIZATION: ", ": ", "= Basic ", "x", "abcdefgh1234567890abcdefgh", "?", "&",
    ";", "acceſs_token=", "access_token=", "KEY=", "https://", "user", "@", ":pass@", "git@", "h/", "GHP_", "ghs_", "github_PAT_",
    "glpat-", "xoxb-", "AKIAABCDEFGHIJKLMNOP", "npm_", "dckr_pat_", "eyJhbGciOiJ.eyJzdWIiOiJx.sig", "eyJhbGciOi.eyJzdWIi", " ",
    "\n", '"', "Private-Token: ", "X-Api-Key=", "x-registry-auth: ", "é", "-", ".",
)  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_a_text_that_is_passed_over_has_no_shape(text: str) -> None:
    assert redact(text) == module._SHAPES.sub(module._mask, text)
