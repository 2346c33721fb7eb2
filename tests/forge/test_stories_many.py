"""Several proposals in one run: limits, groups, vendors that stay apart, majors; told as stories."""

from __future__ import annotations

from upstreamsync.forge.rules.marker import find
from upstreamsync.model import Action


def actions(outcome) -> dict[str, Action]:
    return {each.vendor: each.action for each in outcome.pull_requests}


def reasons(outcome) -> dict[str, str]:
    return {each.vendor: each.reason for each in outcome.pull_requests}


def test_one_run_opens_no_more_than_it_may(make_story):
    story = make_story("app", "web", "db", forge={"max_new": 2})
    wanted = {"app": "v1.1.0", "web": "v1.1.0", "db": "v1.1.0"}
    outcome = story.run(wanted)
    assert sorted(actions(outcome).values()) == [Action.OPENED, Action.OPENED, Action.SKIPPED]
    assert reasons(outcome)["web"] == "held back: this run has opened 2 (forge.max_new)"
    assert actions(story.run(wanted))["web"] is Action.OPENED


def test_no_more_are_open_than_may_be(make_story):
    story = make_story("app", "web", forge={"max_open": 1})
    outcome = story.run({"app": "v1.1.0", "web": "v1.1.0"})
    assert actions(outcome) == {"app": Action.OPENED, "web": Action.SKIPPED}
    assert "held back: 1 are open" in reasons(outcome)["web"]
    # An update of the open one takes no room; once it is merged, the next one gets it.
    assert actions(story.run({"app": "v1.2.0", "web": "v1.1.0"}))["app"] is Action.UPDATED
    story.hub.merge(story.pull.number)
    assert actions(story.run({"web": "v1.1.0"})) == {"web": Action.OPENED}


def test_closing_one_makes_room_in_the_same_run(make_story):
    story = make_story("app", "web", forge={"max_open": 1})
    story.run({"app": "v1.1.0"})
    assert actions(story.run({"web": "v1.1.0"})) == {"web": Action.OPENED, "app": Action.CLOSED}


def test_the_least_risk_comes_first(make_story, judged):
    story = make_story("app", "web", "db", forge={"max_new": 1})
    outcome = story.run({"app": "v2.0.0", "web": "v1.1.0", "db": "v1.0.1"})
    assert actions(outcome) == {"app": Action.SKIPPED, "web": Action.SKIPPED, "db": Action.OPENED}


def test_a_group_travels_in_one_pull_request(make_story):
    story = make_story("app", "web", "db", app={"group": "pair"}, web={"group": "pair"})
    outcome = story.run({"app": "v1.1.0", "web": "v1.3.0", "db": "v1.1.0"}, edits=True)
    assert actions(outcome) == {"pair": Action.OPENED, "db": Action.OPENED}
    pull = story.hub.pull(next(each.number for each in outcome.pull_requests if each.vendor == "pair"))
    assert (pull.title, pull.head) == ("Update pair: app v1.1.0, web v1.3.0", "upstreamsync/pair")
    assert find(pull.body).vendors == ("app", "web")
    assert story.gitops.origin.log("upstreamsync/pair", since="main") == [
        "Follow app v1.1.0, web v1.3.0",
        "Update web to v1.3.0",
        "Update app to v1.1.0",
    ]
    document = story.gitops.origin.read("vendors.yaml", "upstreamsync/pair").decode()
    assert [document.count(version) for version in ("v1.1.0", "v1.3.0", "v1.0.0")] == [1, 1, 1]
    # The next run finds the same, and follows when one of the two moves on.
    wanted = {"app": "v1.1.0", "web": "v1.3.0", "db": "v1.1.0"}
    assert set(actions(story.run(wanted, edits=True)).values()) == {Action.UNCHANGED}
    assert actions(story.run({**wanted, "app": "v1.2.0"}, edits=True))["pair"] is Action.UPDATED


def test_a_vendor_that_joins_a_group_leaves_its_own_branch(make_story):
    story = make_story("app", "web")
    story.run({"app": "v1.1.0"})
    story.vendor_fields = {"app": {"group": "pair"}, "web": {"group": "pair"}}
    story.gitops.write({"vendors.yaml": story.document({"app": "v1.0.0", "web": "v1.0.0"})})
    story.gitops.commit("Pair them")
    outcome = story.run({"app": "v1.1.0", "web": "v1.1.0"})
    assert actions(outcome) == {"pair": Action.OPENED, "app": Action.CLOSED}
    assert reasons(outcome)["app"] == "app now travels on upstreamsync/pair"
    assert story.head("upstreamsync/app") is None


