"""What a piece of work has asked of the world, so that it need not be done again while all answers stay.

The doors (HTTP, registries, git, the files of the repository) say here what they were asked, and name
their answer by a digest. Who wants to know attends; nobody else pays for it. A later run asks the very
same questions: where each is answered as before, work that depends on nothing else comes out as before.

A question that can't be asked again, or whose answer can't be relied on, makes the whole doubtful: what is
not certain is done anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from upstreamsync.errors import NotFound

Answer = TypeVar("Answer")
#: The name of a door and what it was asked for; JSON values alone.
Question = tuple[Any, ...]


class Witness:
    """The questions of one piece of work, in their order, each with the digest of its answer.

    ``doubtful`` says that something took part which is not among them.
    """

    __slots__ = ("answers", "doubtful")

    def __init__(self) -> None:
        self.answers: dict[Question, str] = {}
        self.doubtful = False

    def note(self, question: Question, answer: str) -> None:
        """One question and the digest of its answer; two answers to one question are not to be relied on."""
        if self.answers.setdefault(question, answer) != answer:
            self.doubtful = True


_attending: ContextVar[Witness | None] = ContextVar("attending", default=None)


@contextmanager
def attend() -> Iterator[Witness]:
    """Note what this thread asks within the block."""
    witness = Witness()
    token = _attending.set(witness)
    try:
        yield witness
    finally:
        _attending.reset(token)


def asked(question: Question, ask: Callable[[], Answer], gist: Callable[[Answer], Any]) -> Answer:
    """The answer of ``ask``, noted by its ``gist`` (a JSON value): all of it that anybody may rely on.

    What a door asks of other doors for its answer is its own matter. That something does not exist is an
    answer, too; any other error is none.
    """
    witness = _attending.get()
    if witness is None:
        return ask()
    token = _attending.set(None)
    try:
        answer = ask()
    except NotFound as error:
        witness.note(question, digest(["not found", error.message, error.hint]))
        raise
    except BaseException:
        witness.doubtful = True
        raise
    finally:
        _attending.reset(token)
    witness.note(question, digest(gist(answer)))
    return answer


def doubt() -> None:
    """Something takes part that can't be asked again."""
    witness = _attending.get()
    if witness is not None:
        witness.doubtful = True


def digest(value: Any) -> str:
    """A name for a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
