"""Objects that their schemas do not allow (rejected/schema_violation, rejected/schema_tightened).

Only what is new is said: what an object did wrong against the schema of the old side, it did before. What
has become stricter lets an existing object be as it is (from 1.30 on) and stops a new one: that is for review.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from upstreamsync.kit.kubernetes.objects import join_path, keyed, merge_key, segment
from upstreamsync.model import Severity, Verdict
from upstreamsync.verify.result_checks.alike import alike
from upstreamsync.verify.result_checks.applying import applied
from upstreamsync.verify.result_checks.finding import Manifest, ResultContext, ResultFinding
from upstreamsync.verify.result_checks.index import World, key_of, resource_id, text
from upstreamsync.verify.result_checks.placeholders import forms, forms_in, is_placeholder

from . import rules
from .check import defects, values_along
from .definitions import Definitions
from .kinds import Kinds, kinds
from .model import KEPT, Defect, Fault, Path, Schema

#: From this minor version of Kubernetes on an update may leave what is unchanged as it is.
_RATCHETING = 30


@dataclass(frozen=True, slots=True)
class _Sides:
    kinds: Kinds
    before: Definitions
    after: Definitions
    context: ResultContext

    def has_rules(self, new: Manifest) -> bool:
        """Whether CEL rules hold for an object, perhaps."""
        return self.after.has_rules(text(new.get("apiVersion")), text(new.get("kind")))

    def earlier(self, old: Manifest | None, new: Manifest) -> Schema | None:
        """The schema of the old object; where its definition is new to the repository that of the new one.

        The cluster may well have had such a definition: as it is now.
        """
        if old is None:
            return None
        api, kind = text(old.get("apiVersion")), text(old.get("kind"))
        own = self.kinds.schema(api, kind)
        if own is not None:
            return own
        if self.before.source(api.rpartition("/")[0], kind) is None:
            return self.schema(old, new)
        return self.before.schema(api, kind)

    def schema(self, old: Manifest | None, new: Manifest, *, is_alike: bool = False) -> Schema | None:
        """The schema of the new object; None where there is nothing to look at.

        ``is_alike``: the old object differs in texts alone, where a schema of Kubernetes' own allows any.
        """
        api, kind = text(new.get("apiVersion")), text(new.get("kind"))
        own = self.kinds.schema(api, kind)
        unchanged = old is new or old == new
        if own is not None:
            return None if unchanged or is_alike else own
        group = api.rpartition("/")[0]
        definition = self.after.source(group, kind)
        if definition is None:
            return None
        earlier = self.before.source(group, kind)
        if unchanged and (earlier is None or self.after.same(earlier, definition)):
            return None
        return self.after.schema(api, kind)


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """What the schemas say against the new result and did not say against the old one."""
    known = kinds(context.kubernetes)
    sides = _Sides(
        known,
        Definitions(before, context.whole_before, context.crds_before, known, context.once),
        Definitions(after, context.whole_after, context.crds_after, known, context.once),
        context,
    )
    same = alike(before, after)
    for new in after.objects:
        key = key_of(new)
        old = before.by_key.get(key)
        schema = sides.schema(old, new, is_alike=key in same)
        if schema is None:
            continue
        broken: list[Defect] = []
        if sides.has_rules(new):
            broken, unknown = rules.check(schema, new, sides.earlier(old, new), old)
            yield from (_not_evaluated(new, item) for item in unknown[:1])
        found = [*defects(schema, new), *broken]
        if found := [defect for defect in found if not _is_filled_in(defect, new, before)]:
            if old is None and _is_upstreams(new, context):
                # What upstream adds and nobody here touches is complete in upstream's eyes.
                found = [defect for defect in found if defect.fault is not Fault.REQUIRED]
            yield from _findings(sides, old, new, sides.earlier(old, new), found)


def _is_filled_in(defect: Defect, new: Manifest, before: World) -> bool:
    """Whether a value of the wrong type is a placeholder, of a sort that something has filled in so far."""
    if defect.fault is not Fault.TYPE:
        return False
    *_, value = values_along(new, defect.path)
    return is_placeholder(value) and bool(forms(value) & forms_in(before))


def _findings(
    sides: _Sides, old: Manifest | None, new: Manifest, earlier: Schema | None, found: list[Defect]
) -> Iterator[ResultFinding]:
    was = defects(earlier, old) if old is not None and earlier is not None else []
    known = {(label(old, defect.path), defect.fault) for defect in was}
    incomplete = any(defect.fault is Fault.REQUIRED for defect in was)
    own = sides.kinds.schema(text(new.get("apiVersion")), text(new.get("kind")))
    for defect in found:
        path = label(new, defect.path)
        if (path, defect.fault) in known:
            continue
        if defect.fault is Fault.REQUIRED and incomplete:
            continue  # what completes the object elsewhere completes this, too
        kept = (
            defect.fault in KEPT
            and own is None
            and _ratchets(sides.kinds)
            and _is_kept(old, new, defect.path)
        )
        softly = kept or (
            defect.fault is Fault.DUPLICATE
            and own is not None
            and not applied(sides.context).on_the_server(new)
        )
        schema = own or sides.after.schema(text(new.get("apiVersion")), text(new.get("kind")))
        yield ResultFinding(
            rule="schema",
            verdict=Verdict.REJECTED,
            reason="schema_tightened" if kept else "schema_violation",
            object=resource_id(new),
            path=path,
            paths=(path,),
            why=f"{path} {defect.text}{_consequence(defect, kept=kept, own=own is not None, soft=softly)}",
            hint=_hint(defect, schema),
            severity=_severity(defect, kept=kept) if softly else None,
        )


def _not_evaluated(manifest: Manifest, unknown: rules.Unknown) -> ResultFinding:
    path = label(manifest, unknown.path)
    return ResultFinding(
        rule="schema-rule",
        verdict=Verdict.REJECTED,
        reason="schema_tightened",
        object=resource_id(manifest),
        path=path,
        paths=(path,),
        why=f"{path or 'the object'} has a new rule, which was not evaluated: "
        f"{unknown.rule.message or unknown.rule.expression}",
        hint="look at the rule; the extra `cel` (pip install 'upstreamsync[cel]') evaluates most",
        severity=Severity.INFO,
    )


def _is_upstreams(manifest: Manifest, context: ResultContext) -> bool:
    return any(other == manifest for other in context.base_after or ())


def _severity(defect: Defect, *, kept: bool) -> Severity:
    """A rule that an existing object may break is told: it was not the server itself that evaluated it."""
    return Severity.INFO if kept and defect.fault is Fault.RULE else Severity.REVIEW


def _ratchets(known: Kinds) -> bool:
    return int(known.version.partition(".")[2]) >= _RATCHETING


def _is_kept(old: Manifest | None, new: Manifest, path: Path) -> bool:
    """Whether the value, or something around it, is as it was."""
    if old is None:
        return False
    return any(
        one == other for one, other in zip(values_along(old, path), values_along(new, path), strict=False)
    )


def _consequence(defect: Defect, *, kept: bool, own: bool, soft: bool) -> str:
    if kept:
        return ": the API server lets the existing object be and refuses a new one"
    if defect.fault is Fault.UNKNOWN:
        dropped = "" if own else "; the API server drops it without a word where validation is not strict"
        return f", which kubectl and server-side apply refuse{dropped}"
    if defect.fault is Fault.DUPLICATE and soft:
        return ": server-side apply refuses it, and kubectl apply may lose one of the two"
    return ", which the API server refuses"


def _hint(defect: Defect, schema: Schema | None) -> str:
    last = defect.path[-1] if defect.path else ""
    if defect.fault is Fault.UNKNOWN:
        level = _level(schema, defect.path[:-1])
        near = difflib.get_close_matches(str(last), list(level.fields) if level else [], n=1, cutoff=0.65)
        return f"write {near[0]} in place of {last}" if near else f"drop {last}, or move it where it is now"
    if defect.fault is Fault.REQUIRED:
        return f"set {last}"
    if defect.fault is Fault.DUPLICATE:
        return "drop one of the two, or merge them"
    if defect.fault is Fault.TYPE and defect.text.endswith("has to be a string"):
        return "write it in quotes"
    if defect.fault is Fault.TYPE and defect.text.startswith("is a string"):
        return "write it without quotes"
    return "write what the schema asks for"


def _level(schema: Schema | None, path: Path) -> Schema | None:
    for step in path:
        if schema is None:
            return None
        schema = schema.items if isinstance(step, int) else schema.fields.get(step, schema.values)
    return schema


def label(manifest: Manifest | None, path: Path) -> str:
    """A path as people read it, elements of lists by what names them."""
    parts: list[str] = []
    value: object = manifest
    field = ""
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{_element(field, value, step)}]")
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            parts.append(segment(step))
            value = value.get(step) if isinstance(value, dict) else None
            field = step
    return join_path(parts)


def _element(field: str, items: object, index: int) -> str:
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        return str(index)
    fields = merge_key(field, items)
    if fields is None:
        return str(index)
    names = list(keyed(items, fields))
    return names[index] if index < len(names) else str(index)
