"""A batch endpoint of the emulator is invoked by the SDK, and its deployment runs as a job."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from azure.ai.ml import Input, MLClient, load_component
from azure.ai.ml.entities import BatchEndpoint, PipelineComponentBatchDeployment
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from tests.azure_emulator.conftest import unknown
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.submitted import log, until

COMMAND = """
type: command
name: said_in_batch
version: 1.0.0
inputs: {word: {type: string}, more: {type: string}}
environment: azureml:training:1.0.0
command: echo ${{inputs.word}} ${{inputs.more}} $OF
"""
PIPELINE = """
type: pipeline
name: said_by_endpoint
version: 1.0.0
inputs: {word: {type: string}, more: {type: string, default: again}}
jobs:
  say:
    type: command
    component: azureml:said_in_batch:1.0.0
    inputs: {word: "${{parent.inputs.word}}", more: "${{parent.inputs.more}}"}
    environment_variables: {OF: plants}
"""
_COUNT = itertools.count(1)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def endpoint(fleet: MLClient, tmp_path: Path) -> str:
    """One with a deployment that is the default."""
    for text in (COMMAND, PIPELINE):
        (tmp_path / "c.yml").write_text(text)
        component = fleet.components.create_or_update(load_component(tmp_path / "c.yml"))
    name = f"said-{next(_COUNT)}"
    fleet.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    deployment = PipelineComponentBatchDeployment(name="first", endpoint_name=name, component=component.id)
    fleet.batch_deployments.begin_create_or_update(deployment).result()
    made = BatchEndpoint(name=name, default_deployment_name="first")
    fleet.batch_endpoints.begin_create_or_update(made).result()
    return name


def invoke(client: MLClient, endpoint: str, job: str, **inputs: str) -> str:
    given = {name: Input(type="string", default=said) for name, said in inputs.items()}
    begun = client.batch_endpoints.invoke(
        endpoint, deployment_name="first", inputs=given, job_name=job, experiment_name="said"
    )
    return str(begun.name)


def test_an_invoked_endpoint_runs_its_pipeline_with_what_it_was_given(
    fleet: MLClient, emulator: AzureEmulator, endpoint: str
) -> None:
    begin, job = len(emulator.exchanges()), f"{endpoint}-job"
    assert invoke(fleet, endpoint, job, word="hello") == job
    assert until(fleet, job) == "Completed"
    assert log(emulator, f"{job}.say") == "hello again plants\n"
    assert fleet.jobs.get(job).experiment_name == "said"
    assert [(one.name, one.status) for one in fleet.batch_deployments.list_jobs(endpoint, name="first")] == [
        (job, "Completed")
    ]
    assert unknown(emulator, begin) == []


def test_a_job_of_that_name_is_not_begun_twice(fleet: MLClient, endpoint: str) -> None:
    job = f"{endpoint}-job"
    invoke(fleet, endpoint, job, word="hello")
    with pytest.raises(ResourceExistsError):
        invoke(fleet, endpoint, job, word="hello")


@pytest.mark.parametrize(
    ("inputs", "says"),
    [({}, "word has no value"), ({"word": "a", "colour": "red"}, "no input colour")],
)
def test_inputs_are_those_of_the_component(
    fleet: MLClient, endpoint: str, inputs: dict[str, str], says: str
) -> None:
    with pytest.raises(HttpResponseError, match=says):
        invoke(fleet, endpoint, f"{endpoint}-job", **inputs)
