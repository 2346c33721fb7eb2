"""Textual changes, for content that is not YAML or lacks a name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from upstreamsync.base.located import At, nowhere
from upstreamsync.config.spec import Rewrite
from upstreamsync.errors import ContentError, SelectionError
from upstreamsync.kit import globs
from upstreamsync.kit.templates import fill
from upstreamsync.model import ContentFile, Place


def rewrite_files(
    files: Sequence[ContentFile],
    rewrites: Sequence[Rewrite],
    values: Mapping[str, str],
    at: At = nowhere,
) -> tuple[ContentFile, ...]:
    """Each rewrite in turn, on the files that it is for.

    ``values`` fill the placeholders of ``with``; ``at`` says where in vendors.yaml each stands. Raises
    SelectionError for a rewrite that matches nothing, ContentError for a replacement that can't be made.
    """
    for number, rewrite in enumerate(rewrites):
        files = _apply(files, rewrite, values, at(number))
    return tuple(files)


def _apply(
    files: Sequence[ContentFile], rewrite: Rewrite, values: Mapping[str, str], place: Place | None
) -> list[ContentFile]:
    changed, count = [], 0
    for file in files:
        if rewrite.file is not None and not globs.matches(rewrite.file, file.path):
            changed.append(file)
            continue
        # Bytes that are not UTF-8 travel through unharmed.
        text, found = _rewritten(file.data.decode("utf-8", "surrogateescape"), rewrite, values, place)
        count += found
        data = text.encode("utf-8", "surrogateescape")
        changed.append(ContentFile(path=file.path, data=data, executable=file.executable))
    if not count:
        what = f"`{rewrite.replace or rewrite.drop_lines}`"
        where = f"files `{rewrite.file}`" if rewrite.file else "the content"
        raise SelectionError(
            f"the rewrite of {what} matches nothing in {where}",
            hint=f"there are: {', '.join(file.path for file in files[:10]) or 'no files'}; "
            "upstream may have changed the text: look, then adapt or remove the rewrite",
            place=place,
        )
    return changed


def _rewritten(
    text: str, rewrite: Rewrite, values: Mapping[str, str], place: Place | None
) -> tuple[str, int]:
    if rewrite.drop_lines is not None:
        lines = text.splitlines(keepends=True)
        pattern = re.compile(rewrite.drop_lines)
        kept = [line for line in lines if not pattern.search(line.rstrip("\r\n"))]
        return "".join(kept), len(lines) - len(kept)
    literal = {name: value.replace("\\", r"\\") for name, value in values.items()}
    template = rewrite.with_ or ""
    try:
        replacement = fill(template, literal)
        return re.subn(rewrite.replace or "", replacement, text, flags=re.MULTILINE)
    except KeyError as error:
        raise ContentError(
            f"nothing fills the placeholder {{{error.args[0]}}} of the replacement `{template}`",
            hint=f"known here: {', '.join(f'{{{name}}}' for name in sorted(values))}",
            place=place,
        ) from None
    except (re.error, IndexError) as error:
        raise ContentError(
            f"the replacement `{template}` does not fit its pattern: {error}",
            hint=r"groups are written \1 or \g<name>",
            place=place,
        ) from None
