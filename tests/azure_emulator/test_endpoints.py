"""Endpoints, deployments, traffic and schedules, as the SDK makes, changes, reads and refuses them."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from azure.ai.ml import MLClient, load_component, load_job
from azure.ai.ml.entities import (
    BatchEndpoint,
    CronTrigger,
    Environment,
    JobSchedule,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    PipelineComponentBatchDeployment,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.azure_emulator.conftest import unknown
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
]
_COUNT = itertools.count(1)


@pytest.fixture
def serving(client: MLClient) -> MLClient:
    """A workspace with all that a deployment needs."""
    client.environments.create_or_update(Environment(name="serving", version="1.0.0", image="x"))
    path = "azureml://datastores/workspaceblobstore/paths/served"
    client.models.create_or_update(Model(name="served", version="1", path=path))
    return client


def new_endpoint(client: MLClient, auth: str = "key") -> str:
    name = f"circuit-{next(_COUNT)}"
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode=auth)).result()
    return name


def deploy(client: MLClient, endpoint: str, name: str) -> ManagedOnlineDeployment:
    deployment = ManagedOnlineDeployment(
        name=name,
        endpoint_name=endpoint,
        model="azureml:served:1",
        environment="azureml:serving:1.0.0",
        code_path=None,
        instance_type="Standard_DS2_v2",
        instance_count=1,
    )
    made: ManagedOnlineDeployment = client.online_deployments.begin_create_or_update(deployment).result()
    return made


def shift(
    client: MLClient, name: str, traffic: Mapping[str, int], mirror: Mapping[str, int] | None = None
) -> None:
    endpoint = client.online_endpoints.get(name)
    endpoint.traffic = dict(traffic)
    endpoint.mirror_traffic = dict(mirror or {})
    client.online_endpoints.begin_create_or_update(endpoint).result()


def test_traffic_goes_from_blue_to_green(serving: MLClient, emulator: AzureEmulator) -> None:
    begin, name = len(emulator.exchanges()), new_endpoint(serving)
    assert deploy(serving, name, "blue").provisioning_state == "Succeeded"
    shift(serving, name, {"blue": 100})
    deploy(serving, name, "green")
    shift(serving, name, {"blue": 100}, {"green": 20})
    shift(serving, name, {"blue": 90, "green": 10})

    read = serving.online_endpoints.get(name)

    assert (read.traffic, read.provisioning_state) == ({"blue": 90, "green": 10}, "Succeeded")
    assert {one.name for one in serving.online_deployments.list(name)} == {"blue", "green"}
    assert name in {one.name for one in serving.online_endpoints.list()}
    assert unknown(emulator, begin) == []


@pytest.mark.parametrize(
    ("traffic", "mirror"),
    [
        ({"blue": 60, "green": 10}, {}),
        ({"grey": 100}, {}),
        ({"blue": 100}, {"green": 51}),
        ({"blue": 90, "green": 10}, {"green": 10}),
    ],
)
def test_wrong_traffic_is_refused_and_changes_nothing(
    serving: MLClient, traffic: Mapping[str, int], mirror: Mapping[str, int]
) -> None:
    name = new_endpoint(serving)
    for deployment in ("blue", "green"):
        deploy(serving, name, deployment)
    shift(serving, name, {"blue": 100})

    with pytest.raises(HttpResponseError) as error:
        shift(serving, name, traffic, mirror)

    assert error.value.status_code == 400
    assert serving.online_endpoints.get(name).traffic["blue"] == 100


def test_an_endpoint_that_is_being_changed_is_busy(serving: MLClient, emulator: AzureEmulator) -> None:
    name = new_endpoint(serving)
    emulator.operations.length = timedelta(hours=1)
    try:
        serving.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key"))
    finally:
        emulator.operations.length = timedelta(milliseconds=30)

    assert serving.online_endpoints.get(name).provisioning_state == "Updating"
    with pytest.raises(HttpResponseError) as error:
        deploy(serving, name, "blue")
    assert error.value.status_code == 409


def test_a_deployment_is_deleted_when_it_has_no_traffic(serving: MLClient) -> None:
    name = new_endpoint(serving)
    deploy(serving, name, "blue")
    shift(serving, name, {"blue": 100})
    with pytest.raises(HttpResponseError, match="still has traffic"):
        serving.online_deployments.begin_delete(name="blue", endpoint_name=name).result()
    shift(serving, name, {"blue": 0})

    serving.online_deployments.begin_delete(name="blue", endpoint_name=name).result()

    with pytest.raises(ResourceNotFoundError):
        serving.online_deployments.get("blue", name)


def test_an_endpoint_is_deleted_with_its_deployments(serving: MLClient) -> None:
    name = new_endpoint(serving)
    deploy(serving, name, "blue")

    serving.online_endpoints.begin_delete(name).result()

    with pytest.raises(ResourceNotFoundError):
        serving.online_endpoints.get(name)
    assert new_and_empty(serving, name) == []


def new_and_empty(client: MLClient, name: str) -> list[str]:
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    return [one.name for one in client.online_deployments.list(name)]


def test_keys_are_given_and_made_anew(serving: MLClient) -> None:
    name = new_endpoint(serving)
    first = serving.online_endpoints.get_keys(name)

    serving.online_endpoints.begin_regenerate_keys(name, key_type="primary").result()

    second = serving.online_endpoints.get_keys(name)
    assert first.primary_key != second.primary_key
    assert first.secondary_key == second.secondary_key


def test_tokens_and_logs_are_given(serving: MLClient) -> None:
    name = new_endpoint(serving, auth="aml_token")
    deploy(serving, name, "blue")

    assert serving.online_endpoints.get_keys(name).access_token
    assert "blue" in serving.online_deployments.get_logs(name="blue", endpoint_name=name, lines=5)


def test_a_deployment_of_an_unknown_model_is_refused(serving: MLClient) -> None:
    name = new_endpoint(serving)
    deployment = ManagedOnlineDeployment(
        name="blue",
        endpoint_name=name,
        model="azureml:never:1",
        environment="azureml:serving:1.0.0",
        instance_type="Standard_DS2_v2",
        instance_count=1,
    )

    with pytest.raises(HttpResponseError, match="never"):
        serving.online_deployments.begin_create_or_update(deployment).result()


def test_a_deployment_without_quota_fails_and_leaves_its_state(
    serving: MLClient, emulator: AzureEmulator
) -> None:
    name = new_endpoint(serving)
    emulator.faults.add(
        Fault("fail_operation", "PUT", "/deployments/", code="OutOfQuota", message="no cores")
    )

    with pytest.raises(HttpResponseError, match="OutOfQuota"):
        deploy(serving, name, "blue")

    assert serving.online_deployments.get("blue", name).provisioning_state == "Failed"
    assert deploy(serving, name, "blue").provisioning_state == "Succeeded"


def test_a_change_may_be_made_and_reported_failed(serving: MLClient, emulator: AzureEmulator) -> None:
    name = new_endpoint(serving)
    deploy(serving, name, "blue")
    emulator.faults.add(
        Fault("done_but_failed", "PUT", f"/onlineEndpoints/{name}$", code="InternalServerError")
    )

    with pytest.raises(HttpResponseError, match="InternalServerError"):
        shift(serving, name, {"blue": 100})

    assert serving.online_endpoints.get(name).traffic == {"blue": 100}


def test_a_failed_change_changes_nothing(serving: MLClient, emulator: AzureEmulator) -> None:
    name = new_endpoint(serving)
    deploy(serving, name, "blue")
    for method, begin in (
        ("PUT", lambda: shift(serving, name, {"blue": 100})),
        ("DELETE", lambda: serving.online_endpoints.begin_delete(name).result()),
    ):
        emulator.faults.add(Fault("fail_operation", method, f"/onlineEndpoints/{name}$", code="Broken"))
        with pytest.raises(HttpResponseError, match="Broken"):
            begin()

        read = serving.online_endpoints.get(name)
        assert (read.traffic.get("blue", 0), read.provisioning_state) == (0, "Succeeded")


BATCH = """
type: command
name: scoring_batch
version: 1.0.0
outputs: {made: {type: uri_folder}}
environment: azureml:serving:1.0.0
command: echo made > ${{outputs.made}}/a
"""
PIPELINE = """
type: pipeline
name: scoring
version: 1.0.0
outputs: {made: {type: uri_folder}}
jobs:
  batch: {type: command, component: azureml:scoring_batch:1.0.0, outputs: {made: "${{parent.outputs.made}}"}}
