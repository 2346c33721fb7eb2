"""Which version a program says that it is: asked while it works already, and remembered where that is safe."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from upstreamsync.errors import ToolCrashed, ToolFailed
from upstreamsync.kit.run import engines, process
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.store.cache import Cache


@pytest.fixture
def kubectl(tmp_path: Path) -> Path:
    """A kubectl that may be touched and replaced."""
    real = Engines().kustomize()
    if not real.embedded:
        pytest.skip("KUSTOMIZE names no kubectl")
    folder = tmp_path / "bin"
    folder.mkdir()
    try:
        os.link(real.binary, folder / "kubectl")
    except OSError:
        shutil.copy2(real.binary, folder / "kubectl")
    return folder / "kubectl"


def finding(program: Path, cache: Cache | None) -> Engines:
    return Engines(environment={"KUSTOMIZE": str(program)}, cache=cache)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that are run."""
    found: list[str] = []
    real = process.run

    def run(argv, **options):
        found.append(os.path.basename(argv[0]))
        return real(argv, **options)

    monkeypatch.setattr(process, "run", run)
    return found


def test_a_program_is_asked_once_and_then_remembered(kubectl: Path, tmp_path: Path, asked: list[str]) -> None:
    cache = Cache(tmp_path / "cache")
    first = finding(kubectl, cache).kustomize()
    version = first.version
    assert asked == ["kubectl"]
    again = finding(kubectl, cache).kustomize()
    assert (again.version, again.embedded, str(again)) == (version, True, str(first))
    assert asked == ["kubectl"]


def test_another_program_in_its_place_is_asked(kubectl: Path, tmp_path: Path, asked: list[str]) -> None:
    cache = Cache(tmp_path / "cache")
    version = finding(kubectl, cache).kustomize().version
    beside = kubectl.with_name("new")
    shutil.copy2(kubectl, beside)
    os.replace(beside, kubectl)
    assert finding(kubectl, cache).kustomize().version == version
    assert asked == ["kubectl", "kubectl"]


@pytest.mark.parametrize("kept", [b"", b"\xff", b"kubectl", b"kubectl 1.2.3 and more"])
def test_a_memory_that_makes_no_sense_is_none(
    kubectl: Path, tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch, kept: bytes
) -> None:
    monkeypatch.setattr(Cache, "get", lambda *_: kept)
    assert finding(kubectl, Cache(tmp_path / "cache")).kustomize().version
    assert asked == ["kubectl"]


def test_without_a_cache_nothing_is_remembered(kubectl: Path, asked: list[str]) -> None:
    for cache in (None, Cache(None)):
        assert finding(kubectl, cache).kustomize().version
    assert asked == ["kubectl", "kubectl"]


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_script_may_call_another_program_each_time(tmp_path: Path) -> None:
    cache, program = Cache(tmp_path / "cache"), tmp_path / "kubectl"
    said = tmp_path / "said"
    script(program, f"cat {said}")
    for version in ("5.5.0", "5.7.1"):
        said.write_text(f"Kustomize Version: v{version}\n")
        assert finding(program, cache).kustomize().version == version


def test_a_link_to_a_program_of_another_name_is_asked_each_time(
    kubectl: Path, tmp_path: Path, asked: list[str]
) -> None:
    manager = kubectl.rename(kubectl.with_name("manager"))
    kubectl.symlink_to(manager)
    cache = Cache(tmp_path / "cache")
    for _ in range(2):
        assert finding(kubectl, cache).kustomize().version
    assert asked == ["kubectl", "kubectl"]


def test_a_kubectl_can_build_before_it_has_said_its_version(tmp_path: Path) -> None:
    program = script(
        tmp_path / "kubectl",
        f'if [ "$1" = version ]; then while [ ! -e {tmp_path}/built ]; do sleep 0.02; done\n'
        'echo "Kustomize Version: v9.9.9"; else echo "kind: A"; fi',
    )
    kustomize = finding(program, None).kustomize()
    assert kustomize.build(tmp_path, started=(tmp_path / "built").touch) == b"kind: A\n"
    assert (tmp_path / "built").exists()
    assert str(kustomize) == "kustomize 9.9.9 (kubectl)"


def test_what_is_no_kubectl_says_so_when_its_version_is_wanted(tmp_path: Path) -> None:
    kustomize = finding(script(tmp_path / "kubectl", "echo hello"), None).kustomize()
    with pytest.raises(ToolFailed, match="neither a kustomize nor a kubectl"):
        _ = kustomize.version


def test_a_kustomize_says_its_version_and_is_remembered_for_what_it_is(tmp_path: Path) -> None:
    said = engines.probe_kustomize(script(tmp_path / "kustomize", "echo v5.6.0"))
    assert (said.version, said.embedded) == ("5.6.0", False)


# -- kustomize that panics ---------------------------------------------------------------------------

_PANICS = 'echo "panic: nil at 0xc0001a2b40" >&2; echo "goroutine 1 [running]:" >&2; exit 2'


def panicking(folder: Path, when: str) -> tuple[Engines, Path]:
    """A kustomize that panics under a condition, and a kustomization with a mark."""
    given = folder / "given"
    given.mkdir()
    (given / "kustomization.yaml").write_text("resources: []\n")
    program = script(
        folder / "kubectl",
        f'if [ "$1" = version ]; then echo "Kustomize Version: v5.7.1"; exit; fi\n'
        f"if {when}; then {_PANICS}; fi\necho 'kind: A'",
    )
    return finding(program, None), given


def test_a_panic_over_one_kustomization_each_time_is_its_answer(tmp_path: Path) -> None:
    found, given = panicking(tmp_path, f'[ "$2" = {tmp_path}/given ]')
    with pytest.raises(ToolFailed) as caught:
        found.kustomize().build(given)
    assert not isinstance(caught.value, ToolCrashed)
    assert caught.value.stderr == "panic: nil at 0x…"
    assert "gives up" in caught.value.message


@pytest.mark.parametrize("when", ["true", "[ ! -e {0}/again ]"], ids=["always", "once"])
def test_a_panic_over_anything_or_but_once_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    found, given = panicking(tmp_path, when.format(tmp_path))
    kustomize, real = found.kustomize(), process.run

    def run(*words: object, **options: object) -> object:
        try:
            return real(*words, **options)  # type: ignore[arg-type]
        finally:
            (tmp_path / "again").touch()  # an engine itself can't

    monkeypatch.setattr(process, "run", run)
    with pytest.raises(ToolCrashed):
        kustomize.build(given)
