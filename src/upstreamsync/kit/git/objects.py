r"""Git's objects held against their own names: a store in a cache may have been filled by somebody else.

git computes an object's id when it fetches it, and takes its word when it reads it again. A commit's id comes from
the server or from the lock; from there each tree and file is named by the digest of its content, so that all of
what is read can be checked (gitformat-pack, "Object types"; the object is ``<type> <size>\0<content>``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from upstreamsync.errors import Malformed
from upstreamsync.kit.git.command import Entry

_KINDS = {"40000": "tree", "160000": "commit"}
_DEPTH = 100


class Damaged(Malformed):
    """An object that is not what its id says: the store is damaged, or somebody else's."""


def checked(output: bytes, wanted: Sequence[str]) -> dict[str, bytes]:
    """What ``git cat-file --batch`` printed for ``wanted``, each held against its id; absent ones are left out.

    Raises Damaged.
    """
    found: dict[str, bytes] = {}
    position = 0
    for oid in wanted:
        end = output.index(b"\n", position)
        fields = output[position:end].split()
        position = end + 1
        if len(fields) != 3:
            continue
        kind, size = fields[1], int(fields[2])
        content = output[position : position + size]
        position += size + 1
        if _oid(kind, content, len(oid)) != oid:
            raise Damaged(f"the object {oid[:12]} is not what its id says")
        found[oid] = content
    return found


def _oid(kind: bytes, content: bytes, length: int) -> str:
    digest = hashlib.sha256() if length == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"%s %d\0" % (kind, len(content)))
    digest.update(content)
    return digest.hexdigest()


def entries(commit: str, read: Callable[[list[str]], bytes]) -> tuple[Entry, ...]:
    """All entries of a commit's tree that are no folders, sorted by path, as ``git ls-tree -r`` lists them.

    ``read`` gives what ``git cat-file --batch`` prints for ids. Raises Damaged.
    """
    found: list[Entry] = []
    folders = [("", _tree(commit, read))]
    for _ in range(_DEPTH):
        if not folders:
            return tuple(sorted(found, key=lambda entry: entry.path))
        wanted = list(dict.fromkeys(oid for _, oid in folders))
        trees = checked(read(wanted), wanted)
        if len(trees) != len(wanted):
            raise Damaged("a folder of the commit is missing")
        below = [entry for prefix, oid in folders for entry in _listed(prefix, trees[oid], len(commit) // 2)]
        folders = [(f"{entry.path}/", entry.oid) for entry in below if entry.kind == "tree"]
        found += [entry for entry in below if entry.kind != "tree"]
    raise Damaged(f"{commit[:12]} has folders more than {_DEPTH} deep")


def _tree(commit: str, read: Callable[[list[str]], bytes]) -> str:
    """The id of a commit's tree; a tag stands for what it was put on."""
    oid = commit
    for _ in range(_DEPTH):
        head = checked(read([oid]), [oid]).get(oid, b"").partition(b"\n")[0].decode("ascii", "replace")
        kind, _, oid = head.partition(" ")
        if kind == "tree":
            return oid
        if kind != "object":
            break
    raise Damaged(f"{commit[:12]} is no commit")


def _listed(prefix: str, tree: bytes, length: int) -> list[Entry]:
    r"""The entries of one tree object: ``<mode> <name>\0<id>``, one after the other."""
    listed = []
    position = 0
    while position < len(tree):
        space = tree.index(b" ", position)
        end = tree.index(b"\0", space)
        mode = tree[position:space].decode("ascii", "replace")
        name = tree[space + 1 : end].decode("utf-8", "surrogateescape")
        position = end + 1 + length
        oid = tree[end + 1 : position].hex()
        listed.append(
            Entry(path=f"{prefix}{name}", mode=mode.zfill(6), kind=_KINDS.get(mode, "blob"), oid=oid)
        )
    return listed
