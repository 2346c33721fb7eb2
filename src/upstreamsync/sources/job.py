"""What every kind of source is given, and what they share: placeholders, names of files, digests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from upstreamsync.errors import Refused, SelectionError
from upstreamsync.kit.paths import check_relative
from upstreamsync.kit.redact import redact
from upstreamsync.kit.templates import fill, placeholders, release_values
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import EMPTY, Artifact, ContentFile, Release

if TYPE_CHECKING:
    from upstreamsync.config.spec import Source, Vendor

#: What a version may not bring into a URL, a path or a command line.
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f?#%\\]|^-|(?:^|/)\.\.(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One source to fetch at one release.

    ``overrides`` maps repository paths to the bytes of user files as they will be after the edits that
    precede a render; other user files are read below ``tools.root``.
    """

    source: Source
    release: Release
    vendor: Vendor
    tools: Toolbox
    overrides: Mapping[str, bytes] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        """Raise Refused for a version that does not look as it is: it would be written into vendors.yaml."""
        if not self.release.version.isprintable():
            raise Refused(
                f"version {self.release.version!r} has characters that can't be seen",
                hint="narrow down the versions with `releases.tag`",
            )

    def fill(self, text: str, what: str) -> str:
        """``text`` with its placeholders filled; ``what`` names its key in messages.

        Raises SelectionError for a placeholder that this release does not fill, Refused for a value
        that would change the meaning of a URL, a path or a command line.
        """
        values = release_values(self.release)
        for name in placeholders(text):
            if name not in values:
                raise SelectionError(
                    f"`{what}` has {{{name}}}, and version {self.release.version} has none",
                    hint=f"known for it: {', '.join('{' + known + '}' for known in sorted(values))}",
                )
            if _UNSAFE.search(values[name]):
                raise Refused(
                    f"{{{name}}} of version {self.release.version} is {values[name]!r}, "
                    f"which can't stand in `{what}`",
                    hint="narrow down the versions with `releases.tag`",
                )
        return fill(text, values)

    def fill_known(self, text: str) -> str:
        """``text`` with the placeholders that are known filled; other braces are the text's own."""
        values = release_values(self.release)
        return fill(text, {**{name: f"{{{name}}}" for name in placeholders(text)}, **values})


class SourceKind(Protocol):
    """A kind of source: fetches content, and can say cheaply whether it is there.

    A module with these two functions is one; so is any object of the user's.
    """

    @property
    def fetch(self) -> Callable[[Job], Artifact]:
        """The release's content. Raises the families UpstreamError, ContentError and ToolError."""

    @property
    def probe(self) -> Callable[[Job], None]:
        """Raise NotFound when the release's content does not exist upstream; may look at nothing."""


def files_digest(files: Sequence[ContentFile]) -> str:
    """A digest of names and contents together; the order of the files says nothing."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda one: one.path):
        name = file.path.encode()
        digest.update(b"%d %s %d %d\n" % (len(name), name, file.executable, len(file.data)))
        digest.update(file.data)
    return f"sha256:{digest.hexdigest()}"


def safe_name(path: str, origin: str) -> str:
    """``path`` as a relative POSIX path that stays in its folder. Raises Refused for any other."""
    return check_relative(path, origin=origin)


def name_from_url(url: str) -> str:
    """The last part of a URL's path. Raises SelectionError when it has none."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    if not name:
        raise SelectionError(
            f"`{redact(url)}` has no file name at its end", hint="give `file`, the name to write it as"
        )
    return name


def one_file(job: Job, data: bytes) -> tuple[ContentFile, ...]:
    """Content that is one stream: under ``source.file``, else the vendor's name."""
    name = job.source.file or f"{job.vendor.name}.yaml"
    return (ContentFile(path=safe_name(job.fill(name, "file"), "file"), data=data),)
