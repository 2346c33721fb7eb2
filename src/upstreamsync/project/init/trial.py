"""What ``init`` proposes, tried: does upstream give, at that version, what lies in the repository?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from upstreamsync.config.load import parse_configuration
from upstreamsync.config.spec import Vendor
from upstreamsync.discover import Proposal, Start, restarted
from upstreamsync.errors import ConfigError
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.model import Release
from upstreamsync.project.check.check import lookups
from upstreamsync.project.check.lookup import Lookup
from upstreamsync.project.failures import guarded
from upstreamsync.project.session import Session
from upstreamsync.project.settings import Settings
from upstreamsync.project.update.first import Contact, make_contact
from upstreamsync.project.update.regenerate import Prepared, prepare


def tried_upstream(start: Start, root: Path, settings: Settings) -> Start:
    """The start with a remark on each vendor that upstream does not give as it is declared.

    Of each, the version has to be on offer; content that is there is held against upstream's, too. Where upstream
    does not answer, nothing is said; nothing is written.
    """
    guesses = tuple(one for one in start.proposals if one.guessed)
    if guesses:
        start = _with_guesses(start, root)
    text = start.text.encode()
    # Nobody waits for an upstream that does not answer, only to be told how sure a proposal is.
    hasty = replace(settings, attempts=1, timeout=10.0, total_timeout=60.0)
    configuration = parse_configuration(text, path=root / "vendors.yaml")
    by_name = {one.name: one for one in start.proposals if one.complete}
    with Session(configuration, hasty) as session:
        asked = [one for one in configuration.vendors if one.name in by_name and one.version]
        pairs = list(zip(asked, lookups(session, asked), strict=True))
        outcomes = ordered_map(lambda pair: _tried(session, *pair), pairs, settings.engine_jobs)
        found = [(vendor, one.get()) for (vendor, _), one in zip(pairs, outcomes, strict=True)]
    remarks = {vendor.name: _told(vendor, one) for vendor, one in found}
    borne_out = {
        vendor.name for vendor, one in found if isinstance(one, Contact) and one.prepared and one.is_pristine
    }
    open_ = {one.name: one for one in guesses if one.name not in borne_out}
    return restarted(
        start, tuple(open_.get(one.name) or _with(one, remarks.get(one.name)) for one in start.proposals)
    )


def _with_guesses(start: Start, root: Path) -> Start:
    """The start with its guesses as vendors, to be tried; as it was where they don't go with the others."""
    bold = restarted(
        start,
        tuple(replace(one, complete=True, unsure=()) if one.guessed else one for one in start.proposals),
    )
    try:
        parse_configuration(bold.text.encode(), path=root / "vendors.yaml")
    except ConfigError:
        return start
    return bold


def _is_there(vendor: Vendor, session: Session) -> bool:
    return any(session.view.listing(base) for base in vendor.bases)


def _tried(session: Session, vendor: Vendor, lookup: Lookup) -> Contact | str | None:
    """What lies in the repository beside what upstream has; a remark, or None, where they can't be compared."""
    current = lookup.release(vendor.version) if vendor.version else None
    if lookup.finding.error is not None:
        return None
    if current is None:
        return f"upstream has no version `{vendor.version}` (any more)"
    if not _is_there(vendor, session):
        return None

    def make(release: Release) -> Prepared:
        place = partial(session.configuration.place, vendor.name)
        view = session.view
        return prepare(vendor, release, session.tools, images=(), view=view, current=release, at=place)

    contact = guarded(lambda: make_contact(vendor, current, make, session.view))
    return contact if isinstance(contact, Contact) else None


def _told(vendor: Vendor, contact: Contact | str | None) -> str | None:
    """What a person should know; None where the content is upstream's own, or upstream can't be asked."""
    if contact is None or isinstance(contact, str):
        return contact
    if contact.prepared is None:
        return None
    if contact.is_first:
        return f"none of the files of {vendor.version} is in the repository: is it the right folder?"
    if contact.edited:
        files = _listed(contact.edited)
        return f"{vendor.version} has other content in {files}: `upstreamsync adopt {vendor.name}` tells what differs"
    return None


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(f"`{path}`" for path in paths[:3])
    return shown if len(paths) <= 3 else f"{shown} and {len(paths) - 3} more files"


def _with(proposal: Proposal, remark: str | None) -> Proposal:
    return proposal if remark is None else replace(proposal, unsure=(*proposal.unsure, remark))
