"""Both sides of an overlay, built: what is said of each customization and of the result."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import compare
from upstreamsync.model import Fix, Judgement, LeftOut, ResourceChange, Severity, Verdict
from upstreamsync.verify import crossed, explain, gone, left_out, unlisted
from upstreamsync.verify.build.availability import Availability
from upstreamsync.verify.build.builds import Builder, Failed, State
from upstreamsync.verify.build.chain import Chain, Effect, Side
from upstreamsync.verify.build.obstacles import Reason
from upstreamsync.verify.build.schemas import Schemas, told
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.classify import consequences, failures, masked, uncovered, verdicts, way_back
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays import expectations
from upstreamsync.verify.overlays.items import Item, Kind, enumerate_items
from upstreamsync.verify.overlays.tree import Files, Tree
from upstreamsync.verify.repair.trial import Trials
from upstreamsync.verify.result_checks import blame


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The two sides of an overlay, what they were built from, and what with."""

    overlay: str
    trees: tuple[Tree, Tree]
    old_items: Sequence[Item]
    new_items: Sequence[Item]
    old: Side
    new: Side
    chains: tuple[Chain, Chain]
    builder: Builder
    available: Availability = field(default_factory=Availability)
    upstream: Collection[str] = ()
    is_new: bool = False
    trials: Trials | None = None
    followed: frozenset[tuple[str, str]] = frozenset()
    about: blame.About
    refused_values: Mapping[str, str] = field(default_factory=dict)
    is_trial: bool = False

    @property
    def spaces(self) -> tuple[Workspace, Workspace]:
        """What the two sides were built in."""
        return self.chains[0].workspace, self.chains[1].workspace

    @property
    def tree(self) -> Tree:
        """The tree after."""
        return self.trees[1]

    def judgements(self, failure: str | None) -> tuple[Judgement, ...]:
        """A verdict on each customization, then those on the result; ``failure``: of the new side."""
        partners = pair_items(self.old_items, self.new_items)
        notes = self._notes(partners)
        extra = self._result_notes(notes)
        items = [
            self._judgement(item, partners.get(item.name), notes[item.name])
            for item in self.new_items
            if item.name in notes
        ]
        items += gone.judgements(self.overlay, self.available, self.upstream)
        extra += unlisted.find(*self.trees, self.overlay, self.upstream)
        items += explain.on_results(self.overlay, self._file(), extra)
        said = any(item.verdict is Verdict.UNJUDGED for item in items)
        if not said and (open_ := self._open_result()) is not None:
            items.append(explain.on_result(self.overlay, self._file(), left_out.unjudged(open_)))
        if isinstance(self.new.base, Failed) and failure:
            asked = not self.new.base.reason
            note = _broken(failure, self.old) if asked else _unasked(self.new.base)
            broken = explain.on_result(self.overlay, self._file(), note)
            items.append(replace(broken, failed_before=isinstance(self.old.base, Failed)))
        return self._proven(items)

    def _blocked(self) -> LeftOut | None:
        """Why nothing can be compared, where one of the sides does not build with everything switched off."""
        for when, side in (("", self.new), ("before: ", self.old)):
            if isinstance(side.base, Failed):
                why = f"{when}{failures.gist(side.base.error)}"
                reason = side.base.reason or Reason.DOES_NOT_BUILD
                return LeftOut(what=self.overlay, reason=reason, why=why, known=False, hint=side.base.hint)
        return None

    def _open_result(self) -> LeftOut | None:
        """What can't be known of the result as a whole: a side of it is not there, or not all of it."""
        if isinstance(self.new.base, Failed):
            return None  # which is said in other words
        differing = next((one.said for one in self.available.missing if one.differs), None)
        return self._blocked() or differing

    def _file(self) -> str:
        return found.file if (found := self.tree.kustomization(self.overlay)) else self.overlay

    def _notes(self, partners: Mapping[str, Item]) -> dict[str, list[Note]]:
        old, new = self.old, self.new
        if isinstance(new.base, Failed) and new.base.reason:
            return {item.name: [_unasked(new.base)] for item in self.new_items}
        edits = self._edits(partners)
        values = self._values(partners)
        notes: dict[str, list[Note]] = {}
        blocked = self._blocked()
        for item in self.new_items:
            if not self.spaces[1].has(item):
                continue
            if blocked is not None:
                notes[item.name] = [left_out.unjudged(blocked)]
                continue
            found = self._found(item, partners.get(item.name), edits, values)
            notes[item.name] = [left_out.of_new(note) for note in found] if self.is_new else found
        here = [item for item in self.new_items if item.name in notes]
        for name, note in list(uncovered.find(here, old, new, notes)):
            notes[name].append(note)
        for name, note in list(masked.find(here, partners, old, new, notes)):
            notes[name].append(note)
        notes = consequences.told(here, partners, old, new, notes)
        return way_back.told(old.base, new.base, notes)

    def _found(
        self,
        item: Item,
        partner: Item | None,
        edits: Mapping[str, list[Note]],
        values: Mapping[str, list[Note]],
    ) -> list[Note]:
        """What is found about one item by itself."""
        was = self.old.effects.get(partner.name) if partner else None
        now = self.new.effects.get(item.name)
        if item.kind is Kind.RESOURCE:
            found = failures.judge(item, was or Effect({}), now) if now and now.error else [_ok()]
        elif item.kind is Kind.HELM_VALUE:
            found = values.get(item.name, [_ok()])
        elif now is None:
            found = [_ok()]
        elif item.name in edits:
            found = edits[item.name]
        elif partner is None or partner.identity != item.identity or was is None:
            found = verdicts.first_effect(item, was, now)
        else:
            found = verdicts.judge(item, was, now)
        trees = [space.tree for space in self.spaces]
        missing = () if item.kind is Kind.HELM_VALUE else left_out.in_reach(item, self.available, trees)
        found = left_out.judge(item, found, was, now, missing)
        if self.available.gone and isinstance(self.new.base, State) and item.kind is not Kind.RESOURCE:
            cause = self.available.gone[0].obstacle.what
            found = [consequences.of_gone(note, item, cause, self.new.base.objects) for note in found]
        if (unmet := self._expectation(item, now)) is not None:
            found = [*found, unmet]
        return found

    def _values(self, partners: Mapping[str, Item]) -> dict[str, list[Note]]:
        """What is said of the values of charts."""
        if not any(item.kind is Kind.HELM_VALUE for item in self.new_items):
            return {}
        from upstreamsync.verify.classify import helm_values

        return helm_values.judge_all(self.new_items, partners, self.spaces, self.builder, self.refused_values)

    def _expectation(self, item: Item, now: Effect | None) -> Note | None:
        """What is to be said where an item changes another number of objects than its author expects."""
        count = expectations.expected(self.tree, item)
        if count is None or now is None or now.error is not None or len(now.touched) == count:
            return None
        found = len(now.touched)
        verdict = Verdict.WIDENED if found > count else Verdict.NARROWED if found else Verdict.LOST
        return Note(
            verdict=verdict,
            reason="expectation",
            did=f"is said to change {count} object{'s' * (count != 1)}",
            does=f"changes {found}",
            hint="correct what it selects, or the comment that says what to expect",
            grave=Severity.REVIEW if verdict is Verdict.WIDENED else None,
        )

    def _edits(self, partners: Mapping[str, Item]) -> dict[str, list[Note]]:
        """What is found of the items that were edited, from what both versions do on both bases."""
        changed = {
            name: partner
            for name, partner in crossed.edited_items(self.new_items, partners).items()
            if name in self.new.effects and partner.name in self.old.effects
        }
        if not changed:
            return {}
        from upstreamsync.verify.classify import edited

        followed = {name for name, partner in changed.items() if (partner.name, name) in self.followed}
        found = crossed.cross(self.chains, changed, only_new=len(followed) == len(changed))
        final = self.new.final.objects if isinstance(self.new.final, State) else {}
        final = {self.new.names.get(key, key): obj for key, obj in final.items()}
        edits = [
            edited.Edit(
                old=changed[item.name], new=item, old_on_old=self.old.effects.get(changed[item.name].name),
                old_on_new=found.old_on_new.get(item.name), new_on_old=found.new_on_old.get(item.name),
                new_on_new=self.new.effects[item.name], followed=item.name in followed, final=final,
            )
            for item in self.new_items
            if item.name in changed
        ]  # fmt: skip
        return {edit.new.name: edited.judge(edit) for edit in edits}

    def _result_notes(self, notes: dict[str, list[Note]]) -> list[Note]:
        alone: list[Note] = []
        if self._blocked() is not None:
            return alone
        sides = (self.old, self.new)
        for blamed in blame.check(self.about, self.overlay, self.new_items, sides):
            if left_out.is_open(blamed.note, self.available.missing):
                continue
            note = consequences.of_refused(blamed.note, self.new_items, self.old, self.new)
            if blamed.item is not None and blamed.item.name in notes:
                _add(notes[blamed.item.name], note)
            else:
                alone.append(note)
        return alone

    def _judgement(self, item: Item, partner: Item | None, notes: list[Note]) -> Judgement:
        before = self.old.effects.get(partner.name) if partner else None
        now = self.new.effects.get(item.name)
        failed = before is not None and before.error is not None

        def fix_of(note: Note) -> Fix | None:
            if note.severity.rank > Severity.REVIEW.rank or failed:
                return None
            from upstreamsync.verify.repair import fixes

            return fixes.propose(item, note, before or Effect({}), now or Effect({}), self.tree)

        return explain.judgement(
            item,
            notes,
            self.overlay,
            failed_before=failed,
            was_there=partner is not None,
            fix_of=fix_of,
        )

    def _proven(self, items: Sequence[Judgement]) -> tuple[Judgement, ...]:
        """The judgements with those corrections alone that a trial build has shown to be good."""
        if self.is_trial or not any(item.fix for item in items):
            return tuple(items)
        from upstreamsync.verify.repair import trial

        return trial.proven(items, Files(self.tree).read, self._again, self.trials)

    def _again(self, files: Mapping[str, bytes]) -> dict[str, Judgement] | None:
        """What is said of each item with some files replaced; None where that can't be built."""
        tree = self.tree.plus({**self.tree.added, **files})
        items = enumerate_items(tree, self.overlay, self.upstream)
        was = self.spaces[1]
        space = was.on(tree, items, Path(tempfile.mkdtemp(prefix="trial-", dir=was.scratch.parent)))
        try:
            side = (chain := Chain(space, self.builder, items)).run()
            tried = replace(
                self, trees=(self.trees[0], tree), new_items=items, new=side, chains=(self.chains[0], chain),
                followed=self._still_followed(items), is_trial=True,
            ).judgements(None)  # fmt: skip
        except UpstreamsyncError:
            return None
        return {item.item: item for item in tried if item.field != "(result)"}

    def _still_followed(self, items: Sequence[Item]) -> frozenset[tuple[str, str]]:
        """Of the items in which only the version moved, those that a correction leaves as they are."""
        as_before = {item.name: item.identity for item in self.new_items}
        kept = {item.name for item in items if as_before.get(item.name) == item.identity}
        return frozenset((was, now) for was, now in self.followed if now in kept)


