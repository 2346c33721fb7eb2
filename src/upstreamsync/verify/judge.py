"""One overlay, judged: both sides built step by step, each customization's two effects compared."""

from __future__ import annotations

import importlib
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.kit.run.budget import Total
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.kit.yaml.manifests import is_yaml
from upstreamsync.model import Build, Cluster, OverlayVerification
from upstreamsync.verify.build.availability import Availability, weigh
from upstreamsync.verify.build.builds import Builder, Failed, State, Store
from upstreamsync.verify.build.chain import Chain, Side
from upstreamsync.verify.build.contents import with_contents
from upstreamsync.verify.build.inflate import Charts, local_charts
from upstreamsync.verify.build.obstacles import (
    Obstacle,
    Reason,
    blamed_entry,
    obstacles,
    unreadable_files,
    unrenderable_charts,
)
from upstreamsync.verify.build.refusals import Refusals
from upstreamsync.verify.build.trim import Cut, plan_trim
from upstreamsync.verify.build.whole import builds
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.crossed import Followed, followed_items
from upstreamsync.verify.overlays.definitions import TreeDefinitions
from upstreamsync.verify.overlays.graph import inputs
from upstreamsync.verify.overlays.items import Item, Kind, enumerate_items
from upstreamsync.verify.overlays.parse_cache import ParseCache
from upstreamsync.verify.overlays.tree import Tree
from upstreamsync.verify.repair.trial import Trials

if TYPE_CHECKING:
    from upstreamsync.verify.classify.notes import Note
    from upstreamsync.verify.result_checks.blame import About

#: So often an overlay is built again without what kustomize can't bear.
_ATTEMPTS = 5


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
    parsed: ParseCache = field(default_factory=ParseCache)
    slots: threading.BoundedSemaphore | None = None
    followed: Followed | None = None
    cluster: Cluster = field(default_factory=Cluster)
    definitions: tuple[TreeDefinitions, TreeDefinitions] | None = None
    charts: Charts = field(default_factory=local_charts)
    refusals: tuple[Refusals, Refusals] = field(default_factory=lambda: (Refusals(), Refusals()))
    trials: Trials | None = None
    seconds: float | None = None
    in_all: Total | None = None
    strict: bool = False
    as_it_is: bool = False
    builds_unchanged: bool = False
    definitions_moved: bool = False

    def about(self) -> About:
        """What the checks of the result share with those of other overlays."""
        from upstreamsync.verify.result_checks.blame import About

        definitions = self.definitions or (TreeDefinitions(self.before), TreeDefinitions(self.after))
        return About(
            trees=(self.before, self.after),
            definitions=definitions,
            cluster=self.cluster,
            parsed=self.parsed,
        )

    @property
    def is_new(self) -> bool:
        """Whether there was no such overlay before."""
        return self.before.kustomization_file(self.overlay) is None


def judge_overlay(case: Case) -> OverlayVerification:
    """The verification of one overlay; no build runs when none of its inputs differs, and none is missing."""
    old_items = enumerate_items(case.before, case.overlay, case.upstream)
    new_items = enumerate_items(case.after, case.overlay, case.upstream)
    found = (obstacles(case.before, case.overlay), obstacles(case.after, case.overlay))
    available = weigh(case.before, case.after, case.overlay, *found, is_new=case.is_new)
    if unchanged(case) and not available.differs and available.broken is None:
        known = _as_before(case, new_items, available)
        asked = case.as_it_is or case.definitions_moved
        if available.left_out or not (asked or case.builds_unchanged):
            return known
        with tempfile.TemporaryDirectory(prefix="upstreamsync-verify-") as folder:
            if not asked:
                whole, builder = _whole(case, new_items, Path(folder))
                if builds(whole, builder):
                    return replace(known, builds=builder.count)
            return _Judge(case, old_items, new_items, Path(folder), available).as_it_is(known)
    with tempfile.TemporaryDirectory(prefix="upstreamsync-verify-") as folder, _ahead(case) as pool:
        return _Judge(case, old_items, new_items, Path(folder), available, pool, settles=True).run()


@contextmanager
def _ahead(case: Case) -> Iterator[Executor | None]:
    """Threads for what is surely needed later; what has not begun when the overlay is judged is dropped."""
    if case.jobs == 1:
        yield None
        return
    pool = ThreadPoolExecutor(2, thread_name_prefix="upstreamsync")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _as_before(case: Case, items: Sequence[Item], available: Availability) -> OverlayVerification:
    """An overlay in which nothing differs that anybody could see."""
    from upstreamsync.verify import explain

    return OverlayVerification(
        path=case.overlay,
        before=Build(ok=True),
        after=Build(ok=True),
        items=tuple(explain.fine(item, case.overlay) for item in items),
        left_out=available.left_out,
    )


