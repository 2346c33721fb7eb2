"""What a piece of work has asked of the world, so that it need not be done again while all answers stay.

The clients (HTTP, registries, git, the files of the repository) record here what they were asked, and name
their answer by a digest, where somebody wants to know; nobody else pays for it. A later run asks the very
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
#: The name of a client and what it was asked for; JSON values alone.
Question = tuple[Any, ...]


class DependencyRecord:
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


_recording: ContextVar[DependencyRecord | None] = ContextVar("recording", default=None)


@contextmanager
def record_dependencies() -> Iterator[DependencyRecord]:
    """Note what this thread asks within the block."""
    record = DependencyRecord()
    token = _recording.set(record)
    try:
        yield record
    finally:
        _recording.reset(token)


def asked(question: Question, ask: Callable[[], Answer], gist: Callable[[Answer], Any]) -> Answer:
    """The answer of ``ask``, noted by its ``gist`` (a JSON value): all of it that anybody may rely on.

    What a client asks of other clients for its answer is its own matter. That something does not exist is an
    answer, too; any other error is none.
    """
    record = _recording.get()
    if record is None:
        return ask()
    token = _recording.set(None)
    try:
        answer = ask()
    except NotFound as error:
        record.note(question, digest(["not found", error.message, error.hint]))
        raise
    except BaseException:
        record.doubtful = True
        raise
    finally:
        _recording.reset(token)
    record.note(question, digest(gist(answer)))
    return answer


def doubt() -> None:
    """Something takes part that can't be asked again."""
    record = _recording.get()
    if record is not None:
        record.doubtful = True


def digest(value: Any) -> str:
    """A name for a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