def _add(notes: list[Note], note: Note) -> None:
    """Add what the result shows; of what comes of one misplaced patch the first thing, without advice."""
    if not _follows(note, notes):
        notes.append(note)
    elif not any(other.consequence and other.resource == note.resource for other in notes):
        notes.append(replace(note, consequence=True, hint="what mends the above mends this, too"))


def _follows(note: Note, others: Sequence[Note]) -> bool:
    """Whether what the API server will say comes of a patch that no longer meets its place."""
    if note.reason not in ("schema_violation", "resource_limits"):
        return False
    return any(
        other.verdict in (Verdict.MISAPPLIED, Verdict.LOST)
        and _of_one_kind(other.resource, note.resource)
        and blame.meet([other.text_path], [note.text_path])
        for other in others
    )


def _ok() -> Note:
    return Note(verdict=Verdict.OK)


def _unasked(failed: Failed) -> Note:
    """For a side that kustomize was not given at all."""
    return Note(
        verdict=Verdict.UNJUDGED, reason=failed.reason, because=failed.error,
        hint=failed.hint or "vendor it, or let it be fetched (`--allow-host`), and run again",
    )  # fmt: skip


def _broken(error: str, old: Side) -> Note:
    return Note(
        verdict=Verdict.FAILS, reason="tool_error", did="built" if isinstance(old.base, State) else "",
        does="kustomize refuses to build, whatever customization is left out",
        because=failures.gist(error), hint="read kustomize's message",
    )  # fmt: skip


