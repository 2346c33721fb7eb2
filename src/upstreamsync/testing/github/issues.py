"""Operations on issues, comments and labels."""

from __future__ import annotations

from collections.abc import Mapping

from upstreamsync.testing.github.objects import Json
from upstreamsync.testing.github.requests import Ask, Handler, Out, invalid, not_found
from upstreamsync.testing.github.state import Comment, Issue

_MAX_TEXT = 65_536


def find(ask: Ask) -> Out:
    """List issues, pull requests among them, by state, labels, creator and assignee."""
    query, repo = ask.call.query, ask.repo
    repo.refresh()
    state = query.get("state", "open")
    labels = {name for name in query.get("labels", "").split(",") if name}
    found = [issue for issue in repo.issues.values() if state in {"all", issue.state}]
    found = [issue for issue in found if labels <= set(issue.labels)]
    if creator := query.get("creator"):
        found = [issue for issue in found if issue.author == creator]
    if assignee := query.get("assignee"):
        found = [issue for issue in found if assignee in issue.assignees]
    key = "updated" if query.get("sort") == "updated" else "created"
    falling = query.get("direction", "desc") == "desc"
    found.sort(key=lambda issue: (getattr(issue, key), issue.number), reverse=falling)
    return ask.page(found, lambda issue: ask.site.issue(repo, issue))


def get(ask: Ask) -> Out:
    """One issue."""
    return Out(value=ask.site.issue(ask.repo, ask.issue))


def create(ask: Ask) -> Out:
    """Open an issue."""
    if not ask.data.get("title"):
        raise invalid("Issue", "title", "missing_field")
    _check_text(ask)
    made = ask.repo.open_issue(str(ask.data["title"]), ask.data.get("body"), author=ask.login)
    _fields(ask, made)
    return Out(value=ask.site.issue(ask.repo, made), status=201)


def update(ask: Ask) -> Out:
    """Change an issue or a pull request."""
    issue, data = ask.issue, ask.data
    _check_text(ask)
    if data.get("state") == "closed":
        ask.repo.close(issue.number, by=ask.login)
        issue.state_reason = data.get("state_reason") or "completed"
    if data.get("state") == "open" and not issue.open:
        try:
            ask.repo.check_reopening(issue)
        except ValueError as error:
            raise invalid("Issue", "state", message=str(error)) from None
        ask.repo.reopen(issue.number)
        issue.state_reason = "reopened"
    issue.title = data.get("title", issue.title)
    issue.body = data.get("body", issue.body)
    issue.editor = ask.login if "body" in data else issue.editor
    _fields(ask, issue)
    return Out(value=ask.site.issue(ask.repo, issue))


def _fields(ask: Ask, issue: Issue) -> None:
    data = ask.data
    if "labels" in data:
        issue.labels = [ask.repo.label(_name(label)).name for label in data["labels"]]
    if "assignees" in data:
        issue.assignees = list(data["assignees"])
    if data.get("assignee"):
        issue.assignees = [data["assignee"]]
    if "milestone" in data:
        # PyGithub sends an empty text for none, as GitHub takes it.
        data["milestone"] = data["milestone"] or None
        if data["milestone"] is not None and data["milestone"] not in ask.repo.milestones:
            raise invalid("Issue", "milestone")
        issue.milestone = data["milestone"]
    issue.updated = ask.repo.clock.tick()


def _name(label: str | Json) -> str:
    return label if isinstance(label, str) else str(label["name"])


def _check_text(ask: Ask) -> None:
    if len(ask.data.get("body") or "") > _MAX_TEXT:
        raise invalid("Issue", "", message=f"body is too long (maximum is {_MAX_TEXT} characters)")


def comments(ask: Ask) -> Out:
    """The comments of an issue or a pull request, oldest first."""
    issue = ask.issue
    return ask.page(issue.comments, lambda comment: ask.site.comment(ask.repo, issue.number, comment))


def add_comment(ask: Ask) -> Out:
    """Write a comment."""
    _check_text(ask)
    issue = ask.issue
    made = ask.repo.comment(issue.number, ask.data["body"], author=ask.login)
    return Out(value=ask.site.comment(ask.repo, issue.number, made), status=201)


def _comment(ask: Ask) -> tuple[Issue, Comment]:
    for issue in ask.repo.issues.values():
        for comment in issue.comments:
            if comment.id == int(ask.params["comment_id"]):
                return issue, comment
    raise not_found()


def get_comment(ask: Ask) -> Out:
    """One comment."""
    issue, comment = _comment(ask)
    return Out(value=ask.site.comment(ask.repo, issue.number, comment))


def edit_comment(ask: Ask) -> Out:
    """Change a comment."""
    _check_text(ask)
    issue, comment = _comment(ask)
    comment.body, comment.updated = ask.data["body"], ask.repo.clock.tick()
    return Out(value=ask.site.comment(ask.repo, issue.number, comment))


