"""``promote``: one pull request kept open between two branches."""

from __future__ import annotations

from datetime import timedelta

from upstreamsync.cli import exits, output
from upstreamsync.cli.common import Common, Format
from upstreamsync.config.spec import Promotion
from upstreamsync.errors import UsageError
from upstreamsync.model import Promoted
from upstreamsync.project.promote.promote import PromoteOptions, promote


def run(
    common: Common,
    *,
    source: str | None,
    target: str | None,
    soak: str | None,
    dry_run: bool,
    forge: str | None,
) -> int:
    """Look, judge, open or refresh, and say what was done."""
    from upstreamsync.report import promotions

    if forge not in (None, "github", "local"):
        raise UsageError(f"the forge `{forge}` can't promote", hint="--forge takes github or local")
    options = PromoteOptions(
        source=source,
        target=target,
        soak=_duration(soak) if soak is not None else None,
        forge=forge,
        dry_run=dry_run,
    )
    with common.project() as project:
        done = promote(project.session, options)
        file = project.configuration.places.file
    if common.format is Format.GITHUB:
        for one in done.promoted:
            if one.report:
                output.summary(f"## {one.title}\n\n{one.report}")
    for remark in done.remarks:
        output.tell(remark)
    common.say(
        document=lambda: promotions.promote_document(done.promoted),
        text=lambda out: promotions.print_promotions(out, done.promoted),
        markdown=lambda: promotions.promote_markdown(done.promoted),
        github=lambda: promotions.promote_annotations(done.promoted, file=file),
    )
    return _code(done.promoted)


def _duration(text: str) -> timedelta:
    """As vendors.yaml takes it."""
    try:
        return Promotion.model_validate({"from": "-", "to": "-", "soak": text}).soak
    except ValueError:
        raise UsageError(f"`{text}` is no duration", hint="--soak 12h, --soak 3d") from None


def _code(promoted: tuple[Promoted, ...]) -> int:
    """70 after a bug in the judge; 3 when one could not be made or judged; 1 where a person is needed.

    What only time holds needs nobody.
    """
    if crashes := dict.fromkeys(crash for one in promoted for crash in one.crashes):
        for crash in crashes:
            exits.report_bug(crash)
        return exits.BUG
    if any(one.error is not None or one.unjudged for one in promoted):
        return exits.PARTIAL
    needed = any(one.draft and not (one.hold is not None and one.hold.waits) for one in promoted)
    return exits.PERSON if needed else exits.DONE
