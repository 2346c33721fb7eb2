"""Which forge a run speaks to: as the caller says, else vendors.yaml, else GitHub."""

from __future__ import annotations

from urllib.parse import urlsplit

from upstreamsync.config import Configuration
from upstreamsync.forge import Forge, open_forge
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.http.credentials import is_loopback
from upstreamsync.project.session import Session


def forge_of(
    session: Session,
    repository: Repository,
    wanted: str | Forge | None,
    configuration: Configuration | None = None,
) -> Forge:
    """The forge ``wanted``: itself, or by its name. ``configuration`` in place of the session's."""
    if wanted is not None and not isinstance(wanted, str):
        return wanted
    configuration = configuration or session.configuration
    name = wanted or configuration.forge.kind or "github"
    environment = session.settings.environment
    if (factory := session.kinds.forges.get(name)) is not None:
        return factory(repository, configuration, environment)
    return open_forge(
        name,
        repository=repository,
        configuration=configuration,
        environment=environment,
        # GitHub asks for a second between writes; a server on this machine does not.
        pace=0.0 if is_loopback(urlsplit(environment.get("GITHUB_API_URL", "")).hostname) else 1.0,
    )
