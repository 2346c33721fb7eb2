"""Archives from strangers: what is read, and what is refused for which reason."""

import contextlib
import gzip
import io
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.errors import ContentError, Malformed, Refused, TooLarge, UpstreamError
from upstreamsync.kit.archives import read_archive


def tar(*members: tuple[str, bytes] | tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def zipped(*members: tuple[str, bytes], attr: int = 0, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = attr << 16
            info.compress_type = compression
            archive.writestr(info, data)
    return out.getvalue()


FILES = (("chart/Chart.yaml", b"name: x\n"), ("./chart/templates/a.yaml", b"a: 1\n"), ("b", b""))


@pytest.mark.parametrize("data", [tar(*FILES), tar(*FILES, mode="w:"), zipped(*FILES)])
def test_the_three_kinds_give_the_same(data: bytes) -> None:
    assert [(f.path, f.data) for f in read_archive(data, name="x")] == [
        ("b", b""),
        ("chart/Chart.yaml", b"name: x\n"),
        ("chart/templates/a.yaml", b"a: 1\n"),
    ]


def test_folders_are_passed_and_programs_stay_executable() -> None:
    folder = special("d/", tarfile.DIRTYPE)
    program = tarfile.TarInfo("d/run")
    program.mode = 0o755
    (file,) = read_archive(tar(special("./", tarfile.DIRTYPE), folder, program), name="x")
    assert file.executable
    (file,) = read_archive(zipped(("run", b""), attr=stat.S_IFREG | 0o755), name="x")
    assert file.executable


HOSTILE_NAMES = [
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a/./b",
    "a//b",
    "C:/x",
    "C:x",
    "a\\..\\b",
    "x\ny",
    "nul",
    "a/COM1.yaml",
    "a/.git/config",
    ".GIT/hooks/x",
    ".git./x",
    "a./x",
    "x ",
    "a" * 300,
    "/".join(["d"] * 600),
    "file:stream",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_refused(name: str) -> None:
    for data in (tar((name, b"x")), zipped((name, b"x"))):
        with pytest.raises(Refused) as caught:
            read_archive(data, name="evil.tgz")
        assert "evil.tgz" in str(caught.value)
        assert caught.value.hint


@pytest.mark.parametrize("names", [("a", "a"), ("a", "A"), ("d/x", "D/y"), ("a", "a/b"), ("é", "e\u0301")])
def test_names_that_get_in_each_others_way_are_refused(names: tuple[str, str]) -> None:
    with pytest.raises(Refused):
        read_archive(tar(*((name, b"x") for name in names)), name="x")


@pytest.mark.parametrize(
    "member",
    [
        special("l", tarfile.SYMTYPE, "/etc/passwd"),
        special("l", tarfile.SYMTYPE, "b"),
        special("l", tarfile.LNKTYPE, "../x"),
        special("l", tarfile.CHRTYPE),
        special("l", tarfile.BLKTYPE),
        special("l", tarfile.FIFOTYPE),
    ],
)
def test_links_and_devices_are_refused(member: tarfile.TarInfo) -> None:
    with pytest.raises(Refused):
        read_archive(tar(("b", b"x"), member), name="x")
    with pytest.raises(Refused):
        read_archive(zipped(("l", b"/etc/passwd"), attr=stat.S_IFLNK | 0o777), name="x")


def test_links_may_be_left_out() -> None:
    data = tar(("b", b"x"), special("l", tarfile.SYMTYPE, "b"))
    assert [file.path for file in read_archive(data, name="x", skip_links=True)] == ["b"]


def test_too_many_entries_folders_included() -> None:
    data = tar(*(special(f"d{n}", tarfile.DIRTYPE) for n in range(11)))
    with pytest.raises(TooLarge, match="10 entries"):
        read_archive(data, name="x", max_files=10)


def test_too_many_bytes() -> None:
    for data in (tar(("a", b"x" * 600), ("b", b"y" * 600)), zipped(("a", b"x" * 600), ("b", b"y" * 600))):
        with pytest.raises(TooLarge):
            read_archive(data, name="x", max_bytes=1000)


def test_bombs_are_seen_by_their_ratio() -> None:
    zeros = b"\0" * (64 * 1024 * 1024)
    for data in (tar(("a", zeros)), zipped(("a", zeros)), gzip.compress(zeros)):
        with pytest.raises((TooLarge, Malformed)):
            read_archive(data, name="x")


def test_a_gzip_bomb_is_stopped_before_it_is_unpacked() -> None:
    data = gzip.compress(b"\0" * (48 * 1024 * 1024), 9)
    with pytest.raises(TooLarge, match="times its size"):
        read_archive(data, name="x")


@pytest.mark.parametrize("data", [b"", b"no archive", b"\x1f\x8b", b"PK\x03\x04", b"<html>404</html>" * 100])
def test_what_is_no_archive_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_archive(data, name="x")


@pytest.mark.parametrize("data", [tar(*FILES), zipped(*FILES), tar(*FILES, mode="w:")])
def test_a_truncated_archive_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_archive(data[: len(data) * 2 // 3 if data[:2] != b"ch" else 600], name="x")


@given(st.sampled_from([tar(*FILES), tar(*FILES, mode="w:"), zipped(*FILES)]), st.data())
def test_damage_never_ends_in_anything_but_our_errors(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 8))):
        damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    with contextlib.suppress(ContentError, UpstreamError):
        read_archive(bytes(damaged), name="x")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_is_unpacked_by_and_by_or_not_at_all(method):
    """Found by fuzzing, where the method of a sound archive became another one."""
    whole = zipped(("a.yaml", bytes(50_000_000)), compression=method)
    relabelled = zipped(*FILES).replace(
        b"\x14\x03\x14\x00\x00\x00\x08\x00", b"\x14\x03\x14\x00\x00\x00" + bytes((method, 0))
    )
    for data in (whole, relabelled):
        with pytest.raises(Malformed, match="not deflate"):
            read_archive(data, name="x")
