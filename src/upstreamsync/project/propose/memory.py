"""First sights of versions without a date, kept in the repository by those runs that may push."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from upstreamsync.config import Configuration
from upstreamsync.errors import PushRefused, UpstreamsyncError
from upstreamsync.forge import Forge
from upstreamsync.kit.git.notes import REF, read_note, write_note
from upstreamsync.kit.git.repository import Identity, Repository
from upstreamsync.kit.store.first_sights import FirstSights


@runtime_checkable
class _KeepsNotes(Protocol):
    """A forge that has a remote for the note. Others keep it in the local repository."""

    def fetch_note(self) -> None:
        """Bring the remote's note here."""

    def push_note(self) -> None:
        """Give the remote ours. Raises PushRefused."""


def recall(forge: Forge, repository: Repository) -> FirstSights:
    """What the repository remembers; asked for when the first version without a date comes up."""

    def read() -> str | None:
        if isinstance(forge, _KeepsNotes):
            forge.fetch_note()
        return read_note(repository)

    return FirstSights(read)


def keep(
    sights: FirstSights, forge: Forge, repository: Repository, configuration: Configuration
) -> tuple[str, ...]:
    """Write down what this run has seen; returns what the user should be told. Nothing here fails a run."""
    told = (_began(sights),) if sights.new else ()
    if not sights.saw_any:
        return told
    author = Identity(name=configuration.forge.bot_name, email=configuration.forge.bot_email)
    refused, written = "", False
    for _ in range(3):  # another run may be quicker: then both are put together
        try:
            text = sights.merged_with(read_note(repository))
            if text is not None:
                write_note(repository, text, author)
                written = True
            if written and isinstance(forge, _KeepsNotes):
                forge.push_note()
            return told
        except PushRefused as error:
            refused = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
            if isinstance(forge, _KeepsNotes):
                forge.fetch_note()
        except UpstreamsyncError as error:
            refused = error.message
            break
    lost = (
        f"when versions without a date were first seen could not be kept in {REF}, "
        f"so each run without its cache begins to wait anew: {refused}"
    )
    return (*told, lost)


def _began(sights: FirstSights) -> str:
    count = sights.new
    what = "1 version without a date was" if count == 1 else f"{count} versions without a date were"
    return f"{what} never seen before: the cooldown begins now"
