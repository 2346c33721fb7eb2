"""One comment on the pull request that a workflow runs for: made, and changed in place by later runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from upstreamsync.errors import UsageError
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.sanitize import sanitized
from upstreamsync.model import Severity, Verification
from upstreamsync.project.settings import Settings

#: GitHub refuses longer ones.
_MOST: Final = 60_000
_PULL: Final = re.compile(r"refs/pull/([0-9]+)/(?:merge|head)")


def keep_comment(verification: Verification, settings: Settings, root: Path) -> str | None:
    """Write the comment, or bring it up to date; its address. Where all is well, none is made.

    Raises UsageError outside of a workflow on a pull request, Denied without a token, ForgeError.
    """
    from upstreamsync.forge.github.access import access_from
    from upstreamsync.forge.github.client import GitHubForge

    number = _number(settings.environment)
    repository = Repository.open(root)
    access = access_from(settings.environment, remote_url=repository.remote_url())
    forge = GitHubForge(access, repository=repository, pace=0)
    return forge.keep_comment(number, comment_text(verification), key="verify")


def comment_text(verification: Verification) -> str | None:
    """What the comment says; None where nobody has to be told anything."""
    from upstreamsync.report.markdown import verify_markdown

    told = any(item.severity.rank < Severity.INFO.rank for item in verification.items)
    if not told and all(base.pristine for base in verification.bases):
        return None
    text = sanitized(verify_markdown(verification))
    if len(text) > _MOST:
        text = f"{text[:_MOST]}\n\n… the step summary has the rest.\n"
    return f"## What becomes of the patches\n\n{text}"


def _number(environment: Mapping[str, str]) -> int:
    if match := _PULL.fullmatch(environment.get("GITHUB_REF", "")):
        return int(match[1])
    event = _event(environment.get("GITHUB_EVENT_PATH"))
    pull = event.get("pull_request")
    number = pull.get("number") if isinstance(pull, Mapping) else None
    if not isinstance(number, int):
        raise UsageError(
            "this is no run for a pull request, so there is nothing to comment on",
            hint="leave --comment out, or run it in a workflow on `pull_request`",
        )
    return number


def _event(path: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(Path(path or "").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}
