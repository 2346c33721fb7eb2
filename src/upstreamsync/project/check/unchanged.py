"""Findings that still stand: where nothing changed that one depends on, it is not worked out again.

A finding of `check` is a function of vendors.yaml, of a few files beside it, of what upstream answers, and
of the clock. With each is kept what was asked for it, and a digest of each answer (see ``kit.store.dependencies``).
The next run asks the same questions, through the same connections, with the same conditions and limits; a finding
whose questions are all answered as before is the one that would come out again. Then neither the
configuration nor a list of releases is read. Everything else is looked up as always, and the first answer
that differs is the last thing that was asked for it, so that nothing is asked in vain.

What is kept may be old, damaged or made by somebody else: then it is as good as absent. It is only used by
the very program that has made it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upstreamsync._version import __version__
from upstreamsync.config.where import leaves
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.paths import LOCK_SUFFIX, check_relative, files_named
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.store.dependencies import DependencyRecord, Question, record_dependencies
from upstreamsync.kit.store.timestamps import UNREADABLE, parse_timestamp

if TYPE_CHECKING:
    from upstreamsync.base.disk import Disk
    from upstreamsync.model import Finding
    from upstreamsync.project.connections import Connections

_NAMESPACE = "findings"
#: Questions that are answered on this machine.
_NEAR = ("file", "cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A finding as JSON, what it was found from, and the time for which it holds."""

    finding: Mapping[str, Any]
    answers: Mapping[Question, str]
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What earlier runs have found out with one vendors.yaml: its vendors in order, their bases."""

    names: tuple[str, ...]
    bases: tuple[str, ...]
    kept: Mapping[str, Kept] = field(default_factory=dict)


class Unchanged:
    """The findings of earlier runs for the vendors.yaml at ``file``, whose bytes have the digest ``config``."""

    def __init__(self, file: Path, config: str, connections: Connections) -> None:
        self._root = file.parent.absolute()
        self._connections = connections
        settings = connections.settings
        options = [settings.allow_commands, settings.allow_local, connections.github_api]
        self._key = json.dumps([str(self._root / file.name), *options])
        # Which locks lie around is no question of any one vendor: one may speak of a vendor that is gone.
        self._config = f"{config} {' '.join(files_named(self._root, LOCK_SUFFIX))}"
        self.record = self._load()
        self._disk: Disk | None = None

    def still_valid(self, names: Sequence[str]) -> dict[str, Finding]:
        """Those of the findings that would come out again, by vendor. Asks all that they depend on."""
        if self.record is None:
            return {}
        known = self.record.kept
        with self._root_open():
            open_ = [(name, known[name]) for name in names if name in known and self._is_near(known[name])]
        # Vendors that share an address depend on the same answers.
        alike: dict[tuple[tuple[Question, str], ...], dict[str, Kept]] = {}
        for name, kept in open_:
            far = tuple((one, answer) for one, answer in kept.answers.items() if one[0] not in _NEAR)
            alike.setdefault(far, {})[name] = kept

        def read(far: tuple[tuple[Question, str], ...]) -> dict[str, Finding]:
            # Read at once: other answers are still on their way.
            return _findings(alike[far]) if self._all_same(far) else {}

        outcomes = ordered_map(read, alike, self._connections.settings.lookup_jobs)
        return {name: finding for outcome in outcomes for name, finding in outcome.get().items()}

    def keep(
        self,
        found: Mapping[str, tuple[Finding, DependencyRecord, datetime | None]],
        *,
        names: Sequence[str],
        bases: Sequence[str],
    ) -> None:
        """Keep findings with what they were found from, as far as all of that can be asked again.

        What was kept of a vendor that can't be looked at today is as true as before.
        """
        from upstreamsync.kit.store import serialize

        kept = dict(self.record.kept) if self.record is not None else {}
        clean: set[str] = set()
        for name, (finding, asked, until) in found.items():
            if finding.error is None and not asked.doubtful and not has_secrets(asked.answers, clean):
                kept[name] = Kept(
                    finding=serialize.of_finding(finding),
                    answers=asked.answers,
                    since=self._connections.now,
                    until=until,
                )
        record = Record(names=tuple(names), bases=tuple(bases), kept=kept)
        if record != self.record:
            self._connections.cache.put(_NAMESPACE, self._key, self._dump(record))

    # -- asking again ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _root_open(self) -> Iterator[None]:
        """The folder of vendors.yaml held open while its files are asked for, a few of each vendor."""
        from upstreamsync.base.disk import Disk

        with Disk(self._root) as self._disk:
            try:
                yield
            finally:
                self._disk = None

    def _is_near(self, kept: Kept) -> bool:
        """Whether the clock and the files of this machine leave a finding as it is."""
        now = self._connections.now
        if now < kept.since or (kept.until is not None and now >= kept.until):
            return False
        return self._all_same([(one, answer) for one, answer in kept.answers.items() if one[0] in _NEAR])

    def _all_same(self, answers: Sequence[tuple[Question, str]]) -> bool:
        return all(self._same(question, answer) for question, answer in answers)

    def _same(self, question: Question, answer: str) -> bool:
        """Whether a question is answered as before."""
        # That something does not exist was noted as its answer; all other errors are for the lookup to say.
        with record_dependencies() as record, contextlib.suppress(UpstreamsyncError):
            self._ask(question)
        return not record.doubtful and record.answers == {question: answer}

    def _ask(self, question: Question) -> None:
        connections = self._connections
        match question:
            case ("http", str(url), tuple(headers), int(limit), bool(allow_http), tuple(accepted)):
                if all(isinstance(one, int) for one in accepted) and all(map(_is_header, headers)):
                    connections.http.get(
                        url, headers=dict(headers), limit=limit, allow_http=allow_http, accept_status=accepted
                    )
            case ("oci-tags", str(reference), bool(allow_http)):
                from upstreamsync.kit.http.oci import Oci

                Oci(connections.http, allow_http=allow_http).tags(reference)
            case ("oci-manifest", str(reference), str() | None as version, bool(allow_http)):
                from upstreamsync.kit.http.oci import Oci

                Oci(connections.http, allow_http=allow_http).manifest(reference, version)
            case ("git-refs", str(url), bool(heads), bool(tags)):
                connections.git.ls_remote(url, heads=heads, tags=tags)
            case ("git-change", str(url), str(ref), str(path)):
                connections.git.last_change(url, ref, path)
            case ("file", str(), str(path)) if self._disk is not None:
                self._disk.find(check_relative(path, origin="the record"))
            case ("cache", str(namespace), str(key)):
                connections.cache.relied_on(namespace, key, connections.cache.get(namespace, key))

    # -- on disk --------------------------------------------------------------------------------------

    def _load(self) -> Record | None:
        data = self._connections.cache.get(_NAMESPACE, self._key)
        if data is None:
            return None
        head, _, text = data.partition(b"\n")
        if head.decode("ascii", "replace") != self._seal(text):
            return None
        try:
            return _record(json.loads(text))
        except UNREADABLE:
            return None

    def _dump(self, record: Record) -> bytes:
        questions: dict[tuple[Question, str], int] = {}
        rows = {
            name: [
                [questions.setdefault(pair, len(questions)) for pair in one.answers.items()],
                one.since.isoformat(),
                one.until.isoformat() if one.until is not None else None,
                one.finding,
            ]
            for name, one in record.kept.items()
        }
        document = {
            "names": record.names,
            "bases": record.bases,
            "questions": list(questions),
            "vendors": rows,
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        return self._seal(text).encode() + b"\n" + text

    def _seal(self, text: bytes) -> str:
        """What a record begins with: its digest, together with all that has to be the same to use it."""
        seal = hashlib.sha256(json.dumps([_program(), self._config]).encode())
        seal.update(text)
        return seal.hexdigest()


def still_valid_without_configuration(
    file: Path, names: Sequence[str], connections: Connections
) -> tuple[Finding, ...] | None:
    """The findings for vendors.yaml, or those named, if all stand; None when it has to be read for that."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    config = hashlib.sha256(data).hexdigest()
    connections.name_hosts(data.decode("utf-8", "replace"))
    unchanged = Unchanged(file, config, connections)
    record = unchanged.record
    if record is None or not set(names or record.names) <= record.kept.keys() & set(record.names):
        return None
    real_root = file.parent.resolve()
    if any(leaves(file.parent, real_root, base) for base in record.bases):
        return None
    wanted = [name for name in record.names if not names or name in names]
    found = unchanged.still_valid(wanted)
    return tuple(found[name] for name in wanted) if len(found) == len(wanted) else None