"""
JOB = """
type: pipeline
settings: {default_compute: azureml:cpu}
jobs:
  batch: {type: command, component: azureml:scoring_batch:1.0.0}
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_batch_endpoint_and_its_deployment(
    serving: MLClient, emulator: AzureEmulator, tmp_path: Path
) -> None:
    begin, name = len(emulator.exchanges()), f"batch-{next(_COUNT)}"
    for text in (BATCH, PIPELINE):
        (tmp_path / "c.yml").write_text(text)
        component = serving.components.create_or_update(load_component(tmp_path / "c.yml"))
    serving.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    deployment = PipelineComponentBatchDeployment(name="scoring", endpoint_name=name, component=component.id)

    serving.batch_deployments.begin_create_or_update(deployment).result()

    assert name in {one.name for one in serving.batch_endpoints.list()}
    assert [one.name for one in serving.batch_deployments.list(name)] == ["scoring"]
    serving.batch_deployments.begin_delete("scoring", name).result()
    serving.batch_endpoints.begin_delete(name).result()
    with pytest.raises(ResourceNotFoundError):
        serving.batch_endpoints.get(name)
    assert unknown(emulator, begin) == []


def test_a_schedule_is_made_read_disabled_and_deleted(
    serving: MLClient, emulator: AzureEmulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    (tmp_path / "c.yml").write_text(BATCH)
    serving.components.create_or_update(load_component(tmp_path / "c.yml"))
    (tmp_path / "j.yml").write_text(JOB)
    job = load_job(tmp_path / "j.yml")
    name, begin = f"nightly-{next(_COUNT)}", len(emulator.exchanges())
    schedule = JobSchedule(name=name, trigger=CronTrigger(expression="0 3 * * *"), create_job=job)

    serving.schedules.begin_create_or_update(schedule).result()

    assert serving.schedules.get(name).trigger.expression == "0 3 * * *"
    assert name in {one.name for one in serving.schedules.list()}
    serving.schedules.begin_disable(name).result()
    serving.schedules.begin_delete(name).result()
    with pytest.raises(ResourceNotFoundError):
        serving.schedules.get(name)
    wrong = JobSchedule(name=name, trigger=CronTrigger(expression="at night"), create_job=job)
    with pytest.raises(HttpResponseError, match="no cron expression"):
        serving.schedules.begin_create_or_update(wrong).result()
    assert unknown(emulator, begin) == []
