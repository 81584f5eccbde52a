"""What is said of a whole run: counts, failures, stale deviations, and moved api-versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.deviations import DEVIATIONS, Deviation
from tests.azure_oracle.exchanges import Checked, Finding, Standing
from tests.azure_oracle.oracle import check, oracle
from tests.azure_oracle.pins import PINNED, SDK, Pin, moved, pins_of, shape_of, unasked
from tests.azure_oracle.report import Report, Row
from tests.azure_oracle.schemas import Rule, Side, Wrong
from tests.azure_oracle.specs import NEEDS_SPECS

GROUP = "/resourceGroups/plant-7"
PROVIDER = f"/subscriptions/1{GROUP}/providers/Microsoft.MachineLearningServices"
WORKSPACE = f"{PROVIDER}/workspaces/forecasts"
ARM = "management.azure.com"
REGION = "westeurope.api.azureml.ms"

CODE = Exchange(
    "PUT",
    ARM,
    f"{WORKSPACE}/codes/9f/versions/1",
    {"api-version": "2023-04-01"},
    request={"properties": {"properties": {"hash_version": 202208}, "codeUri": "https://a/b"}},
    status=201,
    response={"properties": {"codeUri": "https://a/b"}},
)
IMPORT = Exchange(
    "POST",
    REGION,
    f"/mferp/managementfrontend{PROVIDER}/registries/shared/import",
    {"api-version": "2021-10-01-dataplanepreview"},
)
BLOB = Exchange("HEAD", "forecasts1.blob.core.windows.net", "/store/train.py", status=404)
NOWHERE = Exchange("GET", "example.com", "/")


def finding(where: str = "/properties/a/mode", rule: Rule = Rule.CASE, value: str = '"enabled"') -> Finding:
    return Finding("Pets_Put", Side.REQUEST, Wrong(where, rule, "Enabled", value))


MODE = Deviation("Pets_Put", "/properties/*/mode", Rule.CASE, '"enabled"', "it does")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (finding(), True),
        (finding("/properties/b/mode"), True),
        (finding("/properties/a/b/mode"), False),
        (finding("/properties/a/modes"), False),
        (finding(rule=Rule.ENUM), False),
        (finding(value='"on"'), False),
        (replace(finding(), operation="Pets_Get"), False),
        (replace(finding(), side=Side.RESPONSE), False),
    ],
)
def test_a_deviation_explains_one_value_at_one_place(found: Finding, expected: bool) -> None:
    assert MODE.explains(found) is expected


def test_what_is_explained_deviates_and_all_else_fails() -> None:
    described = Checked("Pets_Put", Standing.DESCRIBED)
    deviating = replace(described, findings=(finding(),))
    failing = replace(described, findings=(finding(), finding("/name", Rule.TYPE, "3")))
    unknown = Checked("GET /nowhere", Standing.UNKNOWN, why="there is no such operation")
    known = Checked("POST …/import", Standing.UNDESCRIBED)
    report = Report((described, deviating, failing, failing, unknown, known), (MODE,))
    assert report.rows == (
        Row("Pets_Put", Standing.DESCRIBED, checked=4, deviating=1, failing=2),
        Row("POST …/import", Standing.UNDESCRIBED, checked=1),
        Row("GET /nowhere", Standing.UNKNOWN, checked=1, failing=1),
    )
    assert report.failures == (
        "Pets_Put (request) /name: wrong type: expected Enabled, found 3",
        "GET /nowhere: there is no such operation",
    )
    assert report.stale == ()


def test_a_deviation_that_nothing_has_is_stale() -> None:
    other = replace(MODE, found='"disabled"')
    report = Report((Checked("Pets_Put", Standing.DESCRIBED, (finding(),)),), (MODE, other))
    assert report.stale == (other,)
    assert report.failures == ()


def test_the_table_says_it_all() -> None:
    report = Report(
        (
            Checked("Pets_Put", Standing.DESCRIBED, (finding("/name", Rule.TYPE, "3"),)),
            Checked("blobs", Standing.ELSEWHERE),
        ),
        (MODE,),
    )
    assert report.as_table().splitlines() == [
        "operation  checked  deviating  failing",
        "Pets_Put        1          0        1",
        "-- on another plane",
        "blobs           1          0        0",
        "1 described, 0 known, but not published, 1 on another plane, 0 unknown",
        "FAILS Pets_Put (request) /name: wrong type: expected Enabled, found 3",
        'STALE Pets_Put (request) /properties/*/mode: in another case than its value: "enabled"',
    ]


@NEEDS_SPECS
def test_a_run_is_counted() -> None:
    report = Report.of([CODE, CODE, IMPORT, BLOB, NOWHERE], check)
    assert report.rows == (
        Row("CodeVersions_CreateOrUpdate", Standing.DESCRIBED, checked=2, deviating=2),
        Row("POST …/registries/{}/import", Standing.UNDESCRIBED, checked=1),
        Row("blobs", Standing.ELSEWHERE, checked=1),
        Row("GET https://example.com/", Standing.UNKNOWN, checked=1, failing=1),
    )
    assert len(report.failures) == 1
    assert len(report.stale) == len(DEVIATIONS) - 1


@NEEDS_SPECS
def test_each_deviation_is_of_an_operation_that_there_is() -> None:
    assert {each.operation for each in DEVIATIONS} <= {each.id for each in oracle().operations}


@NEEDS_SPECS
@pytest.mark.parametrize(
    "exchange",
    [
        CODE,
        replace(
            CODE,
            host=REGION,
            path=f"/mferp/managementfrontend{PROVIDER}/registries/shared/codes/9f/versions/1",
            query={"api-version": "2021-10-01-dataplanepreview"},
        ),
        Exchange(
            "POST",
            ARM,
            f"{WORKSPACE}/datastores/workspaceblobstore/listSecrets",
            {"api-version": "2024-10-01-preview"},
            request={"expirableSecret": True, "expireAfterHours": 1},
            response={"secretsType": "Sas", "sasToken": "s"},
        ),
        Exchange(
            "PUT",
            REGION,
            f"/mferp/managementfrontend{PROVIDER}/registries/shared/models/valve/versions/3",
            {"api-version": "2021-10-01-dataplanepreview"},
            request={"properties": {"modelUri": "https://a/b", "system_metadata": None}},
            status=201,
            response={"properties": {"modelUri": "https://a/b"}},
        ),
        Exchange(
            "PUT",
            ARM,
            f"{WORKSPACE}/onlineEndpoints/press/deployments/blue",
            {"api-version": "2023-04-01-preview"},
            request={
                "location": "westeurope",
                "properties": {
                    "endpointComputeType": "Managed",
                    "dataCollector": {
                        "collections": {"inputs": {"dataCollectionMode": "enabled", "dataId": "a"}}
                    },
                },
            },
            response={"location": "westeurope", "properties": {"endpointComputeType": "Managed"}},
        ),
        Exchange(
            "PUT",
            ARM,
            f"{WORKSPACE}/batchEndpoints/night",
            {"api-version": "2023-10-01"},
            request={"location": "westeurope", "properties": {"authMode": "aadToken"}},
            response={"location": "westeurope", "properties": {"authMode": "AADToken"}},
        ),
    ],
)
def test_each_deviation_explains_what_the_sdk_sends(exchange: Exchange) -> None:
    report = Report.of([exchange], check)
    assert report.failures == ()
    assert len(report.stale) == len(DEVIATIONS) - 1


@pytest.mark.parametrize(
    ("exchange", "shape"),
    [
        (CODE, "workspaces/{}/codes/{}/versions/{}"),
        (IMPORT, "registries/{}/import"),
        (Exchange("GET", ARM, f"{WORKSPACE}/Jobs"), "workspaces/{}/jobs"),
        (
            Exchange("GET", REGION, "/registrymanagement/v1.0/registries/shared/discovery"),
            "registrymanagement/v1.0/registries/{}/discovery",
        ),
        (BLOB, None),
    ],
)
def test_a_path_has_a_shape_without_its_names(exchange: Exchange, shape: str | None) -> None:
    assert shape_of(exchange) == shape


def test_polls_are_no_pins() -> None:
    poll = Exchange(
        "GET", ARM, f"{PROVIDER}/locations/westeurope/mfeOperationsStatus/1", {"api-version": "1"}
    )
    assert pins_of([poll, CODE, BLOB]) == {Pin("workspaces/{}/codes/{}/versions/{}", "2023-04-01")}


def test_an_sdk_that_moves_a_version_is_told_which() -> None:
    moving = replace(CODE, query={"api-version": "2026-05-01"})
    new = Exchange("GET", ARM, f"{WORKSPACE}/wishes/1", {"api-version": "2026-05-01"})
    assert moved(pins_of([CODE, IMPORT])) == ()
    assert moved(pins_of([CODE, moving, new])) == (
        f"workspaces/{{}}/codes/{{}}/versions/{{}} moved from 2023-04-01 to 2026-05-01 (was {SDK})",
        "workspaces/{}/wishes/{} is new: asked with 2026-05-01, pinned nowhere",
    )


def test_what_is_no_longer_asked_is_told() -> None:
    everything = {Pin(shape, version) for shape, versions in PINNED.items() for version in versions}
    code = Pin("workspaces/{}/codes/{}/versions/{}", "2023-04-01")
    assert unasked(everything) == ()
    assert unasked(everything - {code}) == (code,)


@NEEDS_SPECS
def test_all_that_is_pinned_can_be_checked() -> None:
    undescribed = {
        "registries/{}/import",
        "registries/{}/tempdatarefs/{}/versions/{}",
        "workspaces/{}/batchendpoints/{}/deployments/{}/jobs",
    }
    for shape, versions in PINNED.items():
        for version in versions:
            if shape not in undescribed and not shape.startswith("registrymanagement"):
                # What a whole region has is below no resource group.
                base = PROVIDER.replace(GROUP, "") if shape.startswith("locations/") else PROVIDER
                path = f"{base}/{shape.replace('{}', 'name')}"
                known = [
                    check(Exchange(method, ARM, path, {"api-version": version})).standing
                    for method in ("GET", "PUT", "POST")
                ]
                assert Standing.DESCRIBED in known, (shape, version)
