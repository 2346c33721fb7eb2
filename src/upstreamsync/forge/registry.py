"""Which forges there are, and what each needs of the surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from upstreamsync.config.load import Configuration
from upstreamsync.errors import NotThere, UsageError
from upstreamsync.forge.local import LocalForge
from upstreamsync.forge.state import Forge
from upstreamsync.kit.git.repository import Repository

NAMES: Final = ("github", "local")


def open_forge(
    name: str,
    *,
    repository: Repository,
    configuration: Configuration,
    environment: Mapping[str, str],
    folder: Path | None = None,
    remote: str = "origin",
    pace: float = 1.0,
) -> Forge:
    """The forge of that name (NAMES), asked nothing yet.

    ``github`` reads UPSTREAMSYNC_TOKEN, GITHUB_TOKEN, UPSTREAMSYNC_APP_ID, UPSTREAMSYNC_APP_KEY,
    GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_ACTIONS from ``environment``, and pushes to ``remote``;
    ``pace`` is the time in seconds between writes that GitHub asks for. ``folder`` is where ``local`` puts
    the texts; default: in the git folder. Raises UsageError for another name, Denied without a token.
    """
    prefix = configuration.forge.branch_prefix
    match name:
        case "local":
            return LocalForge(repository, prefix=prefix, folder=folder)
        case "github":
            # PyGithub costs more to import than a whole `check`.
            from upstreamsync.forge.github.access import access_from
            from upstreamsync.forge.github.client import GitHubForge

            if repository.remote_url(remote) is None:
                raise NotThere(
                    f"the repository has no remote `{remote}` to push to",
                    hint=f"git remote add {remote} URL; or `--forge local` keeps to local branches",
                )
            access = access_from(environment, remote_url=repository.remote_url(remote))
            return GitHubForge(access, repository=repository, remote=remote, pace=pace)
        case _:
            raise UsageError(f"there is no forge `{name}`", hint=f"one of {', '.join(NAMES)}")
