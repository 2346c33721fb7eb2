"""One overlay, judged: both sides built step by step, each customization's two effects compared."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from upstreamsync.kit.engines import Kustomize
from upstreamsync.kit.objects import compare
from upstreamsync.model import Build, Judgement, OverlayVerification, ResourceChange, Severity, Verdict
from upstreamsync.verify import explain, results
from upstreamsync.verify.builds import Builder, Failed, State, Store
from upstreamsync.verify.chain import Chain, Effect, Side
from upstreamsync.verify.classify import failures, uncovered, verdicts
from upstreamsync.verify.classify.notes import Note, worst
from upstreamsync.verify.graph import Tree, inputs
from upstreamsync.verify.items import Item, Kind, enumerate_items
from upstreamsync.verify.reading import Reading
from upstreamsync.verify.schemas import Schemas
from upstreamsync.verify.trim import plan_trim
from upstreamsync.verify.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One overlay on two trees, and what to build it with."""

    overlay: str
    before: Tree
    after: Tree
    upstream: Collection[str]
    kustomize: Kustomize
    jobs: int
    store: Store | None = None
    reading: Reading = field(default_factory=Reading)


def judge_overlay(case: Case) -> OverlayVerification:
    """The verification of one overlay; no build runs when none of its inputs differs."""
    old_items = enumerate_items(case.before, case.overlay, case.upstream)
    new_items = enumerate_items(case.after, case.overlay, case.upstream)
    if unchanged(case):
        return OverlayVerification(
            path=case.overlay,
            before=Build(ok=True),
            after=Build(ok=True),
            items=tuple(explain.fine(item, case.overlay) for item in new_items),
        )
    with tempfile.TemporaryDirectory(prefix="upstreamsync-verify-") as folder:
        return _Judge(case, old_items, new_items, Path(folder)).run()


def unchanged(case: Case) -> bool:
    """Whether the overlay reads the same files with the same bytes on both sides."""
    names = inputs(case.before, case.overlay)
    if names != inputs(case.after, case.overlay):
        return False
    return all(case.before.read(name) == case.after.read(name) for name in names)


class _Judge:
    def __init__(self, case: Case, old: Sequence[Item], new: Sequence[Item], scratch: Path) -> None:
        self.case = case
        self.old_items, self.new_items = old, new
        self.builder = Builder(case.kustomize, case.jobs, case.store, case.reading)
        cuts = plan_trim(case.before, case.after, case.overlay, case.upstream, [*old, *new], case.reading)
        self.spaces = (
            Workspace(case.before, case.overlay, old, scratch / "before", cuts[0]),
            Workspace(case.after, case.overlay, new, scratch / "after", cuts[1]),
        )
        self.chains = (
            Chain(self.spaces[0], self.builder, old),
            Chain(self.spaces[1], self.builder, new),
        )

    def run(self) -> OverlayVerification:
        """Build both sides and judge."""
        if self.case.jobs > 1:
            with ThreadPoolExecutor(max_workers=2) as pool:
                old, new = pool.map(Chain.run, self.chains)
        else:
            old, new = self.chains[0].run(), self.chains[1].run()
        before, after = _built(self.chains[0], old), _built(self.chains[1], new)
        notes = self._notes(old, new)
        extra = self._result_notes(old, new, notes)
        items = [self._judgement(item, notes[item.name], old, new) for item in self.new_items]
        items += [explain.on_result(self.case.overlay, self._file(), note) for note in extra]
        if isinstance(new.base, Failed) and after.error:
            broken = explain.on_result(self.case.overlay, self._file(), _broken(after.error, old))
            items.append(replace(broken, failed_before=isinstance(old.base, Failed)))
        added, removed, changed = _differences(old, new)
        return OverlayVerification(
            path=self.case.overlay,
            before=before,
            after=after,
            items=tuple(items),
            added=added,
            removed=removed,
            changed=changed,
            builds=self.builder.count,
        )

    def _file(self) -> str:
        kustomization = self.case.after.kustomization(self.case.overlay)
        return kustomization.file if kustomization else self.case.overlay

    def _notes(self, old: Side, new: Side) -> dict[str, list[Note]]:
        partners = pair_items(self.old_items, self.new_items)
        notes: dict[str, list[Note]] = {}
        for item in self.new_items:
            partner = partners.get(item.name)
            was = old.effects.get(partner.name) if partner else None
            now = new.effects.get(item.name)
            if item.kind is Kind.RESOURCE:
                found = failures.judge(item, was or Effect({}), now) if now and now.error else [_ok()]
            elif item.kind is Kind.HELM_VALUE:
                from upstreamsync.verify import helm_values

                found = helm_values.judge(item, partner, self.spaces, self.builder)
            elif now is None:
                found = [_ok()]
            elif partner is None or partner.identity != item.identity or was is None:
                found = verdicts.edited(item, was, now)
            else:
                found = verdicts.judge(item, was, now)
            notes[item.name] = found
        for name, note in uncovered.find(self.new_items, old, new, notes):
            notes[name].append(note)
        return notes

    def _result_notes(self, old: Side, new: Side, notes: dict[str, list[Note]]) -> list[Note]:
        alone = []
        for blamed in results.check(self.case.after, self.case.overlay, self.new_items, old, new):
            if blamed.item is not None and blamed.item.name in notes:
                notes[blamed.item.name].append(blamed.note)
            else:
                alone.append(blamed.note)
        return alone

    def _judgement(self, item: Item, notes: list[Note], old: Side, new: Side) -> Judgement:
        before, now = old.effects.get(item.name), new.effects.get(item.name)
        failed = before is not None and before.error is not None
        judged = explain.judgement(item, notes, self.case.overlay, failed_before=failed)
        first = worst(notes)
        if first is None or before is None or now is None or judged.severity.rank > Severity.REVIEW.rank:
            return judged
        from upstreamsync.verify import fixes

        return replace(judged, fix=fixes.propose(item, first, before, now, self.case.after))


def _ok() -> Note:
    return Note(verdict=Verdict.OK)


def _broken(error: str, old: Side) -> Note:
    return Note(
        verdict=Verdict.FAILS, reason="tool_error", did="built" if isinstance(old.base, State) else "",
        does="kustomize refuses to build, whatever customization is left out",
        because=failures.gist(error), hint="read kustomize's message",
    )  # fmt: skip


def _built(chain: Chain, side: Side) -> Build:
    if isinstance(side.base, Failed):
        return Build(ok=False, error=side.base.error)
    if chain.refused:
        return Build(ok=False, error=next(iter(chain.refused.values())))
    return Build(ok=True)


def _differences(old: Side, new: Side) -> tuple[tuple[str, ...], tuple[str, ...], tuple[ResourceChange, ...]]:
    if not isinstance(old.final, State) or not isinstance(new.final, State):
        return (), (), ()
    was, now = Schemas.of(old.final, old.schemas), Schemas.of(new.final, new.schemas)
    return compare(old.final.manifests, new.final.manifests, otherwise=lambda name: was.differing(now, name))


def pair_items(old: Sequence[Item], new: Sequence[Item]) -> dict[str, Item]:
    """The old item for each new one, by content first, then by name: entries may have moved."""
    found: dict[str, Item] = {}
    free = list(old)
    for same_content in (True, False):
        for item in new:
            if item.name in found:
                continue
            for other in free:
                if (other.folder, other.field) != (item.folder, item.field):
                    continue
                if other.identity == item.identity if same_content else other.name == item.name:
                    found[item.name] = other
                    free.remove(other)
                    break
    return found
