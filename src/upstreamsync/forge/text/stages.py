"""The section about the team's own stages: what each says, and where."""

from __future__ import annotations

from collections import Counter
from typing import Final

from upstreamsync.forge.text.markdown import code, details, fence, plural, prose, summary_text, table
from upstreamsync.model import Review, StageResult

_SHOWN: Final = 20
_WORDS: Final = {
    "passed": "passed",
    "failed": "**failed**",
    "error": "**could not run**",
    "skipped": "**not run**",
}


def counted(review: Review) -> str:
    """``2 passed, 1 failed``."""
    found = Counter(stage.state for stage in review.stages)
    words = {"error": "could not run", "skipped": "not run"}
    return ", ".join(f"{count} {words.get(state, state)}" for state, count in sorted(found.items()))


def table_of(review: Review) -> str:
    """One line for each stage."""
    if not review.stages:
        return ""
    rows = (
        (code(stage.name, cell=True), _WORDS.get(stage.state, stage.state), "yes" if stage.required else "",
         prose(stage.summary, cell=True))
        for stage in review.stages
    )  # fmt: skip
    return table(("check", "result", "required", ""), rows)


def section(review: Review) -> str:
    """The table, and below it what was found."""
    parts = [table_of(review), *filter(None, map(_found, review.stages))]
    return "\n\n".join(part for part in parts if part)


def _found(stage: StageResult) -> str:
    if stage.findings:
        listed = "\n".join(
            f"- {code(finding.where) + ': ' if finding.where else ''}{prose(finding.message)}"
            f"{f' ({code(finding.rule)})' if finding.rule else ''}"
            for finding in stage.findings[:_SHOWN]
        )
        more = len(stage.findings) - _SHOWN
        rest = f"\n- and {more} more" if more > 0 else ""
        title = f"<code>{summary_text(stage.name)}</code>: {plural(len(stage.findings), 'finding')}"
        return f"{title}\n\n{listed}{rest}" if stage.state == "failed" else details(title, listed + rest)
    if stage.output:
        return details(f"Output of <code>{summary_text(stage.name)}</code>", fence(stage.output))
    return ""