def _findings(kept: Mapping[str, Kept]) -> dict[str, Finding]:
    from upstreamsync.kit.store import serialize

    try:
        return {name: serialize.finding(one.finding) for name, one in kept.items()}
    except UNREADABLE:
        return {}


def _record(document: Any) -> Record:
    """What ``_dump`` has written. Raises for anything else, see ``_load``."""
    questions = [(frozen_question(question), answer) for question, answer in document["questions"]]
    _texts([answer for _, answer in questions])
    kept = {}
    for name, (numbers, since, until, finding) in document["vendors"].items():
        kept[name] = Kept(
            finding=finding,
            answers=dict(questions[number] for number in numbers),
            since=parse_timestamp(since),
            until=parse_timestamp(until) if until is not None else None,
        )
        if finding["vendor"] != name:
            raise ValueError(f"the finding of {name} is another vendor's")
    return Record(names=_texts(document["names"]), bases=_texts(document["bases"]), kept=kept)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError(f"{value!r} is no list of texts")
    return tuple(value)


def frozen_question(question: Any) -> Question:
    """A question as it is asked: lists of lists become tuples. Raises for what can't be one."""

    def frozen(value: Any) -> Any:
        return tuple(map(frozen, value)) if isinstance(value, list) else value

    made = frozen(question)
    hash(made)
    if not isinstance(made, tuple) or not made:
        raise TypeError(f"{question!r} is no question")
    return made