def unchanged(case: Case) -> bool:
    """Whether the overlay reads the same files with the same bytes on both sides."""
    names = inputs(case.before, case.overlay)
    if names != inputs(case.after, case.overlay):
        return False
    return all(case.before.read(name) == case.after.read(name) for name in names)


def _whole(case: Case, items: Sequence[Item], scratch: Path) -> tuple[Workspace, Builder]:
    """The overlay as it is, with nothing switched off, and what to build it with."""
    _, cut = plan_trim(case.before, case.after, case.overlay, case.upstream, items, case.parsed)
    space = Workspace(
        case.after, case.overlay, items, scratch / "whole", cut, case.charts, strict=case.strict
    )
    return space, Builder(case.kustomize, case.jobs, case.store, case.parsed, case.slots)


class _Judge:
    def __init__(
        self,
        case: Case,
        old: Sequence[Item],
        new: Sequence[Item],
        scratch: Path,
        available: Availability,
        pool: Executor | None = None,
        *,
        settles: bool = False,
    ) -> None:
        self.case = case
        self.settles = settles
        self.available = available
        self.blamed: tuple[list[Obstacle], list[Obstacle]] = ([], [])
        self.old_items, self.new_items = old, new
        self.scratch = scratch
        self.builder = Builder(case.kustomize, case.jobs, case.store, case.parsed, case.slots)
        self.refused = self._refused_values(pool)
        case = self.case
        trees = (case.before, case.after)
        cuts = plan_trim(*trees, case.overlay, case.upstream, [*old, *new], case.parsed)
        self.prepare(*with_contents(trees, case.overlay, cuts))

    def _refused_values(self, pool: Executor | None) -> Mapping[str, str]:
        """The values that the new chart refuses; all else is judged without them."""
        if not any(item.kind is Kind.HELM_VALUE for item in self.new_items):
            return {}
        from upstreamsync.verify.build.chart_values import begin_renders, without_values
        from upstreamsync.verify.classify.helm_values import refused_values

        case = self.case
        sides = zip(
            (case.before, case.after), (self.old_items, self.new_items), self.available.instead, strict=True
        )
        was, now = (
            (
                items,
                Workspace(
                    tree, case.overlay, items, self.scratch / "values", charts=case.charts, instead=instead
                ),
            )
            for tree, items, instead in sides
        )
        if pool is not None:
            begin_renders((now, was), self.builder, pool)
        refused = refused_values(*now, self.builder)
        if refused:
            out = [item for item in self.new_items if item.name in refused]
            self.case = replace(case, after=without_values(case.after, out))
        return refused

    def prepare(self, old: Cut, new: Cut) -> None:
        """Make ready to build both sides, with that left out."""
        place = Path(tempfile.mkdtemp(dir=self.scratch))
        overlay = self.case.overlay
        self.cuts = (old, new)
        settled = self.settled()
        self.spaces = (
            Workspace(
                self.case.before, overlay, self.old_items, place / "before", old, self.case.charts,
                instead=self.available.instead[0], strict=self.case.strict, settled=settled,
            ),
            Workspace(
                self.case.after, overlay, self.new_items, place / "after", new, self.case.charts,
                instead=self.available.instead[1], files=self.available.files, strict=self.case.strict,
                settled=settled,
            ),
        )  # fmt: skip
        self.chains = (
            Chain(self.spaces[0], self.builder, self.old_items, shared=self.case.refusals[0]),
            Chain(self.spaces[1], self.builder, self.new_items, shared=self.case.refusals[1]),
        )

    def settled(self) -> frozenset[str]:
        """The items that stay switched on."""
        if not self.settles or self.case.is_new or self.available.missing:
            return frozenset()
        from upstreamsync.verify.build.settled import settled

        return settled((self.case.before, self.case.after), self.case.overlay, self.new_items)

    def build(self) -> tuple[Side, Side]:
        """Both sides. What is left out has to be YAML: if it is not, kustomize is to say so itself."""
        if self.case.is_new:
            nothing = State({}, {})
            return Side(nothing, nothing), self.chains[1].run()
        if self.case.jobs == 1:
            sides = (self.chains[0].run(), self.chains[1].run())
            sound = self.is_sound()
        else:
            with ThreadPoolExecutor(max_workers=4) as pool:
                for chain in reversed(self.chains):  # what was built before is read at once
                    chain.begin(pool)
                waiting = [pool.submit(chain.run) for chain in self.chains]
                # All of this is done while kustomize builds.
                blame = importlib.import_module("upstreamsync.verify.comparing").blame
                sound = self.is_sound()
                blame.look_ahead(waiting[1].result())
                sides = (waiting[0].result(), waiting[1].result())
        if sound:
            return sides
        self.prepare(Cut(), Cut())
        return self.build()

    def as_it_is(self, known: OverlayVerification) -> OverlayVerification:
        """An unchanged overlay, with what the API server refuses of it; that counts against no update.

        What comes of definitions that moved elsewhere does. One that does not build does nothing, before and
        after: its customizations are judged as if something had moved.
        """
        side = self.chains[1].run()
        moved = self.case.definitions_moved
        if not moved and not self.built(1, side).ok:
            # Nothing moved, so that nobody is called for what kustomize refuses of it: it is told.
            judged = self.run()
            refused = all(item.reason == Reason.DOES_NOT_BUILD for item in judged.unjudged)
            return replace(judged, allow_unjudged=refused)
        from upstreamsync.verify import explain
        from upstreamsync.verify.result_checks import blame

        notes: dict[str, list[Note]] = {}
        about, overlay = self.case.about(), self.case.overlay
        if moved:
            told = blame.check(about, overlay, self.new_items, (side, side))
        else:
            told = blame.check_as_it_is(about, overlay, self.new_items, side)
        for blamed in told:
            if blamed.item is not None:
                notes.setdefault(blamed.item.name, []).append(replace(blamed.note, was_so=not moved))
        items = {item.name: item for item in self.new_items}
        found = {
            name: replace(explain.judgement(items[name], each, self.case.overlay), failed_before=not moved)
            for name, each in notes.items()
        }
        return replace(
            known, items=tuple(found.get(item.item, item) for item in known.items), builds=self.builder.count
        )

    def is_sound(self) -> bool:
        """Whether all that is new of what is left out can be read."""
        old, new = self.cuts
        known = set(old.schemas.values())
        return all(is_yaml(document) for document in new.schemas.values() if document not in known)

    def run(self) -> OverlayVerification:
        """Build both sides and judge."""
        old, new = self.build()
        for _ in range(_ATTEMPTS):
            if not self.does_without_more(old, new):
                break
            old, new = self.build()
        from upstreamsync.verify import comparing

        before, after = self.built(0, old), self.built(1, new)
        if self.refused:
            after = Build(ok=False, error=next(iter(self.refused.values())))
        both = comparing.Comparison(
            overlay=self.case.overlay,
            trees=(self.case.before, self.case.after),
            about=self.case.about(),
            old_items=self.old_items,
            new_items=self.new_items,
            old=old,
            new=new,
            chains=self.chains,
            builder=self.builder,
            refused_values=self.refused,
            available=self.available,
            upstream=self.case.upstream,
            is_new=self.case.is_new,
            trials=self.case.trials,
            followed=followed_items(
                (self.case.before, self.case.after),
                self.case.overlay,
                tuple(self.case.upstream),
                self.case.followed,
            ),
        )
        items = both.judgements(after.error)
        added, removed, changed = comparing.differences(old, new)
        return OverlayVerification(
            path=self.case.overlay,
            before=before,
            after=after,
            items=items,
            added=added,
            removed=removed,
            changed=changed,
            builds=self.builder.count,
            left_out=self.available.left_out,
            is_new=self.case.is_new,
        )

    def does_without_more(self, old: Side, new: Side) -> bool:
        """Leave out what kustomize can't bear, where that can be told; then both are to be built again."""
        refused = any(self.refuses_files(number) for number in (0, 1))
        if isinstance(old.base, State) and isinstance(new.base, State) and not refused:
            return False
        case = self.case
        trees = ((case.before, old), (case.after, new))
        found: list[list[Obstacle]] = []
        for (tree, side), seen, blamed in zip(trees, self.available.instead, self.blamed, strict=True):
            if isinstance(side.base, Failed):
                blamed += blamed_entry(tree, case.overlay, side.base.error, seen)
                blamed += unrenderable_charts(tree, case.overlay, case.charts)
            here = [*obstacles(tree, case.overlay), *unreadable_files(tree, case.overlay), *blamed]
            found.append(list({one.place: one for one in reversed(here)}.values()))
        available = weigh(case.before, case.after, case.overlay, *found, is_new=case.is_new)
        if available.instead == self.available.instead:
            return False
        self.available = available
        self.prepare(Cut(), Cut())
        return True

    def refuses_files(self, number: int) -> bool:
        """Whether kustomize refuses files with objects of a side, 0 or 1: perhaps since they can't be read."""
        chain = self.chains[number]
        return any(item.kind is Kind.RESOURCE and item.name in chain.refused for item in chain.items)

    def built(self, number: int, side: Side) -> Build:
        """Whether kustomize builds a side, 0 or 1, as a whole; what neither side has does not count."""
        chain = self.chains[number]
        if isinstance(side.base, Failed):
            return Build(ok=False, error=side.base.error)
        refused = next(iter(chain.refused.values()), None)
        error = self.available.broken or refused or self.available.error(number)
        return Build(ok=True) if error is None else Build(ok=False, error=error)
