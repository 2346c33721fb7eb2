"""Asking a real API server about the objects that changed, and adding to the verdicts what it refuses.

Only what the old result does not meet with counts. What a dry run can't tell is said, and never called accepted:
an object in a namespace, or of a kind, that the same result brings first; one whose definition moves with it (a dry
run leaves the old schema in place); one that an admission webhook does not answer dry, or that the user may not patch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from upstreamsync.errors import ToolFailed, ToolTimeout
from upstreamsync.kit.kubernetes.objects import ObjectId, numbered, object_id
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.model import Judgement, OverlayVerification, Severity, Verdict, Verification
from upstreamsync.project.server.kubectl import Answer, Kubectl, Said, error_of, plain_field
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.explain import on_result

_JOBS: Final = 4
_MANAGERS: Final = {"argocd": "argocd-controller", "flux": "kustomize-controller"}
_CRD: Final = "CustomResourceDefinition"
_INDEX: Final = re.compile(r"\[[^\]]*\]")

Manifest = Mapping[str, Any]
Objects = Sequence[Manifest]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """Both states of one overlay: the objects by name, and what a dry run can't see of the new one."""

    before: Mapping[ObjectId, Manifest]
    after: Mapping[ObjectId, Manifest]
    new_namespaces: frozenset[str]
    moved_kinds: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, before: Objects, after: Objects) -> _Result:
        old = {key: obj for (key, _), obj in numbered(before).items()}
        new = {key: obj for (key, _), obj in numbered(after).items()}
        fresh = frozenset(key.name for key in new.keys() - old.keys() if key.kind == "Namespace")
        moved = frozenset(
            _defined(obj) for key, obj in new.items() if key.kind == _CRD and old.get(key) != obj
        )
        return cls(before=old, after=new, new_namespaces=fresh, moved_kinds=moved)

    def changed(self) -> Iterator[tuple[ObjectId, Manifest]]:
        """What differs from before, without what the server can't judge before the rest is there."""
        for key, obj in self.after.items():
            if self.before.get(key) != obj:
                yield key, obj


def ask_server(
    verification: Verification,
    results: Mapping[str, tuple[Objects, Objects]],
    *,
    context: str,
    environment: Mapping[str, str],
    tools: Mapping[str, str | None],
) -> Verification:
    """The verification with what the server refuses and warns of; ``tools`` say what applies each overlay.

    Raises ToolMissing and Unreachable.
    """
    overlays = []
    for overlay in verification.overlays:
        sides = results.get(overlay.path)
        if sides is None or not overlay.after.ok:
            overlays.append(overlay)
            continue
        manager = _MANAGERS.get(tools.get(overlay.path) or "", "kubectl")
        kubectl = Kubectl(context=context, manager=manager, environment=environment)
        overlays.append(_asked(overlay, _Result.of(*sides), kubectl))
    return replace(verification, overlays=tuple(overlays))


def _asked(overlay: OverlayVerification, result: _Result, kubectl: Kubectl) -> OverlayVerification:
    changed = list(result.changed())
    answers = [outcome.get() for outcome in ordered_map(partial(_answer, result, kubectl), changed, _JOBS)]
    notes: list[Note] = []
    unasked: Counter[str] = Counter()
    for (key, obj), answer in zip(changed, answers, strict=True):
        resource = str(object_id(obj))
        if answer.said is Said.UNASKED:
            unasked[answer.text] += 1
        elif answer.said is Said.REFUSED and not _is_said(overlay, resource, answer):
            notes.append(_refused(resource, answer))
        notes += [_warned(resource, text) for text in answer.warnings]
        del key
    if unasked:
        notes.append(_not_asked(unasked))
    file = next((item.kustomization for item in overlay.items), overlay.path)
    return replace(overlay, items=(*overlay.items, *(on_result(overlay.path, file, note) for note in notes)))


def _answer(result: _Result, kubectl: Kubectl, changed: tuple[ObjectId, Manifest]) -> Answer:
    """What the server says of the new object and not of the old one."""
    key, obj = changed
    if key.namespace in result.new_namespaces:
        return Answer(said=Said.UNASKED, text="their namespace is new in the same result")
    if (key.group, key.kind) in result.moved_kinds:
        return Answer(
            said=Said.UNASKED, text="their definition moves in the same result, which a dry run does not do"
        )
    answer = _sent(kubectl, obj)
    if answer.said is Said.TAKEN and not answer.warnings:
        return answer
    old = result.before.get(key)
    earlier = _sent(kubectl, old) if old is not None else None
    if earlier is None:
        return answer
    known = set(earlier.warnings)
    answer = replace(answer, warnings=tuple(text for text in answer.warnings if text not in known))
    if answer.said is Said.REFUSED and earlier.said is Said.REFUSED and _same(earlier, answer):
        return replace(answer, said=Said.TAKEN)
    return answer


