"""The dashboard at GitHub: one issue, found by its label and marker, believed if somebody who may write made it."""

from __future__ import annotations

from typing import Any, Final

from github.Issue import Issue

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.forge.github.repository import NOTICE_LABEL, GitHubRepository, translated
from upstreamsync.forge.rules.dashboard import config_of, ticked
from upstreamsync.forge.state import Board

_EDITOR: Final = """query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { issue(number: $number) { editor { login } } }
}"""


class GitHubBoards(GitHubRepository):
    """A repository whose issues may hold a dashboard."""

    def board(self, config: str) -> Board | None:
        """The open one of that vendors.yaml; anybody may open an issue with its marker, and label it they may not."""
        with translated("look for the dashboard"):
            listed = self._repo.get_issues(state="open", labels=[NOTICE_LABEL], direction="asc")
            found = [
                one for one in listed if config_of(one.body or "") == config and one.pull_request is None
            ]
        for issue in found:
            if issue.user.type == "Bot" or self._may_write(issue.user.login) is not False:
                return self._board(issue)
        return None

    def _board(self, issue: Issue) -> Board:
        body = issue.body or ""
        editor = self._editor(issue.number) if ticked(body) else ""
        return Board(
            number=issue.number,
            url=issue.html_url,
            title=issue.title,
            body=body,
            editor=editor,
            editor_may=not editor or self._may_write(editor) is not False,
        )

    def write_board(self, title: str, body: str, present: Board | None) -> Board:
        """Open it, or change the present one."""
        with translated("write the dashboard"):
            if present is None:
                issue = self._repo.create_issue(title=title, body=body, labels=[NOTICE_LABEL])
            else:
                issue = self._repo.get_issue(present.number)
                issue.edit(body=body)
            return Board(number=issue.number, url=issue.html_url, title=title, body=body)

    def _editor(self, number: int) -> str:
        """Who changed an issue's text last; empty where GitHub does not say."""
        owner, _, name = self._access.repository.partition("/")
        given = {"owner": owner, "name": name, "number": number}
        try:
            with translated("ask who changed the dashboard"):
                _, data = self._github.requester.graphql_query(_EDITOR, given)
        except UpstreamsyncError:
            return ""
        return _login(data)

    def _may_write(self, login: str) -> bool | None:
        """Whether somebody may write here; None where GitHub does not say."""
        try:
            with translated(f"ask what {login} may do"):
                return self._repo.get_collaborator_permission(login) in ("admin", "write")
        except UpstreamsyncError:
            return None


def _login(data: Any) -> str:
    try:
        return str(data["data"]["repository"]["issue"]["editor"]["login"])
    except (KeyError, TypeError):
        return ""
