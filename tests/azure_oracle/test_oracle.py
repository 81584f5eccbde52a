"""Exchanges with Azure Machine Learning, held against what is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.exchanges import Standing
from tests.azure_oracle.oracle import check, oracle
from tests.azure_oracle.planes import NEIGHBOURS
from tests.azure_oracle.schemas import Rule, Side
from tests.azure_oracle.specs import NEEDS_SPECS

pytestmark = NEEDS_SPECS

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/plant-7"
PROVIDER = f"{GROUP}/providers/Microsoft.MachineLearningServices"
WORKSPACE = f"{PROVIDER}/workspaces/forecasts"
ARM = "management.azure.com"
REGISTRY = f"/mferp/managementfrontend{PROVIDER}/registries/shared"
REGION = "westeurope.api.azureml.ms"

ENVIRONMENT = Exchange(
    "PUT",
    ARM,
    f"{WORKSPACE}/environments/training/versions/3",
    {"api-version": "2023-04-01-preview"},
    request={"properties": {"image": "ubuntu", "tags": {"commit": "1f2e"}}},
    status=201,
    response={
        "id": f"{WORKSPACE}/environments/training/versions/3",
        "name": "3",
        "properties": {"image": "ubuntu", "tags": {"commit": "1f2e"}, "osType": "Linux"},
    },
)


def found(exchange: Exchange) -> list[tuple[Side, str, Rule]]:
    checked = check(exchange)
    assert checked.standing is Standing.DESCRIBED, checked.why
    return [(each.side, each.wrong.where, each.wrong.rule) for each in checked.findings]


def asked(exchange: Exchange, **query: str) -> Exchange:
    return replace(exchange, query={**exchange.query, **query})


def test_what_is_as_it_is_published_has_no_findings() -> None:
    checked = check(ENVIRONMENT)
    assert checked.name == "EnvironmentVersions_CreateOrUpdate"
    assert checked.findings == ()


def test_a_path_is_the_same_in_any_case() -> None:
    path = ENVIRONMENT.path.replace("resourceGroups", "resourcegroups").replace("workspaces", "WORKSPACES")
    assert check(replace(ENVIRONMENT, path=path)).name == "EnvironmentVersions_CreateOrUpdate"


def test_a_name_holds_no_slash() -> None:
    path = ENVIRONMENT.path.replace("training", "train/ing")
    assert check(replace(ENVIRONMENT, path=path)).standing is Standing.UNKNOWN


def test_both_sides_are_checked() -> None:
    assert found(
        replace(
            ENVIRONMENT,
            request={"properties": {"image": "ubuntu", "osTyp": "Linux"}},
            response={"properties": {"provisioning": "Succeeded"}},
        )
    ) == [
        (Side.REQUEST, "/properties/osTyp", Rule.UNKNOWN),
        (Side.RESPONSE, "/properties/provisioning", Rule.UNKNOWN),
    ]


@pytest.mark.parametrize(
    ("exchange", "side", "where", "rule"),
    [
        (asked(ENVIRONMENT, top="1"), Side.REQUEST, "query:top", Rule.PARAMETER),
        (replace(ENVIRONMENT, request=None), Side.REQUEST, "", Rule.MISSING),
        (replace(ENVIRONMENT, response=None), Side.RESPONSE, "", Rule.MISSING),
        (replace(ENVIRONMENT, status=202), Side.RESPONSE, "status", Rule.STATUS),
        (
            replace(ENVIRONMENT, status=409, response={"error": "taken"}),
            Side.RESPONSE,
            "/error",
            Rule.TYPE,
        ),
        (
            replace(ENVIRONMENT, path=ENVIRONMENT.path.replace("/forecasts/", "/f/")),
            Side.REQUEST,
            "path:workspaceName",
            Rule.PATTERN,
        ),
    ],
)
def test_one_thing_wrong_is_found_once(exchange: Exchange, side: Side, where: str, rule: Rule) -> None:
    assert found(exchange) == [(side, where, rule)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"$top": "1", "$orderBy": "createdtime desc", "listViewType": "ActiveOnly"}, []),
        ({"$top": "one"}, [("query:$top", Rule.TYPE)]),
        ({"listViewType": "Active"}, [("query:listViewType", Rule.ENUM)]),
    ],
)
def test_what_is_in_a_query_is_read_as_its_type(
    query: Mapping[str, str], expected: list[tuple[str, Rule]]
) -> None:
    listing = Exchange(
        "GET",
        ARM,
        f"{WORKSPACE}/environments/training/versions",
        {"api-version": "2023-04-01-preview", **query},
        response={"value": []},
    )
    assert [(where, rule) for _, where, rule in found(listing)] == expected


def test_each_of_several_values_in_a_query_is_read() -> None:
    listing = Exchange(
        "GET",
        ARM,
        f"{PROVIDER}/workspaces/forecasts/datastores",
        {"api-version": "2024-04-01-preview", "names": "a,b", "count": "3"},
        response={"value": []},
    )
    assert found(listing) == []


def test_what_a_query_must_say_is_missed() -> None:
    deleted = Exchange(
        "DELETE",
        ARM,
        f"{WORKSPACE}/computes/cpu",
        {"api-version": "2023-04-01-preview"},
        status=202,
    )
    assert found(deleted) == [(Side.REQUEST, "query:underlyingResourceAction", Rule.MISSING)]
    assert found(asked(deleted, underlyingResourceAction="Delete")) == []


def test_a_body_that_is_not_declared_is_found_on_either_side() -> None:
    cancelled = Exchange(
        "POST", ARM, f"{WORKSPACE}/jobs/training-1/cancel", {"api-version": "2023-04-01-preview"}
    )
    assert found(cancelled) == []
    assert found(replace(cancelled, request={"force": True}, response={"status": "Canceled"})) == [
        (Side.REQUEST, "", Rule.BODY),
        (Side.RESPONSE, "", Rule.BODY),
    ]


def test_a_page_without_a_next_one_has_no_link_at_all() -> None:
    listing = Exchange(
        "GET",
        ARM,
        f"{WORKSPACE}/models/valve/versions",
        {"api-version": "2023-08-01-preview"},
        response={"value": [], "nextLink": None},
    )
    assert found(listing) == [(Side.RESPONSE, "/nextLink", Rule.NULL)]


def test_an_error_fits_what_is_published_of_all_errors() -> None:
    error = {"error": {"code": "UserError", "message": "taken", "details": [], "additionalInfo": []}}
    assert found(replace(ENVIRONMENT, status=409, response=error)) == []


def test_a_job_is_checked_as_what_it_says_it_is() -> None:
    job = {"jobType": "Pipeline", "command": "python train.py"}
    exchange = Exchange(
        "PUT",
        ARM,
        f"{WORKSPACE}/jobs/training-1",
        {"api-version": "2024-01-01-preview"},
        request={"properties": job},
        response={"properties": {"jobType": "Pipeline"}},
    )
    assert found(exchange) == [(Side.REQUEST, "/properties/command", Rule.UNKNOWN)]


@pytest.mark.parametrize("version", sorted(NEIGHBOURS))
def test_a_version_that_is_not_published_is_checked_as_its_neighbour(version: str) -> None:
    neighbour, why = NEIGHBOURS[version]
    assert version not in oracle().operations.versions
    assert neighbour in oracle().operations.versions
    assert why
    path = f"{REGISTRY}/models/valve/versions" if "dataplane" in version else f"{WORKSPACE}/jobs"
    host = REGION if "dataplane" in version else ARM
    listing = Exchange("GET", host, path, {"api-version": version}, response={"value": [], "more": 1})
    assert found(listing) == [(Side.RESPONSE, "/more", Rule.UNKNOWN)]


def test_a_version_that_nobody_knows_is_a_failure_that_lists_those_that_are() -> None:
    checked = check(asked(ENVIRONMENT, **{"api-version": "2030-01-01"}))
    assert checked.standing is Standing.UNKNOWN
    assert '"2030-01-01"' not in checked.why
    assert "found 2030-01-01" in checked.why
    assert "2023-04-01-preview" in checked.why


@pytest.mark.parametrize(
    ("method", "host", "path"),
    [
        ("POST", REGION, f"{REGISTRY}/import"),
        ("PUT", REGION, f"{REGISTRY}/tempdatarefs/valve/versions/3"),
        ("GET", ARM, f"{PROVIDER}/locations/westeurope/mfeOperationsStatus/ep:1"),
        ("GET", REGION, f"{REGISTRY}/mfeOperationResults/1"),
        ("GET", ARM, f"{WORKSPACE}/mfeOperationsStatus/1"),
        ("GET", REGION, f"/mferp/managementfrontend{WORKSPACE}/batchEndpoints/night/deployments/a/jobs"),
    ],
)
def test_what_is_published_nowhere_is_known_as_that(method: str, host: str, path: str) -> None:
    exchange = Exchange(method, host, path, {"api-version": "2021-10-01-dataplanepreview"}, status=200)
    assert check(exchange).standing is Standing.UNDESCRIBED


@pytest.mark.parametrize(
    ("method", "host", "path"),
    [
        ("POST", "login.microsoftonline.com", "/tenant/oauth2/v2.0/token"),
        ("PUT", "forecasts1.blob.core.windows.net", "/azureml-blobstore/LocalUpload/1/train.py"),
        ("GET", "eastus.api.azureml.ms", "/registrymanagement/v1.0/registries/shared/discovery"),
        ("DELETE", "forecasts1.blob.core.windows.net", "/azureml-blobstore/LocalUpload/1/train.py"),
        ("GET", "127.0.0.1", "/msi/token"),
        ("POST", "night.westeurope.inference.ml.azure.com", "/jobs"),
        ("POST", REGION, f"/data/v1.0{WORKSPACE}/dataversion/batchGetResolvedUris"),
        ("GET", REGION, f"/history/v1.0{WORKSPACE}/runs/training-1/details"),
    ],
)
def test_what_is_on_another_plane_is_known_as_that(method: str, host: str, path: str) -> None:
    assert check(Exchange(method, host, path)).standing is Standing.ELSEWHERE


@pytest.mark.parametrize(
    ("method", "host", "path"),
    [
        ("GET", ARM, f"{WORKSPACE}/wishes"),
        ("PATCH", ARM, f"{WORKSPACE}/environments/training/versions/3"),
        ("GET", REGION, f"{REGISTRY}/import"),
        ("POST", REGION, f"{REGISTRY}/import/again"),
        ("GET", "forecasts1.blob.core.windows.net.example.com", "/azureml-blobstore/a"),
        ("PUT", ARM, f"{WORKSPACE}/environments//versions/3"),
        ("GET", ARM, "/subscriptions/1/resourceGroups"),
        ("GET", "example.com", f"{WORKSPACE}/jobs"),
        ("PATCH", "forecasts1.blob.core.windows.net", "/azureml-blobstore/a"),
        ("GET", f"{ARM}.example.com", f"{WORKSPACE}/jobs"),
    ],
)
def test_anything_else_is_unknown(method: str, host: str, path: str) -> None:
    checked = check(Exchange(method, host, path, {"api-version": "2024-01-01-preview"}))
    assert checked.standing is Standing.UNKNOWN
    assert checked.why
