"""What the built result itself shows: defects that the new one has and the old one had not.

Pure functions on built objects; no cluster and no kustomize is asked. A family of rules is a module of its
own, listed below. The objects have to be complete: a CRD without its schemas has another size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from upstreamsync.model import Verdict

from . import (
    crds,
    dangling,
    duplicates,
    immutable,
    moved,
    names,
    schema,
    selectors,
    size,
    unread,
    validation,
    vanished,
)
from .finding import Manifest, ResultContext, ResultFinding
from .index import World, key_of_id, meets

__all__ = ["COMPARISONS", "STATES", "ResultContext", "ResultFinding", "check_result"]

#: Rules about one result; what the old one shows too is not reported.
STATES: tuple[Callable[[World, ResultContext], Iterator[ResultFinding]], ...] = (
    selectors.check,
    duplicates.check,
)
#: Rules about the step from one result to the other.
COMPARISONS: tuple[Callable[[World, World, ResultContext], Iterator[ResultFinding]], ...] = (
    dangling.compare,
    vanished.compare,
    unread.compare,
    names.compare,
    names.compare_generated,
    moved.compare,
    moved.compare_misplaced,
    moved.compare_selectors,
    crds.compare_served,
    crds.compare_storage,
    validation.compare,
    immutable.compare,
    schema.compare,
    size.compare,
)


def check_result(
    *,
    before: Sequence[Manifest] | World,
    after: Sequence[Manifest] | World,
    context: ResultContext | None = None,
    as_it_is: bool = False,
) -> tuple[ResultFinding, ...]:
    """The defects of ``after`` that ``before`` had not, in the order of the rules and of the objects.

    ``as_it_is``: ``before`` is no earlier state, but the same one without customizations; what an update may
    not change is not asked then.
    """
    known = context or ResultContext()
    old, new = (one if isinstance(one, World) else World.of(one) for one in (before, after))
    found: list[ResultFinding] = []
    for check in () if as_it_is else STATES:
        if defects := list(check(new, known)):
            seen = {_defect(finding) for finding in check(old, known)}
            found += [finding for finding in defects if _defect(finding) not in seen]
    for compare in (validation.compare, schema.compare) if as_it_is else COMPARISONS:
        found += compare(old, new, known)
    return tuple(_once(found))


def _once(findings: Sequence[ResultFinding]) -> Iterator[ResultFinding]:
    """The findings without those of schemas that a rule has said in better words, or at the very place."""
    said = [item for item in findings if item.rule != "schema" and item.verdict is Verdict.REJECTED]
    named = {(item.object, item.path) for item in findings if item.rule != "vanished"}
    for finding in findings:
        if finding.rule == "schema" and any(
            other.object == finding.object and (meets(other.path, finding.path)) for other in said
        ):
            continue
        if finding.rule == "vanished" and (finding.object, finding.path) in named:
            continue
        yield finding


def _defect(finding: ResultFinding) -> tuple[object, ...]:
    return (finding.rule, key_of_id(finding.object), finding.path)
