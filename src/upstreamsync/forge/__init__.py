"""Pull requests: proposals as values, forges that take them, and rules on when which of them is opened.

How the layer above uses it::

    forge = open_forge("github", repository=repository, configuration=configuration, environment=os.environ)
    base = forge.base(None)                       # name and tip of the branch to work from
    ... compute changes, verification, review at base.commit ...
    for key, members in group_changes(changes, configuration):
        proposal = build_proposal(members, verification, review, configuration=configuration,
                                  base_commit=base.commit, key=key,
                                  read=reader(repository, base.commit, members))
    outcome = submit(proposals, forge=forge, repository=repository, configuration=configuration,
                     settled={"argocd": "v3.4.7"}, dry_run=False)
    outcome.pull_requests   # tuple[PullRequest, ...]: one per proposal, and one per pull request closed
    outcome.remarks         # what the user should be told (a token that starts no workflows, ...)
    write_notices(forge, failures={"metallb": Failure(...)}, healthy=["argocd"])     # --notices
    post_webhook(http, url, webhook_message(outcome.pull_requests, repository="acme/apps"))

``read`` gives a file's bytes at ``base_commit``, None where there is none. ``settled`` maps each vendor
that was looked at without error to the version that it is at: an open pull request of ours that no
proposal stands behind, and whose vendors are all settled (or no longer configured), is closed.
A forge is anything that fulfils the protocol ``Forge``; rules/lifecycle.py decides, submit.py acts.
"""

from upstreamsync.forge.base_files import reader
from upstreamsync.forge.notices import write_notices
from upstreamsync.forge.proposal import build_proposal
from upstreamsync.forge.registry import open_forge
from upstreamsync.forge.rules.grouping import group_changes
from upstreamsync.forge.state import BaseBranch, BranchCommit, Existing, Forge, NewPullRequest, Notice, Stage
from upstreamsync.forge.submit import Outcome, submit
from upstreamsync.forge.webhook import post_webhook, webhook_message

__all__ = [
    "BaseBranch",
    "BranchCommit",
    "Existing",
    "Forge",
    "NewPullRequest",
    "Notice",
    "Outcome",
    "Stage",
    "build_proposal",
    "group_changes",
    "open_forge",
    "post_webhook",
    "reader",
    "submit",
    "webhook_message",
    "write_notices",
]
