"""What is said in results, comments and notes, in one place."""

from __future__ import annotations

import re
from typing import Final

from upstreamsync.forge.rules.lifecycle import Touch
from upstreamsync.forge.rules.marker import Marker
from upstreamsync.forge.state import Existing
from upstreamsync.forge.text.markdown import code, link, prose
from upstreamsync.model import Action, Proposal, PullRequest

_NOTE: Final = "<!-- upstreamsync:note -->"
_NOTED: Final = re.compile(re.escape(_NOTE) + r".*?" + re.escape(_NOTE) + r"\s*", re.DOTALL)
_ASK: Final = "Tick the box at the end of the description to have it rebuilt; that drops those commits."


def result(proposal: Proposal, action: Action, reason: str, existing: Existing | None = None) -> PullRequest:
    """The result for a proposal."""
    files = {path: data for commit in proposal.commits for path, data in commit.files.items()}
    return PullRequest(
        vendor=proposal.key,
        before=", ".join(dict.fromkeys(before for _, before, _ in proposal.steps)),
        after=", ".join(dict.fromkeys(after for _, _, after in proposal.steps)),
        branch=proposal.branch,
        title=proposal.title,
        action=action,
        reason=reason,
        number=existing.number or None if existing is not None else None,
        url=existing.url if existing is not None else None,
        draft=proposal.draft,
        body=proposal.body,
        report=proposal.report,
        unjudged=proposal.unjudged,
        crashes=proposal.crashes,
        written=tuple(sorted(path for path, data in files.items() if data is not None)),
        removed=tuple(sorted(path for path, data in files.items() if data is None)),
    )


def closing(existing: Existing, marker: Marker, action: Action, reason: str) -> PullRequest:
    """The result for a pull request that no proposal stands behind."""
    return PullRequest(
        vendor=marker.key,
        before=", ".join(dict.fromkeys(before for _, before, _ in marker.steps)),
        after=", ".join(dict.fromkeys(after for _, _, after in marker.steps)),
        branch=existing.branch,
        title=existing.title,
        action=action,
        reason=reason,
        number=existing.number or None,
        url=existing.url,
        draft=existing.draft,
    )


def with_note(visible: str, touch: Touch | None, news: Proposal | None) -> str:
    """The description with a word about a person's commits on top; an earlier note is replaced."""
    rest = _NOTED.sub("", visible).strip()
    if touch is None:
        return rest
    told = f"This branch has {prose(str(touch))}, so upstreamsync leaves it alone."
    if news is not None:
        moves = ", ".join(f"{code(vendor)} {code(after)}" for vendor, _, after in news.steps)
        told += f" Without them it would now hold {moves}."
    return f"{_NOTE}\n> [!NOTE]\n> {told} {_ASK}\n\n{_NOTE}\n\n{rest}"


def left_alone(reason: str) -> str:
    """The comment on a branch that people work on."""
    return f"{prose(reason[:1].upper() + reason[1:])}. Nothing of yours is overwritten. {_ASK}"


def not_needed(text: str) -> str:
    """The comment on a pull request that is closed, or should be."""
    return prose(text[:1].upper() + text[1:])


def visible(proposal: Proposal) -> str:
    """The text of the pull request; where this run leaves a page, with a link to it at the end."""
    if not proposal.page:
        return proposal.body
    where = link("The page of the run that wrote this", proposal.page)
    return f"{proposal.body.rstrip()}\n\n{where} is among its artifacts.\n"
