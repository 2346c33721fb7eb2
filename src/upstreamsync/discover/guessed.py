"""Manifests that say nothing of where they come from: a release's file, by its name and by its images.

A guess is no more than that: it is written as a comment, unless upstream has the very same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from upstreamsync.discover.candidates import Candidate
from upstreamsync.discover.scan import TextFile
from upstreamsync.model import Place

#: How files of releases are called that hold all of a product; a team's own files are named for what they hold.
_OF_RELEASES = re.compile(
    r"(?:[\w.-]+[-_.])?(?:install|installer|manifests?|components|release|bundle|all-in-one|operator)\.ya?ml"
)
_IMAGE = re.compile(
    r"^[ \t-]*image:[ \t]*[\"']?ghcr\.io/([\w.-]+/[\w.-]+?)(?:/[\w./-]+)?:(v?\d+\.\d+\.\d+[\w.-]*)[\"']?[ \t]*$",
    re.MULTILINE,
)
_OBJECT = re.compile(r"^kind:", re.MULTILINE)
#: Fewer objects are hardly a product.
_LEAST = 3
_REMARK = "only its images say so: upstream's release may have another file, or other content"


def read_plain(file: TextFile) -> Iterator[Candidate]:
    """What the images of a release's file, which all are of one repository's packages, say of it."""
    if not (file.is_yaml and _OF_RELEASES.fullmatch(file.name)) or not file.folder or "{{" in file.text:
        return
    images = list(_IMAGE.finditer(file.text))
    said = {match.groups() for match in images}
    if len(said) != 1 or len(_OBJECT.findall(file.text)) < _LEAST:
        return
    ((slug, version),) = said
    yield Candidate(
        names=(slug.partition("/")[2],),
        found=Place(file=file.path, line=file.text.count("\n", 0, images[0].start()) + 1),
        version=version,
        source={"url": f"https://github.com/{slug}/releases/download/{{version}}/{file.name}"},
        base=file.folder,
        base_is_real=True,
        releases={"github": slug},
        unsure=(_REMARK,),
        complete=False,
        guessed=True,
    )