def differences(old: Side, new: Side) -> tuple[tuple[str, ...], tuple[str, ...], tuple[ResourceChange, ...]]:
    """What the new result adds, removes and changes."""
    if not isinstance(old.final, State) or not isinstance(new.final, State):
        return (), (), ()
    was, now = Schemas.of(old.final, old.schemas), Schemas.of(new.final, new.schemas)
    return compare(old.final.objects, new.final.objects, instead=lambda name: told(was, now, name))


def pair_items(old: Sequence[Item], new: Sequence[Item]) -> dict[str, Item]:
    """The old item for each new one: by content, then by what it is about, then by name.

    Entries may have moved: one that was inserted in front of the others is no edit of the first of them.
    """
    found: dict[str, Item] = {}
    free = list(old)
    for alike in (_same_content, _same_subject, _same_name):
        for item in new:
            if item.name in found:
                continue
            for other in free:
                if (other.folder, other.field) == (item.folder, item.field) and alike(other, item):
                    found[item.name] = other
                    free.remove(other)
                    break
    return found


def _same_content(old: Item, new: Item) -> bool:
    return old.identity == new.identity


def _same_subject(old: Item, new: Item) -> bool:
    subject = _subject(new)
    return bool(subject) and subject == _subject(old)


def _same_name(old: Item, new: Item) -> bool:
    return old.name == new.name


def _subject(item: Item) -> tuple[str, ...]:
    """What an item is about, whatever it does to that; empty where nothing says so."""
    spec = item.spec if isinstance(item.spec, Mapping) else {}
    if item.kind in (Kind.IMAGES, Kind.REPLICAS, Kind.VARS):
        return (str(spec.get("name", "")),)
    if item.kind not in (Kind.MERGE, Kind.JSON):
        return ()
    body = item.body if isinstance(item.body, Mapping) else {}
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    path = str(spec.get("path") or "")
    return (path, str(item.doc), str(body.get("kind")), str(name), repr(sorted(item.target.items())))


def _of_one_kind(one: str, other: str) -> bool:
    """Whether two resources can be one object: settings above a patch may give it another name or namespace."""
    return one.rpartition(" ")[0] == other.rpartition(" ")[0]
