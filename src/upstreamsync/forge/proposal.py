"""A pull request as a value: branch, commits, words. Pure: what it needs of the repository is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from shlex import quote
from typing import Final

from upstreamsync.config.load import Configuration
from upstreamsync.config.spec import PullRequestOptions, Vendor
from upstreamsync.errors import ForgeError, UsageError
from upstreamsync.forge.rules.grouping import is_apart, is_major
from upstreamsync.forge.rules.risk import risk
from upstreamsync.forge.state import RESULT_TRAILER
from upstreamsync.forge.text.body import Facts, render
from upstreamsync.forge.text.diff import Read, merge, result_digest
from upstreamsync.forge.text.evidence import Upstream
from upstreamsync.forge.text.links import links_of
from upstreamsync.forge.text.markdown import shorten
from upstreamsync.forge.text.verdicts import counted, distinct, is_finding, verified
from upstreamsync.forge.text.versions import titled
from upstreamsync.kit.defuse import inert
from upstreamsync.model import EMPTY, Change, Commit, Proposal, Review, StageResult, Verdict, Verification

#: GitHub's limit on the description of a commit status.
_STATUS_LIMIT: Final = 140
Files = Mapping[str, bytes | None]


def build_proposal(
    changes: Sequence[Change],
    verification: Verification,
    review: Review,
    *,
    configuration: Configuration,
    base_commit: str,
    read: Read,
    key: str | None = None,
    fixes: Files = EMPTY,
) -> Proposal:
    """The proposal for one vendor's change, or for the changes of a group.

    ``read`` gives a file's bytes at ``base_commit``, None where there is none. ``key`` names a group;
    default: the vendor. ``fixes`` are corrected local files, upon all changes; a commit of their own.
    Raises ForgeError when changes of a group contradict each other, UsageError when there is nothing to
    propose or a vendor is not configured.
    """
    if not changes:
        raise UsageError("there is no change to propose")
    vendors = [configuration.vendor(change.vendor) for change in changes]
    key = key or changes[0].vendor
    options = _options(vendors)
    major = any(map(is_major, changes))
    separate = any(map(is_apart, changes, vendors))
    review = _buildable(review, verification)
    commits = _commits(changes, read)
    if fixes:
        commits.append(Commit(message=_fix_message(changes), files=fixes))
    programs = frozenset[str]().union(*(commit.executable for commit in commits))
    digest = result_digest(_together(commits), read, programs)
    facts = Facts(
        changes=tuple(changes),
        links=tuple(links_of(change, vendor) for change, vendor in zip(changes, vendors, strict=True)),
        verification=verification,
        review=review,
        upstream=Upstream(changes, read),
        commands=_commands(changes),
    )
    body, report = render(facts)
    held_up = any(change.forks for change in changes) or any(stage.holds_up for stage in review.stages)
    return Proposal(
        key=key,
        steps=tuple((change.vendor, change.before, change.after) for change in changes),
        branch=f"{configuration.forge.branch_prefix}{key}{'-major' if separate else ''}",
        title=_title(key, changes, major=major),
        body=body,
        report=report,
        commits=_with_trailer(commits, digest),
        base_commit=base_commit,
        draft=verification.needs_person or held_up or any(change.shrunk for change in changes),
        labels=options.labels,
        reviewers=options.reviewers,
        assignees=options.assignees,
        milestone=options.milestone,
        automerge=options.automerge and _all_ok(verification) and not held_up,
        statuses=(*statuses_of(verification), *map(_stage_status, review.stages)),
        unjudged=len(verification.unjudged),
        crashes=verification.crashes,
        digest=digest,
        base_branch=options.base,
        major=major,
        risk=risk(changes, verification, review),
        apart_from=_apart_from(vendors),
    )


def _apart_from(vendors: Sequence[Vendor]) -> tuple[str, ...]:
    return tuple(sorted({name for vendor in vendors for name in vendor.apart_from}))


def _options(vendors: Sequence[Vendor]) -> PullRequestOptions:
    """Those of a group: lists together; the first base and milestone; automerge when all want it."""
    all_of = [vendor.pull_request for vendor in vendors]
    bases = dict.fromkeys(options.base for options in all_of)
    if len(bases) > 1:
        named = ", ".join(str(base or "the default branch") for base in bases)
        raise UsageError(f"the vendors of one group go to different branches: {named}")
    return PullRequestOptions(
        base=all_of[0].base,
        labels=_united(options.labels for options in all_of),
        reviewers=_united(options.reviewers for options in all_of),
        assignees=_united(options.assignees for options in all_of),
        milestone=next((options.milestone for options in all_of if options.milestone), None),
        automerge=all(options.automerge for options in all_of),
    )


def _united(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for each in lists for item in each))


def _buildable(review: Review, verification: Verification) -> Review:
    """Without overlays that don't build on both sides: what they would do to the cluster is unknown."""
    broken = {o.path for o in verification.overlays if not (o.before.ok and o.after.ok)}
    return replace(review, overlays=tuple(one for one in review.overlays if one.path not in broken))


def _all_ok(verification: Verification) -> bool:
    """Whether something was verified, and nothing was found; what never built is no finding of its own."""
    if not verification.overlays:
        return False
    built = all(overlay.after.ok or not overlay.before.ok for overlay in verification.overlays)
    return built and all(item.verdict is Verdict.OK for item in verification.items)


