"""Exchanges with Azure DevOps, held against what is published."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.devops import check_devops
from tests.azure_oracle.exchanges import Standing
from tests.azure_oracle.schemas import Rule, Side
from tests.azure_oracle.specs import NEEDS_SPECS

pytestmark = NEEDS_SPECS

HOST = "dev.azure.com"
PROJECT = "/acme/forecasts/_apis"
PERSON = {"id": "1", "displayName": "Ann", "uniqueName": "ann@example.com"}
APPROVAL = "aab27959-a5be-4ee3-97ca-f19b3602cd2f"
APPROVE = Exchange(
    "PATCH",
    HOST,
    f"{PROJECT}/pipelines/approvals",
    {"api-version": "7.2-preview.2"},
    request=[{"approvalId": APPROVAL, "status": "approved", "comment": "seen"}],
    response={
        "count": 1,
        "value": [{"id": APPROVAL, "status": "approved", "steps": [{"assignedApprover": PERSON}]}],
    },
)
RUN = Exchange(
    "POST",
    HOST,
    f"{PROJECT}/pipelines/7/runs",
    {"api-version": "7.1"},
    request={"templateParameters": {"circuit": "press"}, "stagesToSkip": ["Deploy"]},
    response={
        "id": 12,
        "name": "20240102.1",
        "state": "inProgress",
        "createdDate": "2024-01-02T03:04:05.1234567Z",
        "_links": {"web": {"href": "https://dev.azure.com/acme/1/_build/results?buildId=12"}},
        "finishedDate": None,
    },
)


def found(exchange: Exchange) -> list[tuple[Side, str, Rule]]:
    checked = check_devops(exchange)
    assert checked.standing is Standing.DESCRIBED, checked.why
    return [(each.side, each.wrong.where, each.wrong.rule) for each in checked.findings]


@pytest.mark.parametrize(("exchange", "name"), [(APPROVE, "Approvals_Update"), (RUN, "Runs_Run Pipeline")])
def test_what_is_as_it_is_published_has_no_findings(exchange: Exchange, name: str) -> None:
    assert check_devops(exchange).name == name
    assert found(exchange) == []


def test_a_list_is_answered_with_its_count() -> None:
    assert found(replace(APPROVE, response=[])) == [(Side.RESPONSE, "", Rule.TYPE)]
    assert found(replace(APPROVE, response={"value": []})) == [(Side.RESPONSE, "/count", Rule.MISSING)]


@pytest.mark.parametrize(
    ("exchange", "side", "where", "rule"),
    [
        (
            replace(APPROVE, request=[{"approvalId": APPROVAL, "status": "aproved"}]),
            Side.REQUEST,
            "/0/status",
            Rule.ENUM,
        ),
        (
            replace(APPROVE, request=[{"aprovalId": APPROVAL}]),
            Side.REQUEST,
            "/0/aprovalId",
            Rule.UNKNOWN,
        ),
        (
            replace(APPROVE, request={"approvalId": APPROVAL}),
            Side.REQUEST,
            "",
            Rule.TYPE,
        ),
        (replace(RUN, path=RUN.path.replace("/7/", "/seven/")), Side.REQUEST, "path:pipelineId", Rule.TYPE),
        (replace(RUN, query={**RUN.query, "branch": "main"}), Side.REQUEST, "query:branch", Rule.PARAMETER),
        (replace(RUN, request=None), Side.REQUEST, "", Rule.MISSING),
        (replace(RUN, status=201), Side.RESPONSE, "status", Rule.STATUS),
        (
            replace(RUN, response={"_links": {"web": "https://dev.azure.com"}}),
            Side.RESPONSE,
            "/_links/web",
            Rule.TYPE,
        ),
    ],
)
def test_one_thing_wrong_is_found_once(exchange: Exchange, side: Side, where: str, rule: Rule) -> None:
    assert found(exchange) == [(side, where, rule)]


def test_a_part_of_a_path_that_is_optional_may_be_left_out() -> None:
    timeline = Exchange(
        "GET",
        HOST,
        f"{PROJECT}/build/builds/12/timeline",
        {"api-version": "7.1"},
        response={"id": APPROVAL, "records": []},
    )
    assert check_devops(timeline).name == "Timeline_Get"
    assert found(timeline) == []
    assert found(replace(timeline, path=f"{timeline.path}/{APPROVAL}")) == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"groupIds": "1,2"}, "Variablegroups_Get Variable Groups By Id"),
        ({"groupName": "production"}, "Variablegroups_Get Variable Groups"),
        ({}, "Variablegroups_Get Variable Groups"),
    ],
)
def test_of_one_path_that_is_declared_twice_the_query_tells_which(query: dict[str, str], name: str) -> None:
    groups = Exchange(
        "GET",
        HOST,
        f"{PROJECT}/distributedtask/variablegroups",
        {"api-version": "7.1-preview.2", **query},
        response={"count": 0, "value": []},
    )
    assert check_devops(groups).name == name
    assert found(groups) == []


@pytest.mark.parametrize("version", ["7.2-preview", "7.2-preview.2"])
def test_a_preview_is_asked_as_one(version: str) -> None:
    assert found(replace(APPROVE, query={"api-version": version})) == []


@pytest.mark.parametrize("version", ["7.2", "7.2-preview.1"])
def test_a_preview_that_is_asked_as_something_else_is_refused(version: str) -> None:
    assert found(replace(APPROVE, query={"api-version": version})) == [
        (Side.REQUEST, "query:api-version", Rule.VERSION)
    ]


def test_a_path_that_two_templates_fit_is_the_one_that_says_more() -> None:
    run = Exchange(
        "GET",
        HOST,
        f"{PROJECT}/pipelines/checks/runs/{APPROVAL}",
        {"api-version": "7.1-preview.1"},
        response={"id": APPROVAL, "status": "approved"},
    )
    assert check_devops(run).name == "Check Evaluations_Get"
    assert found(run) == []


APPROVAL_CHECK = {
    "type": {"id": "8C6F20A7-A545-4486-9777-F762FAFE0D4D", "name": "Approval"},
    "settings": {"approvers": [PERSON], "executionOrder": "anyOrder", "minRequiredApprovers": 1},
    "resource": {"type": "environment", "id": "3", "name": "production"},
    "timeout": 43200,
}
LOCK_CHECK = {
    "type": {"id": "2EF31AD6-BAA0-403A-8B45-2CBC9B4E5563", "name": "ExclusiveLock"},
    "settings": {"anything": ["at", "all"]},
}


def added(check: dict[str, object]) -> Exchange:
    return Exchange(
        "POST",
        HOST,
        f"{PROJECT}/pipelines/checks/configurations",
        {"api-version": "7.1-preview.1"},
        request=check,
        response={**check, "id": 5},
    )


@pytest.mark.parametrize("check", [APPROVAL_CHECK, LOCK_CHECK])
def test_a_check_may_be_any_of_those_that_are_published(check: dict[str, object]) -> None:
    assert found(added(check)) == []
    assert found(replace(added(check), request={**check, "setings": {}})) == [
        (Side.REQUEST, "/setings", Rule.UNKNOWN)
    ]


def test_an_approval_takes_only_its_own_settings() -> None:
    wrong = {**APPROVAL_CHECK, "settings": {"approvers": [PERSON], "minApprovers": 1}}
    assert found(replace(added(APPROVAL_CHECK), request=wrong)) == [
        (Side.REQUEST, "/settings/minApprovers", Rule.UNKNOWN)
    ]


def test_nothing_is_answered_as_204_where_200_without_a_body_is_declared() -> None:
    delete = Exchange(
        "DELETE",
        HOST,
        f"{PROJECT}/pipelines/checks/configurations/5",
        {"api-version": "7.1-preview.1"},
        status=204,
    )
    assert found(delete) == []
    assert found(replace(RUN, status=204, response=None)) == [(Side.RESPONSE, "status", Rule.STATUS)]


def test_an_error_has_its_message() -> None:
    error = {"$id": "1", "message": "TF400813: not authorized", "typeKey": "Unauthorized", "errorCode": 0}
    assert found(replace(RUN, status=403, response=error)) == []
    assert found(replace(RUN, status=403, response={"error": "no"})) == [
        (Side.RESPONSE, "/error", Rule.UNKNOWN),
        (Side.RESPONSE, "/message", Rule.MISSING),
    ]
    assert found(replace(RUN, status=403, response=None)) == [(Side.RESPONSE, "", Rule.MISSING)]


@pytest.mark.parametrize(
    "exchange",
    [
        replace(RUN, host="dev.azure.com.example.com"),
        replace(RUN, path="/acme/forecasts/_apis/pipelines/7/walks"),
        replace(RUN, path="/forecasts/_apis/pipelines/7/runs"),
        replace(RUN, query={}),
        replace(RUN, query={"api-version": "5.0"}),
        replace(RUN, query={"api-version": "newest"}),
    ],
)
def test_what_is_not_published_is_unknown(exchange: Exchange) -> None:
    checked = check_devops(exchange)
    assert checked.standing is Standing.UNKNOWN
    assert checked.why