def _is_header(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(one, str) for one in value)


def has_secrets(value: Any, clean: set[str] | None = None) -> bool:
    """Whether there is a text in here that must not be written down: an address with a password, a token.

    ``clean`` has the texts that were found without one; those that are found so are put into it.
    """
    if isinstance(value, str):
        if clean is not None and value in clean:
            return False
        secret = redact(value) != value
        if clean is not None and not secret:
            clean.add(value)
        return secret
    return isinstance(value, (tuple, Mapping)) and any(has_secrets(one, clean) for one in value)


def _program(package: Path = Path(__file__).parent.parent.parent) -> list[Any]:
    """What makes findings: this program to the last file, its Python, and what is installed beside it.

    What pip installed is known by its list of files and their digests, wherever and whenever that was: a
    scheduled job installs everything anew. Files in a checkout are known by size and time.
    """
    listed = package.parent / f"upstreamsync-{__version__}.dist-info" / "RECORD"
    timed = not listed.is_file()
    facts: list[Any] = [__version__, sys.version]
    if not timed:
        rows = sorted(
            line for line in listed.read_text("utf-8").splitlines() if line.startswith("upstreamsync/")
        )
        facts.append(
            hashlib.sha256("\n".join(row for row in rows if "__pycache__" not in row).encode()).hexdigest()
        )
    for folder, folders, names in os.walk(package):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            with contextlib.suppress(OSError):  # what can't be read is no part of it
                found = os.stat(os.path.join(folder, name))
                inside = os.path.relpath(os.path.join(folder, name), package)
                facts.append([inside, found.st_size, found.st_mtime_ns if timed else None])
    for place in [place for place in sys.path if place.endswith(("site-packages", "dist-packages"))]:
        if os.path.isdir(place):  # a distribution's folder is named for its version
            facts.append(
                sorted(name for name in os.listdir(place) if name.endswith((".dist-info", ".egg-info")))
            )
            facts.append(os.stat(place).st_mtime_ns if timed else None)
    return facts
