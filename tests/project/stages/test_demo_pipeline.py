"""Three stages on the demo's repository, one of which fails: the pull request shows it where a reviewer looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from upstreamsync.cli.common import Common
from upstreamsync.cli.demo import prepare

CHECKS = """\
checks:
- {name: count, run: [python3, -c, "import pathlib, sys; print(len(list(pathlib.Path(sys.argv[1]).rglob('*.yaml'))))", "{after}"]}
- {name: policy, run: [python3, "{repository}/policy.py", "{after}"], required: true}
- {name: change, run: [python3, -c, "import json; assert json.load(open('change.json'))['vendors']"]}
"""
POLICY = """\
import pathlib, sys
print('<testsuite>')
for file in sorted(pathlib.Path(sys.argv[1]).rglob("*.yaml")):
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.startswith("kind: Deployment"):
            print(f'<testcase name="no-deployments" file="{file}" line="{number}"><failure message="not here"/></testcase>')
print('</testsuite>')
"""


def test_the_pull_request_shows_which_stage_failed_and_where(tmp_path: Path) -> None:
    place = tmp_path / "gitops"
    place.mkdir()
    with prepare(Common(cache_dir=tmp_path / "cache"), place) as environment:
        file = place / "vendors.yaml"
        file.write_text(file.read_text() + CHECKS)
        (place / "policy.py").write_text(POLICY)
        git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com"]
        for words in (["add", "-A"], ["commit", "-qm", "Stages"], ["push", "-q", "origin", "HEAD:main"]):
            subprocess.run([*git, *words], cwd=place, check=True)
        done = subprocess.run(
            [sys.executable, "-m", "upstreamsync", "pr", "lantern", "--dry-run", "--allow-commands", "--format", "json"],
            cwd=place, capture_output=True, text=True,
            env={**os.environ, **environment, "UPSTREAMSYNC_CACHE": str(tmp_path / "cache")},
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (proposal,) = json.loads(done.stdout)["proposals"]
    body = proposal["body"]
    assert proposal["draft"]
    assert "Required, and not passed: `policy`" in body
    assert "2 passed" in body
    assert "`after/lantern/overlay.yaml:" in body
    assert "not here (`no-deployments`)" in body
    assert body.index("### Checks") < body.index("### What changes in the cluster")