def delete_comment(ask: Ask) -> Out:
    """Delete a comment."""
    issue, comment = _comment(ask)
    issue.comments.remove(comment)
    return Out(status=204)


def _labels_of(ask: Ask) -> Out:
    return Out(value=[ask.site.label(ask.repo, name) for name in ask.issue.labels])


def issue_labels(ask: Ask) -> Out:
    """The labels of an issue."""
    return _labels_of(ask)


def _names(ask: Ask) -> list[str]:
    given = ask.data.get("labels", []) if isinstance(ask.data, dict) else ask.data
    return [ask.repo.label(_name(label)).name for label in given or []]


def add_labels(ask: Ask) -> Out:
    """Add labels; unknown ones come into being."""
    issue = ask.issue
    issue.labels += [name for name in _names(ask) if name not in issue.labels]
    return _labels_of(ask)


def set_labels(ask: Ask) -> Out:
    """Replace the labels."""
    ask.issue.labels = _names(ask)
    return _labels_of(ask)


def clear_labels(ask: Ask) -> Out:
    """Take all labels away."""
    ask.issue.labels = []
    return Out(status=204)


def drop_label(ask: Ask) -> Out:
    """Take one label away."""
    issue, name = ask.issue, ask.params["name"]
    if name not in issue.labels:
        raise not_found()
    issue.labels.remove(name)
    return _labels_of(ask)


def labels(ask: Ask) -> Out:
    """The labels that the repository knows."""
    known = sorted(ask.repo.labels.values(), key=lambda label: label.name)
    return ask.page(known, lambda label: ask.site.label(ask.repo, label.name))


def get_label(ask: Ask) -> Out:
    """One label."""
    if ask.params["name"].lower() not in ask.repo.labels:
        raise not_found()
    return Out(value=ask.site.label(ask.repo, ask.params["name"]))


def create_label(ask: Ask) -> Out:
    """Make a label known."""
    name = ask.data["name"]
    if name.lower() in ask.repo.labels:
        raise invalid("Label", "name", "already_exists")
    label = ask.repo.label(name)
    label.color = ask.data.get("color", label.color)
    label.description = ask.data.get("description") or ""
    return Out(value=ask.site.label(ask.repo, name), status=201)


def add_assignees(ask: Ask) -> Out:
    """Assign people; GitHub passes over those who have no access."""
    issue = ask.issue
    new = [name for name in ask.data.get("assignees", []) if name not in ask.github.strangers]
    issue.assignees += [name for name in new if name not in issue.assignees]
    return Out(value=ask.site.issue(ask.repo, issue), status=201)


def remove_assignees(ask: Ask) -> Out:
    """Unassign people."""
    issue = ask.issue
    gone = ask.data.get("assignees", [])
    issue.assignees = [name for name in issue.assignees if name not in gone]
    return Out(value=ask.site.issue(ask.repo, issue))


def milestones(ask: Ask) -> Out:
    """The milestones."""
    state = ask.call.query.get("state", "open")
    found = [one for one in ask.repo.milestones.values() if state in {"all", one.state}]
    return ask.page(found, lambda one: ask.site.milestone(ask.repo, one))


def get_milestone(ask: Ask) -> Out:
    """One milestone."""
    found = ask.repo.milestones.get(int(ask.params["milestone_number"]))
    if found is None:
        raise not_found()
    return Out(value=ask.site.milestone(ask.repo, found))


_REPO = "/repos/{owner}/{repo}"
_ISSUE = f"{_REPO}/issues/{{issue_number}}"
_COMMENT = f"{_REPO}/issues/comments/{{comment_id}}"

ROUTES: Mapping[str, Handler] = {
    f"GET {_REPO}/issues": find,
    f"POST {_REPO}/issues": create,
    f"GET {_ISSUE}": get,
    f"PATCH {_ISSUE}": update,
    f"GET {_ISSUE}/comments": comments,
    f"POST {_ISSUE}/comments": add_comment,
    f"GET {_COMMENT}": get_comment,
    f"PATCH {_COMMENT}": edit_comment,
    f"DELETE {_COMMENT}": delete_comment,
    f"GET {_ISSUE}/labels": issue_labels,
    f"POST {_ISSUE}/labels": add_labels,
    f"PUT {_ISSUE}/labels": set_labels,
    f"DELETE {_ISSUE}/labels": clear_labels,
    f"DELETE {_ISSUE}/labels/{{name}}": drop_label,
    f"POST {_ISSUE}/assignees": add_assignees,
    f"DELETE {_ISSUE}/assignees": remove_assignees,
    f"GET {_REPO}/labels": labels,
    f"POST {_REPO}/labels": create_label,
    f"GET {_REPO}/labels/{{name}}": get_label,
    f"GET {_REPO}/milestones": milestones,
    f"GET {_REPO}/milestones/{{milestone_number}}": get_milestone,
}
