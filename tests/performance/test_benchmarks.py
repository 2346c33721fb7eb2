"""The benchmarks run, look at the answers of what they measure, and tell every limit. No time is held here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


@pytest.fixture
def modules(monkeypatch):
    """The benchmarks' modules, which import each other by their bare names; others may have the same."""
    names = [path.stem for path in BENCHMARKS.glob("*.py")]
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def engines():
    """Where the engines are, for a run of the driver."""
    return {"HELM": str(Engines().helm().binary), "KUSTOMIZE": str(Engines().kustomize().binary)}


@pytest.mark.slow
@pytest.mark.timeout(900)  # about forty processes, one after the other
def test_the_smallest_run_tells_every_limit_and_fills_the_page(tmp_path, engines):
    page = tmp_path / "page.md"
    shutil.copyfile(PAGE, page)
    command = [sys.executable, BENCHMARKS / "run.py", "--quick", "--scale", "0.01", "--times", "1"]
    done = subprocess.run(
        [*command, "--vendors", "3", "6", "--latency", "0", "--markdown", page],
        env={**os.environ, **engines},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary = done.stdout.partition("\nSummary\n")[2]
    for number in "123456":
        assert f"\n  {number}  " in summary, f"nothing answers demand {number}"
    for what in ("peak memory", "an unchanged vendor", "old side cached", "30 customizations", "`--help`"):
        assert what in summary
    assert "charts rendered" in summary
    head, _, rest = page.read_text("utf-8").partition("<!-- figures: begin -->")
    figures, _, tail = rest.partition("<!-- figures: end -->")
    assert (head, tail) == _around_the_figures(PAGE)
    assert "### Limits" in figures
    assert "quick; " in figures, "the page has to say how its figures were taken"


def _around_the_figures(page: Path) -> tuple[str, str]:
    text = page.read_text("utf-8")
    return text.partition("<!-- figures: begin -->")[0], text.partition("<!-- figures: end -->")[2]


def test_a_wrong_answer_of_check_ends_the_run(tmp_path, modules):
    import checking
    import measure

    from upstreamsync.testing import World
    from world import Upstream

    with World() as world:
        for version in ("1.0.0", "1.1.0"):
            world.chart("charts/acme", "acme", version)
        facts = {"repository": f"{world.url}/charts/acme", "chart": "acme", "current": "1.0.0"}
        checking.Subject(tmp_path / "true", [Upstream(**facts, newest="1.1.0")]).check(cold=True)
        with pytest.raises(measure.Wrong):
            checking.Subject(tmp_path / "lie", [Upstream(**facts, newest="1.2.0")]).check(cold=True)


def test_customizations_that_are_not_judged_end_the_run(tmp_path, modules, engines, monkeypatch):
    import content
    import judging
    import measure

    for name, value in engines.items():
        monkeypatch.setenv(name, value)
    case = judging.Case(
        title="a lie",
        releases=content.objects(2),
        overlays={"overlay": f"{judging.HEADER}namespace: bench\n"},
        limit=1.0,
        items=2,
    )
    with pytest.raises(measure.Wrong, match="1 customizations were judged, 2 there are"):
        judging.Bench(tmp_path, case).measure(1)


def test_an_update_to_another_version_ends_the_run(tmp_path, modules):
    import measure
    import updating

    repository = object.__new__(updating.Repository)
    repository.vendors = [{"name": "acme", "versions": ("1.0.0", "1.1.0")}]
    found = {"vendors": [{"name": "acme", "status": "updated", "to": "1.0.9"}], "verification": None}
    with pytest.raises(measure.Wrong, match=r"1\.0\.9"):
        repository.look_at(found, "updated", [])


def test_a_command_that_fails_is_not_measured(modules):
    import measure

    with pytest.raises(measure.Broken, match="no such thing"):
        measure.run([sys.executable, "-c", "raise SystemExit('no such thing')"])


@pytest.mark.parametrize(
    ("measured", "limit", "verdict"),
    [(2.0, 2.0, "holds"), (2.01, 2.0, "MISSED"), (None, 2.0, "not measured"), (5.0, None, "")],
)
def test_a_figure_holds_up_to_its_limit(modules, measured, limit, verdict):
    from report import Figure

    assert Figure(number="1", what="time", measured=measured, limit=limit).verdict == verdict


def test_a_share_of_several_is_compared(modules):
    from measure import Cost

    from report import ratio

    costs = {
        "all": Cost(wall=6.0, cpu=9.0, memory=0),
        "one": Cost(wall=1.0, cpu=1.0, memory=0),
    }
    figure = ratio("4", "each", costs, "all", "one", 2.2, share=3)
    assert (figure.measured, figure.aside, figure.verdict) == (2.0, "CPU 3×", "holds")
    absent = ratio("1", "each", costs, "all", "peer", 2.2, absent="not installed")
    assert (absent.verdict, absent.value) == ("not measured", "(not installed)")


def test_a_page_without_markers_is_left_alone(tmp_path, modules):
    import report

    page = tmp_path / "page.md"
    page.write_text("# Performance\n", "utf-8")
    with pytest.raises(ValueError, match="figures: begin"):
        report.write_page(page, [], ["quick"])
    assert page.read_text("utf-8") == "# Performance\n"
