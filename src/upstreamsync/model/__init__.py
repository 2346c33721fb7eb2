"""The values that travel through a run: frozen, slotted, keyword-only.

vendors.yaml → Vendor (config) → Release → Finding → Artifact → Base → Change
→ Verification and Review → Proposal → PullRequest.

Values hold no handles: no open file, no client, no path that must still exist.
Paths inside the user's repository are POSIX strings relative to its root.
A digest is written ``sha256:<hex>``, a git commit as 40 hex digits.
"""

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
from upstreamsync.model.inspection import Inspection, ObjectText, OverlayTexts
from upstreamsync.model.places import EMPTY, Failure, Place, Problem
from upstreamsync.model.promotion import CommitCheck, Hold, HoldKind, Move, Promoted, PromotionStep
from upstreamsync.model.pull_request import Action, Commit, Proposal, PullRequest
from upstreamsync.model.release import Finding, ImageFinding, PassedOver, Release, Status
from upstreamsync.model.review import Danger, ImageChange, OverlayReview, Review, StageFinding, StageResult
from upstreamsync.model.verification import (
    Adoption,
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
    RunnerUp,
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