# -- commits -----------------------------------------------------------------------------------------


def _commits(changes: Sequence[Change], read: Read) -> list[Commit]:
    """Per vendor the pristine base, then all local edits: a reader compares the first with upstream."""
    state: dict[str, bytes | None] = {}
    commits = []
    for change in changes:
        files = _on_top(change.vendor, change.base_files, state, read)
        if files:
            programs = change.executable & files.keys()
            commits.append(Commit(message=_base_message(change), files=files, executable=programs))
    edits: dict[str, bytes | None] = {}
    for change in changes:
        edits |= _on_top(change.vendor, change.edit_files, state, read)
    if edits:
        commits.append(Commit(message=_edit_message(changes), files=edits))
    return commits


def _on_top(vendor: str, files: Files, state: dict[str, bytes | None], read: Read) -> dict[str, bytes | None]:
    """``files`` on top of what the vendors before did; two may change one file, but not the same lines."""
    result: dict[str, bytes | None] = {}
    for path, data in files.items():
        if path in state and state[path] != data:
            base, ours = read(path), state[path]
            merged = None if base is None or ours is None or data is None else merge(base, ours, data)
            if merged is None:
                raise ForgeError(
                    f"{vendor} and another vendor of its group change {path} in different ways",
                    hint="take one of them out of the group",
                )
            data = merged
        result[path] = state[path] = data
    return result


def _fix_message(changes: Sequence[Change]) -> str:
    names = ", ".join(f"{change.vendor} {titled(change)}" for change in changes)
    return f"Adjust local patches to {names}\n\nMechanical corrections, suggested: look at each of them."


def _together(commits: Sequence[Commit]) -> Files:
    return {path: data for commit in commits for path, data in commit.files.items()}


def _with_trailer(commits: Sequence[Commit], digest: str) -> tuple[Commit, ...]:
    last = commits[-1]
    return (*commits[:-1], replace(last, message=f"{last.message}\n\n{RESULT_TRAILER}: {digest}"))


def _base_message(change: Change) -> str:
    name, after = change.vendor, inert(change.after)
    shown = titled(change)
    subject = f"Update {name} to {shown}" if change.before != change.after else f"Regenerate {name} {shown}"
    if change.first:
        subject = f"Add {name} {after}"
    lines = [subject, ""]
    if change.bases:
        lines.append(f"The base layer in {', '.join(change.bases)} is upstream's own content, untouched,")
        lines.append(
            f"at version {after}."
            if change.first
            else f"at version {after} (before: {inert(change.before)})."
        )
    else:
        lines.append(f"Version {after} (before: {inert(change.before)}).")
    return "\n".join(lines)


def _edit_message(changes: Sequence[Change]) -> str:
    lines = [f"Follow {', '.join(f'{change.vendor} {titled(change)}' for change in changes)}", ""]
    lines += [
        f"- {edit.place.file}: {_word(edit.what)} {_word(edit.before)} → {_word(edit.after)}"
        for change in changes
        for edit in change.edits
    ]
    return "\n".join(lines).strip()


def _word(text: str) -> str:
    return shorten(" ".join(inert(text).split()), 120)


# -- words -------------------------------------------------------------------------------------------


def _title(key: str, changes: Sequence[Change], *, major: bool) -> str:
    if len(changes) == 1:
        change = changes[0]
        if change.first:
            return f"Add {change.vendor} {titled(change)}"
        if change.before == change.after:
            return f"Regenerate {change.vendor} {titled(change)}"
        step = f"Update {change.vendor} to {titled(change)}"
        return f"{step} (major)" if major else step
    moved = ", ".join(f"{change.vendor} {titled(change)}" for change in changes)
    return shorten(f"Update {key}: {moved}", 200)


def _commands(changes: Sequence[Change]) -> str:
    lines = [f"upstreamsync update {change.vendor} --to {quote(change.after)}" for change in changes]
    return "\n".join([*lines, "upstreamsync verify --since HEAD"])


def _stage_status(stage: StageResult) -> tuple[str, str, str]:
    """A commit status for each stage, so that branch protection may ask for it."""
    state = {"passed": "success", "failed": "failure"}.get(stage.state, "error")
    return f"upstreamsync/check/{stage.name}", state, shorten(inert(stage.summary), _STATUS_LIMIT)


def statuses_of(verification: Verification) -> tuple[tuple[str, str, str], ...]:
    """(context, state, description): none is green where something could not be judged, unless that is known."""
    broken = [overlay.path for overlay in verification.overlays if not overlay.after.ok and overlay.before.ok]
    patches = "success"
    if verification.needs_person:
        patches = (
            "failure" if any(map(is_finding, verification.items)) or not verification.unjudged else "error"
        )
    render, words = "success", verified(verification)
    if broken:
        render, words = "failure", f"{', '.join(broken)} can't be built"
    elif verification.unjudged:
        render = "error"  # GitHub's word for what could not be told
    return (
        ("upstreamsync/patches", patches, shorten(counted(distinct(verification)), _STATUS_LIMIT)),
        ("upstreamsync/render", render, shorten(words, _STATUS_LIMIT)),
    )
