"""``command``: a generator that the user allows. It runs in a temporary folder, without a shell.

It sees the files that were fetched and copied for it, PATH, and an empty home: none of the user's
environment, and so none of its tokens. Where the kernel can do it, it has no network, writes nowhere but in its
temporary folder, and can't look into other processes; it may read the rest of the disk.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from upstreamsync.config.spec import CommandSource
from upstreamsync.errors import Refused, TooLarge
from upstreamsync.kit.archives import read_archive
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import process
from upstreamsync.kit.run.sandbox import Sandbox
from upstreamsync.kit.run.sealed import sealed_environment
from upstreamsync.kit.trees import write_tree
from upstreamsync.model import Artifact, ContentFile, Resolved
from upstreamsync.sources import checksums, userfiles
from upstreamsync.sources.job import Job, files_digest, one_file, safe_name
from upstreamsync.sources.paths import Choice, choose

_ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
_MAX_FILES = 20_000
_MAX_BYTES = 256 * 1024 * 1024


def fetch(job: Job) -> Artifact:
    """Fetch what the program needs, run it, and take what it prints or writes."""
    spec = _command(job)
    if not job.tools.allow_commands:
        raise Refused(
            f"`{job.vendor.name}` runs a program ({' '.join(spec.run)}), which was not allowed",
            hint="read what it does, then give --allow-commands",
        )
    checksums.refuse_one_for_many(job, len(spec.fetch))
    fetched: list[ContentFile] = []
    resolved: list[Resolved] = []
    for name, url in _targets(job, spec).items():
        answer = job.tools.http.get(url, allow_http=job.tools.allow_http)
        checksums.verify(job, url, answer.body)
        refuse_pointer(answer.body, f"`{redact(url)}`")
        # Whether a fetched file is a program nobody says; those of archives have their own bit.
        fetched.append(ContentFile(path=name, data=answer.body, executable=True))
        if name.endswith(_ARCHIVES):
            fetched += read_archive(answer.body, name=redact(url), skip_links=True)
        resolved.append(Resolved(kind="command", location=redact(url), digest=answer.digest))
    inputs = [ContentFile(path=path, data=userfiles.read(job, path)) for path in spec.inputs]
    words = [job.fill(word, "command.run") for word in spec.run]
    fact = Resolved(
        kind="command", location=redact(" ".join(words)), digest=files_digest([*fetched, *inputs])
    )
    files = _run(job, spec, words, [*fetched, *inputs])
    return Artifact(resolved=(fact, *resolved), files=files)


def probe(job: Job) -> None:
    """Ask for the files that the program needs."""
    for url in _targets(job, _command(job)).values():
        job.tools.http.get(url, allow_http=job.tools.allow_http)


def _run(
    job: Job, spec: CommandSource, words: list[str], given: list[ContentFile]
) -> tuple[ContentFile, ...]:
    with tempfile.TemporaryDirectory(prefix="upstreamsync-command-") as scratch:
        folder, home = Path(scratch, "work"), Path(scratch, "home")
        folder.mkdir()
        (home / "tmp").mkdir(parents=True)
        write_tree(folder, given)
        environment = {**sealed_environment(home), "TZ": "UTC", "PWD": str(folder)}
        done = process.run(
            words,
            cwd=folder,
            env=environment,
            timeout=spec.timeout.total_seconds(),
            limit=_MAX_BYTES,
            hint="it runs in an empty folder, with nothing but `fetch` and `inputs`, and without network",
            kept_in=Sandbox(program=Path(words[0]), writable=(Path(scratch).resolve(),), reads_all=True),
        )
        if not spec.outputs:
            return one_file(job, done.stdout)
        choice = Choice(take=tuple(job.fill(glob, "command.outputs") for glob in spec.outputs))
        named = choose(_listing(folder), choice, f"what `{words[0]}` wrote")
        return _read(folder, named)


def _listing(folder: Path) -> list[str]:
    """Every file below ``folder``, links included, none followed."""
    found = []
    for parent, _, names in os.walk(folder):
        found += [Path(parent, name).relative_to(folder).as_posix() for name in names]
        if len(found) > _MAX_FILES:
            raise TooLarge(f"the program wrote more than {_MAX_FILES} files", hint="let it write fewer")
    return sorted(found)


def _read(folder: Path, named: dict[str, str]) -> tuple[ContentFile, ...]:
    files = []
    total = 0
    for name, path in named.items():
        facts = os.lstat(folder / path)
        if not stat.S_ISREG(facts.st_mode):
            raise Refused(f"the program made `{path}` a link or a device", hint="it has to write plain files")
        total += facts.st_size
        if total > _MAX_BYTES:
            raise TooLarge(f"the program wrote more than {_MAX_BYTES} bytes", hint="let it write less")
        executable = bool(facts.st_mode & stat.S_IXUSR)
        data = (folder / path).read_bytes()
        files.append(ContentFile(path=name, data=data, executable=executable))
    return tuple(files)


def _targets(job: Job, spec: CommandSource) -> dict[str, str]:
    """File name → URL, filled."""
    return {
        safe_name(job.fill(name, "command.fetch"), "command.fetch"): job.fill(url, f"command.fetch.{name}")
        for name, url in spec.fetch.items()
    }


def _command(job: Job) -> CommandSource:
    command = job.source.command
    assert command is not None  # noqa: S101 (the registry calls a kind for its own sources alone)
    return command
