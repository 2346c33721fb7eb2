"""A source: manifests that a shop keeps in a folder per version, ``shelf: {folder: …}`` in vendors.yaml."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from upstreamsync import Artifact, ContentFile, Job, Resolved


class Shelf:
    """Takes every YAML file of ``<folder>/<version>``."""

    def fetch(self, job: Job) -> Artifact:
        """The files of the release's folder."""
        folder = self._folder(job)
        files = tuple(
            ContentFile(path=path.name, data=path.read_bytes()) for path in sorted(folder.glob("*.yaml"))
        )
        digest = sha256(b"".join(file.data for file in files)).hexdigest()
        origin = Resolved(kind="shelf", location=folder.as_uri(), digest=f"sha256:{digest}")
        return Artifact(resolved=(origin,), files=files)

    def probe(self, job: Job) -> None:
        """A folder that is listed is there."""

    def _folder(self, job: Job) -> Path:
        assert job.source.own is not None
        return Path(job.source.own.options["folder"]) / job.release.version