def test_vendors_that_must_stay_apart_are_never_open_together(make_story):
    story = make_story("app", "web", app={"apart_from": ["web"]})
    outcome = story.run({"app": "v1.1.0", "web": "v1.1.0"})
    assert actions(outcome) == {"app": Action.OPENED, "web": Action.SKIPPED}
    assert reasons(outcome)["web"].startswith("held back: app has a pull request open")
    story.hub.merge(1)
    # Said of either side, it holds for both.
    assert actions(story.run({"web": "v1.1.0"})) == {"web": Action.OPENED}
    assert actions(story.run({"app": "v1.2.0", "web": "v1.1.0"}))["app"] is Action.SKIPPED


def test_a_major_step_has_a_branch_of_its_own(make_story):
    story = make_story("app", app={"follow": {"separate_major": True}})
    minor, major = story.change("app", "v1.9.0"), story.change("app", "v2.0.0")
    proposals = [story.proposal(minor), story.proposal(major)]
    assert [each.branch for each in proposals] == ["upstreamsync/app", "upstreamsync/app-major"]
    assert proposals[1].title == "Update app to v2.0.0 (major)"
    from upstreamsync.forge import submit

    given = {
        "forge": story.forge(),
        "repository": story.repository,
        "configuration": story.configuration(),
        "settled": {"app": "v1.0.0"},
    }
    outcome = submit(proposals, **given)
    assert [each.action for each in outcome.pull_requests] == [Action.OPENED, Action.OPENED]
    # Closing the major one mutes it and leaves the minor one alone.
    story.hub.close(next(p.number for p in story.hub.pulls() if p.head.endswith("-major")))
    outcome = submit(
        [story.proposal(story.change("app", "v1.9.1")), story.proposal(story.change("app", "v2.0.1"))],
        **{**given, "forge": story.forge()},
    )
    assert [each.action for each in outcome.pull_requests] == [Action.UPDATED, Action.SKIPPED]


def test_what_fails_for_one_does_not_stop_the_others(make_story):
    story = make_story("app", "web", app={"pull_request": {"base": "gone"}})
    outcome = story.run({"app": "v1.1.0", "web": "v1.1.0"})
    assert actions(outcome) == {"app": Action.FAILED, "web": Action.OPENED}
    assert outcome.pull_requests[0].error.kind == "repository"


def test_a_program_of_upstreams_stays_one(make_story):
    from dataclasses import replace

    from upstreamsync.forge import submit
    from upstreamsync.testing.git import git

    story = make_story("app")
    change = story.change("app", "v1.1.0")
    script = {"app/upstream/run.sh": b"#!/bin/sh\n"}
    files = {**change.base_files, **script}
    plain = story.proposal(replace(change, base_files=files))
    runs = story.proposal(replace(change, base_files=files, executable=frozenset(script)))
    assert plain.digest != runs.digest
    submit([runs], forge=story.forge(), repository=story.repository, configuration=story.configuration())
    listed = git("ls-tree", "upstreamsync/app", "app/upstream/", cwd=story.gitops.origin.path).splitlines()
    assert [line.split()[0] for line in listed] == ["100644", "100755"]


def test_a_major_step_leaves_its_group(make_story):
    from upstreamsync.forge import group_changes

    apart = {"group": "pair", "follow": {"separate_major": True}}
    story = make_story("app", "web", app=apart, web={"group": "pair"})
    given = [story.change("app", "v1.1.0"), story.change("app", "v2.0.0"), story.change("web", "v2.0.0")]
    grouped = group_changes(given, story.configuration())
    assert [(key, [change.after for change in members]) for key, members in grouped] == [
        ("pair", ["v1.1.0", "v2.0.0"]),
        ("app", ["v2.0.0"]),
    ]
    branches = [story.proposal(*members, key=key).branch for key, members in grouped]
    assert branches == ["upstreamsync/pair", "upstreamsync/app-major"]


def test_two_configurations_in_one_repository_leave_each_other_alone(story):
    story.run({"app": "v1.1.0"}, config="team-a/vendors.yaml")
    # The other one has no proposal for it, and would not even know the vendor.
    assert story.run({}, config="team-b/vendors.yaml").pull_requests == ()
    assert story.pull.number == 1
    (result,) = story.run({"app": "v1.2.0"}, config="team-b/vendors.yaml").pull_requests
    assert result.action is Action.SKIPPED
    assert "belongs to team-a/vendors.yaml" in result.reason
    (result,) = story.run({}, config="team-a/vendors.yaml").pull_requests
    assert result.action is Action.CLOSED
