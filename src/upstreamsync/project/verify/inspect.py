"""A verification and the two trees that it is about → Inspection: what its verdicts and dangers speak of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import (
    Inspection,
    ObjectText,
    OverlayReview,
    OverlayTexts,
    OverlayVerification,
    Review,
    Verdict,
    Verification,
)
from upstreamsync.project.settings import Settings, build_store
from upstreamsync.review import review
from upstreamsync.review.sides import Sides
from upstreamsync.verify import overlay_output
from upstreamsync.verify.overlays.graph import inputs
from upstreamsync.verify.overlays.tree import Tree

#: Told both trees, while they are there, and what was found in them.
Look = Callable[[Path, Path, Verification], None]
#: So many objects are shown beside one finding, and so many characters of a file of one's own are read.
_OBJECTS = 4
_LARGEST = 200_000


class Inspector:
    """Looks at both trees of a run while they are there; ``found`` is what it saw, in the order of the looks."""

    def __init__(
        self, settings: Settings, engines: Engines, bases: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._settings, self._engines = settings, engines
        self._bases = bases or {}
        self.found: list[Inspection] = []

    def __call__(self, before: Path, after: Path, verification: Verification) -> None:
        """Look."""
        self.found.append(self.inspect(before, after, verification))

    def inspect(
        self,
        before: Path,
        after: Path,
        verification: Verification,
        *,
        known: Review | None = None,
        subject: str = "",
    ) -> Inspection:
        """Build each overlay on both sides (what the judge has built is not built again) and read what it names.

        ``known`` is a review that was made already.
        """
        paths = [overlay.path for overlay in verification.overlays]
        built = self._built(before, after, paths)
        return Inspection(
            verification=verification,
            review=known or Review(overlays=tuple(_reviewed(path, built[path]) for path in paths)),
            overlays=tuple(_texts(one, built[one.path]) for one in verification.overlays),
            files=_files(before, after, verification),
            vendors=self._vendors(after, verification),
            subject=subject,
        )

    def _built(self, before: Path, after: Path, paths: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
        store, engines = build_store(self._settings.cache()), self._engines

        def output(place: tuple[Path, str]) -> bytes:
            try:
                return overlay_output(*place, kustomize=engines.kustomize(), store=store, helm=engines.helm)
            except UpstreamsyncError:  # the verdicts say what is wrong with it
                return b""

        places = [(side, path) for path in paths for side in (before, after)]
        made = [outcome.get() for outcome in ordered_map(output, places, self._settings.engine_jobs)]
        return {path: (made[2 * number], made[2 * number + 1]) for number, path in enumerate(paths)}

    def _vendors(self, after: Path, verification: Verification) -> dict[str, tuple[str, ...]]:
        """The vendors that each kustomization stands on, by its folder."""
        if not self._bases:
            return {}
        tree = Tree(after)
        folders = [overlay.path for overlay in verification.overlays]
        folders += [item.kustomization for item in verification.items if item.verdict is not Verdict.OK]
        found = {}
        for folder in dict.fromkeys(folders):
            files = inputs(tree, folder)
            found[folder] = tuple(
                vendor
                for vendor, bases in self._bases.items()
                if any(file.startswith(f"{base}/") for base in bases for file in files)
            )
        return found


def _reviewed(path: str, built: tuple[bytes, bytes]) -> OverlayReview:
    """What changes for the cluster; nothing is said of an overlay that does not build on both sides."""
    if not all(built):
        return OverlayReview(path=path)
    try:
        before, after = manifests.objects_of_both(*built)
    except UpstreamsyncError:
        return OverlayReview(path=path)
    return review(path, before, after)


def _texts(overlay: OverlayVerification, built: tuple[bytes, bytes]) -> OverlayTexts:
    sides = Sides(*built)
    wanted = dict.fromkeys(
        resource
        for item in overlay.items
        if item.verdict is not Verdict.OK
        for finding in item.told
        for resource in finding.resources[:_OBJECTS]
    )
    named: dict[str, ObjectText] = {}
    for resource in wanted:
        if (text := sides.find(resource)) is not None:
            named[resource] = text
    return OverlayTexts(path=overlay.path, changed=sides.changed if all(built) else (), named=named)


def _files(before: Path, after: Path, verification: Verification) -> dict[str, tuple[str | None, str | None]]:
    names = dict.fromkeys(item.file for item in verification.items if item.file)
    return {name: (_read(before, name), _read(after, name)) for name in names}


def _read(root: Path, name: str) -> str | None:
    path = root / name
    try:
        if not path.resolve().is_relative_to(root.resolve()) or not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
