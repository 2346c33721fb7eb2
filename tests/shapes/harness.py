"""A team's repository and its upstreams, for tests that say what has to come out byte for byte."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from upstreamsync.model import Finding, Status
from upstreamsync.project import Changes, Project, Settings, open_project
from upstreamsync.testing import World, write_files

Files = Mapping[str, str | bytes | None]

_OWN = """\
# upstreamsync owns this file: it lists what came from upstream, and is written anew with each version.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
"""


def own(*names: str) -> str:
    """The kustomization that a base gets when upstream brings none."""
    return _OWN + "".join(f"- {name}\n" for name in names)


def config_map(name: str, **data: str) -> str:
    """A manifest of upstream's, in a handwriting that no YAML library has."""
    lines = "".join(f'    {key}:   "{value}"\n' for key, value in data.items())
    return f"apiVersion: v1\nkind:  ConfigMap   # upstream's own spacing\nmetadata: {{name: {name}}}\ndata:\n{lines}"


@dataclass
class Team:
    """The team's repository at ``root``, the world it looks at, and what its last steps changed."""

    root: Path
    world: World
    allow_commands: bool = False
    expected: dict[str, bytes] = field(default_factory=dict)
    changes: Changes | None = None

    def write(self, files: Files) -> None:
        """Files of the team's own."""
        write_files(self.root, files)
        for path, text in files.items():
            assert text is not None
            self.expected[path] = text.encode() if isinstance(text, str) else text

    def vendors(self, text: str) -> None:
        """vendors.yaml: the list of vendors, with WORLD, OCI and REGISTRY for the world's addresses."""
        text = textwrap.dedent(text).strip("\n") + "\n"
        for word, address in (
            ("WORLD", self.world.url),
            ("OCI", self.world.oci_url),
            ("REGISTRY", self.registry),
        ):
            text = text.replace(word, address)
        self.write(
            {
                "vendors.yaml": f"version: 1\n# The team's own words.\ndefaults: {{kustomization: true}}\nvendors:\n{text}"
            }
        )

    @property
    def registry(self) -> str:
        """Host and port of the world's registry, as an image's name has them."""
        return self.world.oci_url.removeprefix("oci://")

    def tags(self, repository: str, *tags: str) -> None:
        """Tags on GitHub: the plainest feed there is."""
        for tag in tags:
            self.world.github.repository(repository).tag(tag)

    def open(self) -> Project:
        """The project, as the command line would open it."""
        environment = {**os.environ, "GITHUB_API_URL": f"{self.world.url}/api/v3"}
        settings = Settings(
            cache_folder=self.root.parent / "cache",
            allow_commands=self.allow_commands,
            environment=environment,
        )
        return open_project(self.root, settings=settings)

    def check(self) -> dict[str, Finding]:
        """What every vendor would move to."""
        with self.open() as project:
            return {finding.vendor: finding for finding in project.check()}

    def status(self) -> dict[str, Status]:
        """What ``check`` says of every vendor."""
        return {name: finding.status for name, finding in self.check().items()}

    def files(self) -> dict[str, bytes]:
        """Everything in the repository but the locks, which have tests of their own."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.name.endswith(".lock.yaml") and ".git" not in path.parts
        }

    def update(self, *vendors: str) -> Changes:
        """Update what is outdated, write it, and demand that nothing failed."""
        with self.open() as project:
            self.changes = project.update(vendors)
            errors = {one.vendor: one.error for one in self.changes.updates if one.error}
            assert errors == {}
            self.changes.write()
        return self.changes

    def arrives(self, wrote: Files, versions: Mapping[str, tuple[str, str]] | None = None) -> None:
        """Update; exactly ``wrote`` may differ afterwards, and in vendors.yaml the versions (old, new).

        Then the bases equal their locks, and a second run finds and changes nothing.
        """
        for path, text in wrote.items():
            if text is None:
                del self.expected[path]
            else:
                self.expected[path] = text.encode() if isinstance(text, str) else text
        for old, new in (versions or {}).values():
            told = self.expected["vendors.yaml"]
            assert told.count(old.encode()) >= 1
            self.expected["vendors.yaml"] = told.replace(old.encode(), new.encode(), 1)
        self.update()
        found = self.files()
        assert sorted(found) == sorted(self.expected)
        for path, text in self.expected.items():
            assert found[path].decode() == text.decode(), path
        self.rests()

    def rests(self) -> None:
        """All is current, pristine, and stays as it is."""
        assert {name for name, status in self.status().items() if status != Status.UP_TO_DATE} == set()
        before = _all(self.root)
        with self.open() as project:
            states = [
                state
                for vendor in project.configuration.vendors
                for state in project.session.base_states(vendor)
            ]
            assert [state.path for state in states if not state.pristine] == []
            again = project.update()
            assert dict(again.files) == {}
            assert {one.status for one in again.updates} == {"unchanged"}
            again.write()
            named = project.update([vendor.name for vendor in project.configuration.vendors])
            assert dict(named.files) == {}
        assert _all(self.root) == before

    def moves(
        self, wrote: Files, *, to: str, vendor: str = "app", line: tuple[str, str] | None = None
    ) -> None:
        """``check`` finds ``to`` for the vendor; ``update`` brings it, and nothing else."""
        finding = self.check()[vendor]
        assert finding.error is None
        assert finding.status is Status.OUTDATED
        assert finding.target is not None
        assert finding.target.version == to
        moved = line or (f"version: {finding.current}\n", f"version: {to}\n")
        self.arrives(wrote, {vendor: moved})

    def notes(self, vendor: str = "app") -> Sequence[str]:
        """What the last update remarked about a vendor."""
        assert self.changes is not None
        return next(one.notes for one in self.changes.updates if one.vendor == vendor)


def _all(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
