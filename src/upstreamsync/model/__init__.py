"""The values that travel through a run: frozen, slotted, keyword-only.

vendors.yaml → Vendor (config) → Release → Finding → Artifact → Base → Change
→ Verification and Review → Proposal → PullRequest.

Values hold no handles: no open file, no client, no path that must still exist.
Paths inside the user's repository are POSIX strings relative to its root.
A digest is written ``sha256:<hex>``, a git commit as 40 hex digits.

Each name is loaded when it is first used: no run needs all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upstreamsync.model.adoption import Adoption, RunnerUp
    from upstreamsync.model.change import (
        Artifact,
        Base,
        Change,
        ContentFile,
        Edited,
        ForkChange,
        Resolved,
        Shrunk,
        VendorUpdate,
    )
    from upstreamsync.model.inspection import Inspection, OverlayTexts
    from upstreamsync.model.places import EMPTY, Failure, Place, Problem
    from upstreamsync.model.promotion import CommitCheck, Hold, HoldKind, Move, Promoted, PromotionStep
    from upstreamsync.model.pull_request import Action, Commit, Proposal, PullRequest
    from upstreamsync.model.release import Finding, ImageFinding, PassedOver, Release, Status
    from upstreamsync.model.review import (
        Danger,
        ImageChange,
        ObjectText,
        OverlayReview,
        Review,
        StageFinding,
        StageResult,
    )
    from upstreamsync.model.verification import (
        BaseCondition,
        BaseState,
        Build,
        Cluster,
        FieldChange,
        Fix,
        ItemFinding,
        Judgement,
        LeftOut,
        OverlayVerification,
        ResourceChange,
        Severity,
        Verdict,
        Verification,
    )

__all__ = [
    "EMPTY",
    "Action",
    "Adoption",
    "Artifact",
    "Base",
    "BaseCondition",
    "BaseState",
    "Build",
    "Change",
    "Cluster",
    "Commit",
    "CommitCheck",
    "ContentFile",
    "Danger",
    "Edited",
    "Failure",
    "FieldChange",
    "Finding",
    "Fix",
    "ForkChange",
    "Hold",
    "HoldKind",
    "ImageChange",
    "ImageFinding",
    "Inspection",
    "ItemFinding",
    "Judgement",
    "LeftOut",
    "Move",
    "ObjectText",
    "OverlayReview",
    "OverlayTexts",
    "OverlayVerification",
    "PassedOver",
    "Place",
    "Problem",
    "Promoted",
    "PromotionStep",
    "Proposal",
    "PullRequest",
    "Release",
    "Resolved",
    "ResourceChange",
    "Review",
    "RunnerUp",
    "Severity",
    "Shrunk",
    "StageFinding",
    "StageResult",
    "Status",
    "VendorUpdate",
    "Verdict",
    "Verification",
]

#: The module that each name lives in.
_HOMES = {
    "Action": "pull_request",
    "Adoption": "adoption",
    "Artifact": "change",
    "Base": "change",
    "BaseCondition": "verification",
    "BaseState": "verification",
    "Build": "verification",
    "Change": "change",
    "Cluster": "verification",
    "Commit": "pull_request",
    "CommitCheck": "promotion",
    "ContentFile": "change",
    "Danger": "review",
    "EMPTY": "places",
    "Edited": "change",
    "Failure": "places",
    "FieldChange": "verification",
    "Finding": "release",
    "Fix": "verification",
    "ForkChange": "change",
    "Hold": "promotion",
    "HoldKind": "promotion",
    "ImageChange": "review",
    "ImageFinding": "release",
    "Inspection": "inspection",
    "ItemFinding": "verification",
    "Judgement": "verification",
    "LeftOut": "verification",
    "Move": "promotion",
    "ObjectText": "review",
    "OverlayReview": "review",
    "OverlayTexts": "inspection",
    "OverlayVerification": "verification",
    "PassedOver": "release",
    "Place": "places",
    "Problem": "places",
    "Promoted": "promotion",
    "PromotionStep": "promotion",
    "Proposal": "pull_request",
    "PullRequest": "pull_request",
    "Release": "release",
    "Resolved": "change",
    "ResourceChange": "verification",
    "Review": "review",
    "RunnerUp": "adoption",
    "Severity": "verification",
    "Shrunk": "change",
    "StageFinding": "review",
    "StageResult": "review",
    "Status": "release",
    "VendorUpdate": "change",
    "Verdict": "verification",
    "Verification": "verification",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `upstreamsync.model` has no attribute `{name}`")
    from importlib import import_module

    value = getattr(import_module(f"upstreamsync.model.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
