"""Files of the user's repository that a source reads: values files, keyrings, inputs of generators."""

from __future__ import annotations

from upstreamsync.errors import RepositoryError
from upstreamsync.kit.lfs import OWN_POINTER, PULL, is_pointer
from upstreamsync.sources.job import Job


def read(job: Job, path: str) -> bytes:
    """The file as it will be after the edits that precede a render.

    Raises RepositoryError when it can't be read, when it is a link out of the repository, or a pointer of Git LFS.
    """
    data = _read(job, path)
    if is_pointer(data):
        raise RepositoryError(f"`{path}` is {OWN_POINTER}", hint=PULL)
    return data


def _read(job: Job, path: str) -> bytes:
    if path in job.overrides:
        return job.overrides[path]
    root = job.tools.root.resolve()
    file = (root / path).resolve()
    if not file.is_relative_to(root):
        raise RepositoryError(f"`{path}` is a link out of the repository", hint="put the file itself there")
    try:
        return file.read_bytes()
    except OSError as error:
        raise RepositoryError(
            f"`{path}` can't be read: {error.strerror}",
            hint="paths are relative to the folder of vendors.yaml",
        ) from None
