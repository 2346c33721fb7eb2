"""``pr``: check, update, judge and propose, from the tip of the base branch."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from upstreamsync.cli.common import Common
from upstreamsync.errors import UsageError
from upstreamsync.model import Action, PullRequest
from upstreamsync.project.propose import ProposeOptions, propose_from_branch


def propose(
    common: Common,
    vendors: Sequence[str],
    *,
    dry_run: bool,
    forge: str,
    suggest_fixes: bool,
    notices: bool,
) -> tuple[tuple[PullRequest, ...], bool, str]:
    """The pull requests, whether some vendor failed, and the name of vendors.yaml for annotations."""
    if forge not in ("github", "local"):
        raise UsageError(f"there is no forge `{forge}`", hint="--forge takes github or local")
    options = ProposeOptions(
        forge=forge, dry_run=dry_run, suggest_fixes=suggest_fixes, notices=notices, limited=bool(vendors)
    )
    with common.project() as project:
        total = len(vendors or project.configuration.vendors)
        with common.progress("proposing", total) as step:
            proposed = propose_from_branch(project, vendors, options, progress=step)
        file = project.configuration.places.file
        failures = proposed.failures or {}
        failed = tuple(
            PullRequest(
                vendor=name,
                before=project.configuration.vendor(name).version or "",
                after="",
                branch="",
                title="",
                action=Action.FAILED,
                reason=failure.message,
                error=failure,
            )
            for name, failure in failures.items()
        )
    for remark in proposed.remarks:
        print(remark, file=sys.stderr)  # noqa: T201
    return (*proposed.pull_requests, *failed), bool(failed), file
