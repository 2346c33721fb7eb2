"""Real bare git repositories, served over smart HTTP by git's own CGI."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.run import process
from upstreamsync.testing.charts import as_bytes
from upstreamsync.testing.server import Call, Content, Reply

_EPOCH = 1_704_067_200  # 2024-01-01: commits depend on their content, not on the clock

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": os.devnull,
}


def git(*words: str, cwd: Path, stdin: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run git away from the user's configuration and return its output without the last line break."""
    done = process.run(["git", *words], cwd=cwd, stdin=stdin, env={**_ENVIRONMENT, **(env or {})})
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


class GitRemote:
    """A bare repository of the test world. Files and refs are real: look at them with git at ``path``."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.url = url
        self._count = 0
        self._lock = threading.Lock()
        path.mkdir(parents=True)
        git("init", "-q", "--bare", "--initial-branch=main", cwd=path)
        git("config", "http.receivepack", "true", cwd=path)
        git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=path)
        git("config", "uploadpack.allowFilter", "true", cwd=path)

    def commit(
        self,
        files: Mapping[str, str | bytes | None],
        message: str = "Change",
        *,
        tag: str | None = None,
        branch: str = "main",
        author: str = "Upstream <upstream@example.com>",
        start: str | None = None,
    ) -> str:
        """Commit ``files`` (None deletes one) on top of ``branch``; returns the commit's sha.

        A branch that does not exist starts at the revision ``start``, or without a parent. ``tag`` makes
        an annotated tag of the new commit. Dates advance by a minute per commit.
        """
        with self._lock:
            self._count += 1
            when = f"{author} {_EPOCH + 60 * self._count} +0000"
            parent = self.sha(f"refs/heads/{branch}") or (self.sha(start) if start else None)
            stream = io.BytesIO()
            write = stream.write
            write(f"commit refs/heads/{branch}\nauthor {when}\ncommitter {when}\n".encode())
            write(_data(message.encode()))
            if parent:
                write(f"from {parent}\n".encode())
            for path, data in sorted(files.items()):
                if data is None:
                    write(f"D {path}\n".encode())
                else:
                    write(f"M 100644 inline {path}\n".encode() + _data(as_bytes(data)))
            write(b"\n")
            if tag:
                write(f"tag {tag}\nfrom refs/heads/{branch}\ntagger {when}\n".encode() + _data(tag.encode()))
            git("fast-import", "--quiet", "--force", cwd=self.path, stdin=stream.getvalue())
            return git("rev-parse", f"refs/heads/{branch}", cwd=self.path)

    def tag(self, name: str, revision: str = "main", *, force: bool = False) -> None:
        """Set a lightweight tag; ``force`` moves one that exists."""
        git("tag", *(["-f"] if force else []), name, revision, cwd=self.path)

    def delete(self, ref: str) -> None:
        """Delete a full ref name such as refs/tags/v1."""
        git("update-ref", "-d", ref, cwd=self.path)

    def sha(self, revision: str) -> str | None:
        """The commit that ``revision`` names, or None."""
        try:
            return git("rev-parse", "--verify", "-q", f"{revision}^{{commit}}", cwd=self.path)
        except ToolFailed:
            return None

    def read(self, path: str, revision: str = "main") -> bytes:
        """A file's bytes at ``revision``. Raises ToolFailed when there is none."""
        return process.run(["git", "cat-file", "blob", f"{revision}:{path}"], cwd=self.path).stdout

    def files(self, revision: str = "main") -> list[str]:
        """Paths of all files at ``revision``."""
        return git("ls-tree", "-r", "-z", "--name-only", revision, cwd=self.path).split("\0")[:-1]

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Refs below ``prefix`` with the objects that they name; tags are not peeled."""
        lines = git("for-each-ref", "--format=%(refname) %(objectname)", prefix, cwd=self.path).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def branches(self) -> dict[str, str]:
        """Branch names with their commits."""
        prefix = "refs/heads/"
        return {ref.removeprefix(prefix): sha for ref, sha in self.refs(prefix).items()}

    def log(self, revision: str = "main", *, since: str | None = None) -> list[str]:
        """Subjects of the commits of ``revision``, newest first; without those of ``since``."""
        span = f"{since}..{revision}" if since else revision
        return git("log", "--format=%s", span, cwd=self.path).splitlines()


def _data(data: bytes) -> bytes:
    return b"data %d\n" % len(data) + data + b"\n"


def http_backend(root: Path, path: str, call: Call) -> Reply:
    """Answer ``call`` by ``git http-backend``; ``path`` is the part below ``root``, with a leading slash."""
    headers = call.headers
    env = {
        **_ENVIRONMENT,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": call.target.partition("?")[2],
        "REQUEST_METHOD": call.method,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(call.body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": "world",
        "REMOTE_ADDR": "127.0.0.1",
    }
    try:
        out = process.run(["git", "http-backend"], cwd=root, env=env, stdin=call.body).stdout
    except ToolFailed as error:
        return Reply.text(500, error.stderr or error.message)
    head, _, body = out.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
    status = int(fields.pop("Status", "200").split()[0])
    kind = fields.pop("Content-Type", "text/plain")
    return Reply(status=status, headers=fields, content=Content(body, kind, modified=None))
