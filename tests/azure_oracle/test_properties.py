"""Whatever fits a published schema passes, and one thing planted anywhere in it is found just there."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.azure_oracle.bodies import bodies
from tests.azure_oracle.devops import devops_oracle
from tests.azure_oracle.operations import Operations
from tests.azure_oracle.oracle import oracle
from tests.azure_oracle.schemas import Rule, Schemas, Side
from tests.azure_oracle.specs import NEEDS_SPECS

pytestmark = NEEDS_SPECS

WRITTEN = (
    "EnvironmentVersions_CreateOrUpdate",
    "CodeVersions_CreateOrUpdate",
    "ComponentVersions_CreateOrUpdate",
    "DataVersions_CreateOrUpdate",
    "ModelVersions_CreateOrUpdate",
    "Jobs_CreateOrUpdate",
    "OnlineEndpoints_CreateOrUpdate",
    "OnlineDeployments_CreateOrUpdate",
    "BatchEndpoints_CreateOrUpdate",
    "BatchDeployments_CreateOrUpdate",
    "Schedules_CreateOrUpdate",
    "RegistryModelVersions_CreateOrUpdate",
)
ASKED = (
    "Runs_Run Pipeline",
    "Approvals_Update",
    "Environments_Add",
    "Variablegroups_Add",
    "Endpoints_Create",
)
PLANTED = (Rule.UNKNOWN, Rule.MISSING, Rule.TYPE, Rule.ENUM, Rule.NULL)
OPTIONS = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def found_with(operations: Operations, name: str, data: st.DataObject) -> None:
    """Make a body of the newest version of an operation, check it, and check it with each kind of fault."""
    operation = max(
        (each for each in operations if each.id == name and each.body), key=lambda each: each.version
    )
    body = operation.body
    assert body is not None
    specs = operations.specs
    node = specs.node(body.document, body.schema)
    check = Schemas(specs, Side.REQUEST).check
    made = data.draw(bodies(specs, node), label="body")
    assert list(check(made.value, node)) == []
    for rule in PLANTED:
        places = [place for place in made.places if place.rule is rule]
        if places:
            place = data.draw(st.sampled_from(places), label=rule.value)
            found = [(each.where, each.rule) for each in check(made.with_planted(place), node)]
            assert found == [(place.where, rule)]


@pytest.mark.parametrize("name", WRITTEN)
@OPTIONS
@given(data=st.data())
def test_what_is_planted_in_a_resource_is_found_there(name: str, data: st.DataObject) -> None:
    found_with(oracle().operations, name, data)


@pytest.mark.parametrize("name", ASKED)
@OPTIONS
@given(data=st.data())
def test_what_is_planted_in_a_request_to_azure_devops_is_found_there(name: str, data: st.DataObject) -> None:
    found_with(devops_oracle().operations, name, data)
