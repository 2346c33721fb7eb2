"""The one place that keeps secrets out of what people read: messages, logs, reports.

Secrets are known in two ways: registered when they are read (tokens, passwords), or by their shape.
The registry belongs to the process, as log records and errors of any thread have to pass it.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
from urllib.parse import quote

MASK = "[redacted]"
#: Anything shorter would black out ordinary words; real secrets are longer.
SHORTEST = 6

#: Each branch begins where no run of its own characters can begin again, or reads a bounded number of them:
#: whatever the text, the time that it takes grows with its length alone.
_SHAPES = re.compile(
    r"""
    (?P<keep>
        (?:proxy-)?authorization ["']? \s* [:=] \s* ["']? (?: (?:basic|bearer|token|digest) \s+ )?
      | (?<![\w-]) (?:private-token|x-api-key|x-registry-auth) ["']? \s* [:=] \s* ["']?
      | [?&;] (?:access_token|refresh_token|id_token|private_token|token|api_?key|key|sig|signature|password
               |secret|client_secret|x-amz-[a-z-]+|x-goog-[a-z-]+|se|sp|sv|jwt) =
    ) [^\s"'&,;]+
  | (?P<scheme> \b[a-z][a-z0-9+.-]{0,30}:// ) (?! git@ ) [^\s/?\#@"']* @
  | \b (?: gh[opsur]_[A-Za-z0-9]{16,} | github_pat_\w{16,} | glpat-[\w-]{16,} | xox[a-z]-[\w-]{8,}
         | AKIA[0-9A-Z]{16} | npm_[A-Za-z0-9]{30,} | dckr_pat_[\w-]{16,} )
  | (?<![\w-]) eyJ[\w-]{8,} \. [\w-]{8,} \. [\w-]*
    """,
    re.IGNORECASE | re.VERBOSE,
)

#: One of these is in each of the shapes; most texts have none, which is seen ten times as fast.
_SIGNS = (
    "?", "&", ";", "@", "authorization", "private-token", "x-api-key", "x-registry-auth", "gho_", "ghp_", "ghs_",
    "ghu_", "ghr_", "github_pat_", "glpat-", "xox", "akia", "npm_", "dckr_pat_", "eyj",
)  # fmt: skip

_lock = threading.Lock()
_known: dict[str, None] = {}


def register(secret: str | None) -> None:
    """Hide ``secret``, and the ways in which it is commonly written, from now on.

    None, and anything shorter than SHORTEST characters, is ignored.
    """
    if secret is None or len(secret) < SHORTEST:
        return
    forms = {secret, quote(secret, safe=""), quote(secret), base64.b64encode(secret.encode()).decode()}
    with _lock:
        _known.update(dict.fromkeys(forms))


def register_basic(user: str, password: str) -> None:
    """Hide a password, and the pair as HTTP's Basic scheme writes it."""
    register(password)
    register(base64.b64encode(f"{user}:{password}".encode()).decode())


def redact(text: str) -> str:
    """``text`` without registered secrets, user names and passwords in URLs, and known shapes of tokens."""
    with _lock:
        secrets = sorted(_known, key=len, reverse=True)
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return _SHAPES.sub(_mask, text) if _may_be_shaped(text) else text


def _may_be_shaped(text: str) -> bool:
    """Whether there may be one of the shapes in a text. Beyond ASCII letters have other cases than these."""
    if not text.isascii():
        return True
    small = text.lower()
    return any(sign in small for sign in _SIGNS)


def _mask(match: re.Match[str]) -> str:
    if scheme := match["scheme"]:
        return f"{scheme}{MASK}@"
    return f"{match['keep'] or ''}{MASK}"


class RedactingFilter(logging.Filter):
    """Redacts every record that passes; belongs on the handlers, where all loggers' records arrive."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never holds one back."""
        message = record.getMessage()
        record.msg, record.args = redact(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