def _same(one: Answer, other: Answer) -> bool:
    return (one.field, _INDEX.sub("", one.text)) == (other.field, _INDEX.sub("", other.text))


def _sent(kubectl: Kubectl, obj: Manifest) -> Answer:
    try:
        answer = kubectl.dry_run(obj)
    except (ToolFailed, ToolTimeout) as error:
        return error_of(obj, error)
    if answer.said is Said.REFUSED and (reason := _can_not_tell(answer.text)) is not None:
        return replace(answer, said=Said.UNASKED, text=reason)
    return answer


_NO_KIND: Final = (
    r"no matches for kind|ensure CRDs are installed|resource mapping not found"
    r"|could not find the requested resource"
)
#: What the server says where a dry run, or this user, can't tell; and how that is said.
_BEYOND: Final = (
    (r"is forbidden: User .* cannot (?:patch|create|get) ", "the user of this context may not patch them"),
    (
        r"does not support dry run|dry.?run.*(?:not supported|side effects)",
        "a webhook with side effects does not answer a dry run",
    ),
    (r"exceeded quota|forbidden: quota", "a quota is used up, by what they would replace too"),
    (
        r"already allocated|is not in the valid range|all IPs are allocated",
        "an address or port is taken in this cluster",
    ),
    (_NO_KIND, "their kind is not known to this cluster"),
    (r'namespaces? "[^"]*" not found', "their namespace is not in this cluster"),
    (r"failed calling webhook|Timeout|timed out", "a webhook did not answer"),
    (
        (
            r"Error from server \((?:ServiceUnavailable|TooManyRequests|InternalError)\)|the server is currently unable"
            r"|too many requests|an error on the server"
        ),
        "the server did not answer them",
    ),
)


def _can_not_tell(text: str) -> str | None:
    return next((reason for pattern, reason in _BEYOND if re.search(pattern, text)), None)


def _defined(crd: Manifest) -> tuple[str, str]:
    spec = crd.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    return (
        (str(spec.get("group")), str(names.get("kind")))
        if isinstance(spec, dict) and isinstance(names, dict)
        else ("", "")
    )


def _is_said(overlay: OverlayVerification, resource: str, answer: Answer) -> bool:
    """Whether a rule without a server has said it already, at that place."""
    field = plain_field(answer.field)
    for item in overlay.items:
        for verdict, resources, paths in _findings(item):
            if verdict is not Verdict.REJECTED or resource not in resources:
                continue
            if not field or not paths or any(_meet(_INDEX.sub("", path), field) for path in paths):
                return True
    return False


def _findings(item: Judgement) -> Iterator[tuple[Verdict, Sequence[str], Sequence[str]]]:
    yield item.verdict, item.resources, item.paths
    for finding in item.findings:
        yield finding.verdict, finding.resources, finding.paths


def _meet(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _refused(resource: str, answer: Answer) -> Note:
    path = plain_field(answer.field)
    return Note(
        verdict=Verdict.REJECTED, reason="server_refused", resource=resource, path=(path,) if path else (),
        because=f"the API server refuses it: {answer.text}", hint="correct the customization before applying",
    )  # fmt: skip


def _warned(resource: str, text: str) -> Note:
    return Note(
        verdict=Verdict.REJECTED, reason="server_refused", resource=resource, grave=Severity.REVIEW,
        because=f"the API server takes it, and warns: {text}", hint="see whether the warning matters to you",
    )  # fmt: skip


def _not_asked(unasked: Counter[str]) -> Note:
    told = "; ".join(
        f"{count} object{'s' * (count != 1)}: {reason}" for reason, count in sorted(unasked.items())
    )
    return Note(
        verdict=Verdict.REJECTED, reason="server_refused", grave=Severity.INFO,
        because=f"the API server could not tell of some objects, {told}", hint="look at them when they are applied",
    )  # fmt: skip
