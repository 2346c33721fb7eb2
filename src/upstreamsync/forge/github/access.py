"""Who we are at GitHub, read from the environment: server, repository, token or App."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from upstreamsync.errors import Denied, UsageError
from upstreamsync.kit.redact import register

PUBLIC_API: Final = "https://api.github.com"
_REMOTE: Final = re.compile(
    r"^(?:https?://(?:[^@/]+@)?|ssh://(?:[^@/]+@)?|[^@/\s]+@)[^/:]+(?::\d+)?[/:](?P<path>.+?)(?:\.git)?/?$"
)
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach one repository. Either ``token``, or ``app_id`` and ``app_key`` (PEM text).

    ``starts_no_workflows`` says that the token is a workflow's own, whose events GitHub ignores.
    """

    api: str
    repository: str
    token: str | None = field(default=None, repr=False)
    app_id: str | None = None
    app_key: str | None = field(default=None, repr=False)
    starts_no_workflows: bool = False


def access_from(environment: Mapping[str, str], *, remote_url: str | None) -> Access:
    """Read the environment; raises Denied without credentials, UsageError without a repository."""
    api = environment.get("GITHUB_API_URL", "").rstrip("/") or PUBLIC_API
    name = environment.get("GITHUB_REPOSITORY") or _name_of(remote_url)
    if name is None or not _NAME.fullmatch(name):
        raise UsageError(
            "which repository at GitHub is this?",
            hint="set GITHUB_REPOSITORY=OWNER/NAME, or a remote `origin`",
        )
    app_id = environment.get("UPSTREAMSYNC_APP_ID", "").strip()
    app_key = environment.get("UPSTREAMSYNC_APP_KEY", "").strip()
    if app_id or app_key:
        if not (app_id and app_key):
            raise Denied(
                "a GitHub App needs both UPSTREAMSYNC_APP_ID and UPSTREAMSYNC_APP_KEY",
                hint="set the one that is missing, or neither to use a token",
            )
        return Access(api=api, repository=name, app_id=app_id, app_key=_key(app_key))
    own = environment.get("UPSTREAMSYNC_TOKEN", "").strip()
    given = environment.get("GITHUB_TOKEN", "").strip()
    token = own or given
    if not token:
        raise Denied(
            "there is no token for GitHub",
            hint="set UPSTREAMSYNC_TOKEN or GITHUB_TOKEN (contents and pulls: write), or use --forge local",
        )
    register(token)
    workflow = environment.get("GITHUB_ACTIONS") == "true" and (not own or own == given)
    return Access(api=api, repository=name, token=token, starts_no_workflows=workflow)


def _name_of(remote_url: str | None) -> str | None:
    match = _REMOTE.match(remote_url or "")
    return "/".join(match["path"].split("/")[-2:]) if match else None


def _key(text: str) -> str:
    r"""The PEM text: given as such (line ends may be written as \\n), or as the path of its file."""
    if "-----BEGIN" in text:
        key = text.replace("\\n", "\n")
    else:
        try:
            key = Path(text).read_text(encoding="utf-8")
        except OSError as error:
            raise Denied(
                f"UPSTREAMSYNC_APP_KEY is neither a key nor a file that can be read: {error.strerror}",
                hint="give the PEM text, or the path of the .pem file",
            ) from None
    register(key)
    return key
