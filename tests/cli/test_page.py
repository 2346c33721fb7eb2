"""``--html``: each of the four verbs writes a page, beside what it prints."""

from __future__ import annotations

import pytest

from upstreamsync.cli.propose import run_address

NAMED = "patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: server}\n    spec: {template: {spec: {containers: [{name: server, tty: true}]}}}\n"


@pytest.fixture
def moved(bench):
    """A vendor at v1.0.0 with an overlay; v2.0.0, which renames its container, is there to take."""
    bench.publish("v1.0.0")
    bench.configure(bench.vendor())
    bench.overlay(NAMED)
    assert bench.run("update").returncode == 0
    bench.commit()
    bench.publish("v1.0.0", "v2.0.0", container="main")
    bench.world.file("server/v1.0.0/install.yaml", bench.deployment("v1.0.0"))
    return bench


def test_each_verb_writes_its_page(moved, tmp_path):
    page = tmp_path / "page.html"
    for words, said in (
        (("check",), ("outdated", "v2.0.0")),
        (("update", "--dry-run"), ("misapplied", "server/overlay", "Files: ", "containers")),
        (
            ("pr", "--forge", "local", "--dry-run"),
            ("misapplied", "server/overlay", "would be opened as a draft"),
        ),
        (("update",), ("misapplied", "updated")),
        (("verify",), ("misapplied", "pristine", "server/overlay/kustomization.yaml:")),
    ):
        page.unlink(missing_ok=True)
        done = moved.run(*words, "--html", str(page))
        assert done.returncode in (0, 1), done.stderr
        html = page.read_text("utf-8")
        for each in said:
            assert each in html, (words, each)


def test_a_page_that_cannot_be_written_is_a_mistake_of_the_command_line(moved, tmp_path):
    done = moved.run("check", "--html", str(tmp_path / "no/such/page.html"))
    assert done.returncode == 2
    assert "can't be written" in done.stderr


def test_two_folders_need_no_configuration(tmp_path, bench):
    for side, replicas in (("old", 1), ("new", 2)):
        for path, text in (
            ("base/kustomization.yaml", "resources: [a.yaml]\n"),
            (
                "base/a.yaml",
                f"apiVersion: v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {{replicas: {replicas}}}\n",
            ),
            ("app/kustomization.yaml", "resources: [../base]\nnamePrefix: x-\n"),
        ):
            (tmp_path / side / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / side / path).write_text(text)
    sides = ("--before", str(tmp_path / "old"), "--after", str(tmp_path / "new"))
    done = bench.run("verify", *sides, "--html", str(tmp_path / "page.html"))
    assert done.returncode == 0, done.stderr
    assert "1 changed" in (tmp_path / "page.html").read_text("utf-8")


def test_the_address_of_a_run_is_taken_where_all_of_it_is_plain():
    run = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"}
    assert run_address(run) == "https://github.com/a/b/actions/runs/7#artifacts"
    assert run_address({}) == ""
    for name, value in (
        ("GITHUB_RUN_ID", "7)x"),
        ("GITHUB_REPOSITORY", "a b"),
        ("GITHUB_SERVER_URL", "javascript:x"),
    ):
        assert run_address({**run, name: value}) == ""
