"""Comments on pull requests of Azure Repos and GitHub: one of ours, replaced by the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from fleetcast.app import open_pull_request, open_pull_requests
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.settings import AzureDevOpsSettings, Settings
from fleetcast.domain.settings.azure_devops import LinkedVault
from fleetcast.domain.settings.github import GitHubSettings
from tests.clocks import FixedClock
from tests.servers.recorded import Recorded, recorded

TOKEN = "s3cret-token"  # noqa: S105  # nobody's
THREADS = "/p-1/_apis/git/repositories/r-1/pullRequests/7/threads"
COMMENTS = "/repos/acme/fleet/issues/7/comments"


@pytest.fixture
def service() -> Iterator[Recorded]:
    with recorded() as found:
        yield found


def azure(service: Recorded) -> dict[str, str]:
    return {
        "TF_BUILD": "True",
        "SYSTEM_COLLECTIONURI": f"{service.url}/",
        "SYSTEM_TEAMPROJECTID": "p-1",
        "BUILD_REPOSITORY_ID": "r-1",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        "SYSTEM_ACCESSTOKEN": TOKEN,
    }


def github(service: Recorded) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": service.url,
        "GITHUB_REPOSITORY": "acme/fleet",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_TOKEN": TOKEN,
    }


def test_azure_gets_a_thread_first_and_then_its_comment_is_replaced(service: Recorded) -> None:
    other = {"id": 3, "comments": [{"id": 1, "content": "nice"}, {"id": 2}]}
    service.answer("GET", THREADS, {"value": [other]})
    service.answer("POST", THREADS, {"id": 4})
    open_pull_request(azure(service)).comment("| plan |")
    posted = service.asked[-1]
    assert (posted.verb, posted.path) == ("POST", f"{THREADS}?api-version=7.1")
    content = posted.body["comments"][0]["content"]
    assert content.endswith("| plan |")
    assert posted.headers["Authorization"] == f"Bearer {TOKEN}"

    service.answers.clear()
    service.answer("GET", THREADS, {"value": [other, {"id": 4, "comments": [{"id": 9, "content": content}]}]})
    service.answer("PATCH", f"{THREADS}/4/comments/9", {})
    open_pull_request(azure(service)).comment("another plan")
    assert service.asked[-1].verb == "PATCH"
    assert service.asked[-1].body["content"].endswith("another plan")


def test_github_gets_one_comment_that_is_replaced_however_many_there_are(service: Recorded) -> None:
    others = [{"id": number, "body": "nice"} for number in range(100)]
    service.answer("GET", COMMENTS, others)
    service.answer("GET", COMMENTS, others[:5])
    service.answer("POST", COMMENTS, {"id": 900})
    open_pull_request(github(service)).comment("| plan |")
    body = service.asked[-1].body["body"]
    assert "page=2" in service.asked[-2].path

    service.answers.clear()
    service.answer("GET", COMMENTS, others)
    service.answer("GET", COMMENTS, [{"id": 900, "body": body}])
    service.answer("PATCH", "/repos/acme/fleet/issues/comments/900", {})
    open_pull_request(github(service)).comment("another plan")
    assert service.asked[-1].body["body"].endswith("another plan")


@pytest.mark.parametrize("variables", [azure, github])
def test_what_is_lacking_is_named(service: Recorded, variables: object) -> None:
    assert callable(variables)
    whole = variables(service)
    for name in list(whole)[1:]:
        if name in ("SYSTEM_COLLECTIONURI", "GITHUB_API_URL"):
            continue
        less = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(BadInput, match="no pull request to comment on") as refused:
            open_pull_request(less)
        assert name in str(refused.value) or name == "GITHUB_REF"


def test_without_an_agent_there_is_nothing_to_comment_on() -> None:
    with pytest.raises(BadInput, match="no agent of Azure Pipelines or GitHub Actions"):
        open_pull_request({})


def test_a_busy_service_is_asked_again_when_it_says(service: Recorded) -> None:
    clock = FixedClock()
    service.answer("GET", COMMENTS, {"message": "slow down"}, 429, {"Retry-After": "17"})
    service.answer("GET", COMMENTS, {"message": "later"}, 503)
    service.answer("GET", COMMENTS, [])
    service.answer("POST", COMMENTS, {"id": 1}, 201)
    open_pull_request(github(service), clock).comment("plan")
    assert clock.slept == [timedelta(seconds=17), timedelta(seconds=2)]


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (401, {}, BadInput, "refuses"),
        (403, {"message": "no"}, BadInput, "refuses"),
        (404, {}, BadInput, "has no /repos"),
        (500, {"message": "oh\nno"}, Unavailable, "with 500: oh"),
        (200, b"<html>sign in</html>", Unavailable, "something else than JSON"),
        (503, {}, Unavailable, "with 503"),
    ],
)
def test_a_service_that_does_not_do_it_is_told_without_the_token(
    service: Recorded, status: int, body: object, error: type[Exception], says: str
) -> None:
    service.answer("GET", COMMENTS, body, status)
    with pytest.raises(error, match=says) as raised:
        open_pull_request(github(service), FixedClock()).comment("plan")
    assert TOKEN not in f"{raised.value} {raised.value.__cause__}"


def test_nobody_who_answers_is_told(service: Recorded) -> None:
    variables = {**github(service), "GITHUB_API_URL": "http://127.0.0.1:9"}
    with pytest.raises(Unavailable, match="GitHub does not answer: ConnectError"):
        open_pull_request(variables, FixedClock()).comment("plan")


def test_a_branch_is_asked_to_be_merged_in_azure_repos_once(service: Recorded) -> None:
    settings = Settings(
        azure_devops=AzureDevOpsSettings("acme", "plants", "fleet", LinkedVault("vault"), service.url)
    )
    requests = "/acme/plants/_apis/git/repositories/fleet/pullrequests"
    service.answer("GET", requests, {"value": []})
    service.answer("GET", requests, {"value": [{"pullRequestId": 12}]})
    service.answer("POST", requests, {"pullRequestId": 12})
    opening = open_pull_requests(settings, {"AZURE_DEVOPS_EXT_PAT": TOKEN})
    rows = "\n".join(f"| row {number} |" for number in range(1000))
    for _ in range(2):
        url = opening.open("retrain/now", "develop", "Retrain", rows)
        assert url == f"{service.url}/acme/plants/_git/fleet/pullrequest/12"
    (posted,) = [one.body for one in service.asked if one.verb == "POST"]
    assert (posted["sourceRefName"], posted["targetRefName"]) == (
        "refs/heads/retrain/now",
        "refs/heads/develop",
    )
    assert len(posted["description"]) <= 4000
    assert posted["description"].endswith(" |\n…\n")


def test_github_is_asked_where_it_has_one_open_already(service: Recorded) -> None:
    service.answer("GET", "/api/v3/repos/acme/fleet/pulls", [{"html_url": "https://example.com/pull/3"}])
    opening = open_pull_requests(
        Settings(github=GitHubSettings("acme/fleet", service.url)), {"GITHUB_TOKEN": TOKEN}
    )
    assert opening.open("retrain/now", "develop", "Retrain", "why") == "https://example.com/pull/3"
    assert [one.verb for one in service.asked] == ["GET"]
    assert "head=acme%3Aretrain%2Fnow" in service.asked[0].path


def test_an_answer_that_names_no_pull_request_is_said(service: Recorded) -> None:
    service.answer("GET", "/api/v3/repos/acme/fleet/pulls", [])
    service.answer("POST", "/api/v3/repos/acme/fleet/pulls", {})
    with pytest.raises(Unavailable, match="does not say which pull request"):
        open_pull_requests(
            Settings(github=GitHubSettings("acme/fleet", service.url)), {"GITHUB_TOKEN": TOKEN}
        ).open("a", "b", "Retrain", "why")
