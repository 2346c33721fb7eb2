"""The validator bites: what does not fit GitHub's OpenAPI description is found, in both directions."""

import time

import httpx
import pytest

from upstreamsync.testing import World
from upstreamsync.testing.openapi import github_validator
from upstreamsync.testing.server import Call

AUTH = {"Authorization": "Bearer any"}


@pytest.fixture
def described(github_openapi):
    if github_openapi is None:
        pytest.fail("GitHub's description is missing: `python scripts/fetch_openapi.py` fetches it")
    with World(openapi=github_openapi) as world:
        world.github.repository("acme/gitops", git=world.git("gitops"))
        world.git("gitops").commit({"a": "1"}, "First")
        world.git("gitops").commit({"a": "2"}, "Second", branch="topic", start="main")
        yield world


@pytest.mark.parametrize(
    ("method", "path", "data", "words"),
    [
        ("GET", "/pulls?stat=open", None, "GitHub knows no query parameter `stat`"),
        ("GET", "/pulls?state=both", None, "query parameter `state` is `both`"),
        ("GET", "/pulls?page=first", None, "query parameter `page` is `first`, not an integer"),
        ("POST", "/pulls", {"base": "main"}, "request: the value: 'head' is a required property"),
        (
            "POST",
            "/pulls",
            {"head": "topic", "base": "main", "titel": ""},
            "GitHub knows no property `titel`",
        ),
        ("POST", "/issues", {"title": "x", "labels": "bug"}, "'bug' is not of type 'array'"),
        ("PATCH", "/pulls/1", {"state": "shut"}, "'shut' is not one of ['open', 'closed']"),
        ("DELETE", "/git/refs/heads/topic", {"x": 1}, "GitHub takes no request body here"),
        ("GET", "/stargazers", None, "the test world has no such operation"),
    ],
)
def test_a_wrong_request_is_a_violation(described, method, path, data, words):
    httpx.request(method, f"{described.github.url}/repos/acme/gitops{path}", json=data, headers=AUTH)
    assert words in "\n".join(described.github.violations)


def test_a_right_request_is_none(described):
    url = f"{described.github.url}/repos/acme/gitops/pulls"
    data = {"head": "topic", "base": "main", "title": "x", "body": "y", "draft": True}
    assert httpx.post(url, json=data, headers=AUTH).status_code == 201
    assert httpx.get(url, params={"state": "all", "head": "acme:topic"}).status_code == 200
    assert described.github.violations == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": None}, "number: None for not nullable"),
        ({"draft": "no"}, "draft: 'no' is not of type 'boolean'"),
        ({"created_at": "yesterday"}, "'yesterday' is not a 'date-time'"),
        ({"user": {"login": "x"}}, "user: 'avatar_url' is a required property"),
        ({"author_association": "STRANGER"}, "'STRANGER' is not one of"),
        ({}, None),
    ],
)
def test_a_wrong_answer_is_a_violation(described, github_openapi, change, words):
    described.github.repository("acme/gitops").open_pull("x", "topic")
    value = httpx.get(f"{described.github.url}/repos/acme/gitops/pulls/1").json()
    call = Call(method="GET", path="", target="/", query={}, headers={})
    template = "/repos/{owner}/{repo}/pulls/{pull_number}"
    found = github_validator(github_openapi).check(call, template, {}, 200, {**value, **change})
    if words is None:
        assert found == []
    else:
        assert any(words in problem for problem in found)
    missing = {name: field for name, field in value.items() if name != "mergeable"}
    assert github_validator(github_openapi).check(call, template, {}, 200, missing)
    assert github_validator(github_openapi).check(call, template, {}, 418, value)


def test_validating_is_cheap_once_compiled(described, github_openapi):
    described.github.repository("acme/gitops").open_pull("x", "topic")
    value = httpx.get(f"{described.github.url}/repos/acme/gitops/pulls/1").json()
    call = Call(method="GET", path="", target="/", query={}, headers={})
    validator, template = github_validator(github_openapi), "/repos/{owner}/{repo}/pulls/{pull_number}"
    start = time.process_time()
    for _ in range(10):
        validator.check(call, template, {}, 200, value)
    assert (time.process_time() - start) / 10 < 0.05
