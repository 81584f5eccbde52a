"""Jobs that really run, alone and in pipelines within pipelines, and what the SDK sees of them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, command, load_component, load_job
from azure.ai.ml.entities import (
    AzureBlobDatastore,
    Command,
    CommandComponent,
    Data,
    Environment,
    Job,
    PipelineJob,
)
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import HttpResponseError

from tests.azure_emulator.blob_store import Place
from tests.azure_emulator.conftest import unknown
from tests.azure_emulator.emulator import AzureEmulator

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore:content_as_bytes is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The use of a 'BlobProperties' instance:DeprecationWarning"),
]
FINAL = ("Completed", "Failed", "Canceled")
BATCH = """
type: command
name: training_batch
version: 1.0.0
inputs: {jobs: {type: uri_folder}, rows: {type: uri_folder}, suffix: {type: string, optional: true}}
outputs: {models: {type: uri_folder, mode: upload}}
environment: azureml:training:1.0.0
command: >-
  cat ${{inputs.jobs}}/1.json ${{inputs.rows}}/a.csv > ${{outputs.models}}/model$[[${{inputs.suffix}}]].txt
  && echo trained && cat ${{inputs.jobs}}/exit && exit $(cat ${{inputs.jobs}}/exit)
"""
PIPELINE = """
type: pipeline
name: training
version: 1.0.0
inputs: {jobs: {type: uri_folder}, rows: {type: uri_folder}}
outputs: {models: {type: uri_folder, mode: upload}}
jobs:
  batch:
    type: command
    component: azureml:training_batch:1.0.0
    inputs: {jobs: "${{parent.inputs.jobs}}", rows: "${{parent.inputs.rows}}"}
    outputs: {models: "${{parent.outputs.models}}"}
"""
JOB = """
type: pipeline
name: NAME
experiment_name: fleet
tags: {fleetcast: NAME}
inputs:
  jobs: {type: uri_folder, mode: download, path: azureml://datastores/fleetcast/paths/NAME/jobs/B}
  rows: {type: uri_folder, path: azureml://datastores/fleetcast/paths/NAME/frozen}
outputs:
  models: {type: uri_folder, mode: upload, path: azureml://datastores/fleetcast/paths/NAME}
settings: {default_compute: azureml:cpu}
jobs:
  batch:
    type: pipeline
    component: azureml:training:1.0.0
    inputs: {jobs: "${{parent.inputs.jobs}}", rows: "${{parent.inputs.rows}}"}
    outputs: {models: "${{parent.outputs.models}}"}
"""
CHAIN = """
type: pipeline
settings: {default_compute: azureml:cpu}
jobs:
  second:
    type: command
    command: cat ${{inputs.given}}/a
    environment: azureml:training:1.0.0
    inputs: {given: "${{parent.jobs.first.outputs.made}}"}
  first:
    type: command
    command: echo from the first > ${{outputs.made}}/a
    environment: azureml:training:1.0.0
    outputs: {made: {type: uri_folder}}
"""
_COUNT = itertools.count(1)
_PATIENCE = 20.0


@pytest.fixture
def fleet(client: MLClient, emulator: AzureEmulator, tmp_path: Path) -> MLClient:
    """A workspace with all that training needs."""
    emulator.blobs.make_container("fleetaccount", "fleet")
    client.datastores.create_or_update(
        AzureBlobDatastore(name="fleetcast", account_name="fleetaccount", container_name="fleet")
    )
    client.environments.create_or_update(Environment(name="training", version="1.0.0", image="x"))
    for number, text in enumerate((BATCH, PIPELINE)):
        file = tmp_path / f"{number}.yml"
        file.write_text(text)
        client.components.create_or_update(load_component(file))
    return client


def until(client: MLClient, name: str, reached: Callable[[str], bool] = FINAL.__contains__) -> str:
    """Ask for a job's status until it is as wanted; a real process sets the pace."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        status: str = client.jobs.get(name).status
        if reached(status):
            return status
    raise AssertionError(f"{name} stays {status}")


def new_job(emulator: AzureEmulator, folder: Path, *, ends_with: int = 0) -> Job:
    name = f"run-{next(_COUNT)}"
    for blob, content in (
        ("jobs/B/1.json", "{}\n"),
        ("jobs/B/exit", f"{ends_with}"),
        ("frozen/a.csv", "1,2\n"),
    ):
        emulator.blobs.put(Place("fleetaccount", "fleet", f"{name}/{blob}"), content.encode())
    file = folder / "job.yml"
    file.write_text(JOB.replace("NAME", name))
    return load_job(file)


def content(emulator: AzureEmulator, name: str) -> bytes | None:
    blob = emulator.blobs.find(Place("fleetaccount", "fleet", name))
    return blob.content() if blob else None


def a_command(line: str, **more: Any) -> Command:
    job: Command = command(command=line, environment="training:1.0.0", name=f"command-{next(_COUNT)}", **more)
    return job


def log(emulator: AzureEmulator, job: str) -> str:
    scope = emulator.scopes.workspace("fleetcast")
    uri = f"azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{job}/user_logs/std_log.txt"
    blob = emulator.blobs.find(emulator.scopes.locate(scope, uri))
    assert blob is not None
    return blob.content().decode()


def test_a_pipeline_within_a_pipeline_puts_its_files_over_what_is_there(
    fleet: MLClient, emulator: AzureEmulator, tmp_path: Path
) -> None:
    job, begin = new_job(emulator, tmp_path), len(emulator.exchanges())

    made = fleet.jobs.create_or_update(job)

    assert made.status == "NotStarted"
    assert until(fleet, made.name) == "Completed"
    assert content(emulator, f"{made.name}/model.txt") == b"{}\n1,2\n"
    assert content(emulator, f"{made.name}/frozen/a.csv") == b"1,2\n"
    children = list(fleet.jobs.list(parent_job_name=made.name))
    assert [child.name for child in children] == [f"{made.name}.batch"]
    assert "trained" in log(emulator, f"{made.name}.batch.batch")
    assert unknown(emulator, begin) == []


def test_a_step_that_fails_fails_the_job_and_its_files_are_kept(
    fleet: MLClient, emulator: AzureEmulator, tmp_path: Path
) -> None:
    made = fleet.jobs.create_or_update(new_job(emulator, tmp_path, ends_with=3))

    assert until(fleet, made.name) == "Failed"
    assert content(emulator, f"{made.name}/model.txt") == b"{}\n1,2\n"
    assert "exit code 3" in log(emulator, f"{made.name}.batch.batch")


def test_the_same_job_is_submitted_twice_and_runs_once(
    fleet: MLClient, emulator: AzureEmulator, tmp_path: Path
) -> None:
    job = new_job(emulator, tmp_path)
    made = fleet.jobs.create_or_update(job)
    until(fleet, made.name)

    assert fleet.jobs.create_or_update(job).status == "Completed"


def test_a_name_is_not_taken_by_another_job(fleet: MLClient) -> None:
    made = fleet.jobs.create_or_update(a_command("true"))
    other = a_command("false")
    other.name = made.name

    with pytest.raises(HttpResponseError) as error:
        fleet.jobs.create_or_update(other)

    assert error.value.status_code == 409


def test_a_command_runs_in_its_code_with_its_environment(
    fleet: MLClient, emulator: AzureEmulator, tmp_path: Path
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "work.py").write_text(
        "import os, pathlib, sys; pathlib.Path(sys.argv[1], 'said.txt').write_text(os.environ['SAYS'] + sys.argv[2])"
    )
    job = a_command(
        "python work.py ${{outputs.there}} ${{inputs.number}} && echo $HTTPS_PROXY",
        code=str(code),
        inputs={"number": 7},
        outputs={"there": Output(type="uri_folder")},
        environment_variables={"SAYS": "hello "},
    )

    made = fleet.jobs.create_or_update(job)

    assert until(fleet, made.name) == "Completed"
    uri = f"azureml://datastores/workspaceblobstore/paths/azureml/{made.name}/there"
    found = emulator.blobs.below(emulator.scopes.locate(emulator.scopes.workspace("fleetcast"), uri))
    assert [blob.content() for blob in found] == [b"hello 7"]
    assert log(emulator, made.name).strip() == emulator.address


def test_a_file_goes_in_and_a_file_comes_out(fleet: MLClient, emulator: AzureEmulator) -> None:
    emulator.blobs.put(Place("fleetaccount", "fleet", "files/in.txt"), b"in")
    uri = "azureml://datastores/fleetcast/paths/files"
    job = a_command(
        "tr a-z A-Z < ${{inputs.given}} > ${{outputs.made}}",
        inputs={"given": Input(type="uri_file", path=f"{uri}/in.txt")},
        outputs={"made": Output(type="uri_file", path=f"{uri}/out.txt")},
    )

    assert until(fleet, fleet.jobs.create_or_update(job).name) == "Completed"
    assert content(emulator, "files/out.txt") == b"IN"


def test_a_data_asset_goes_in(fleet: MLClient, emulator: AzureEmulator) -> None:
    emulator.blobs.put(Place("fleetaccount", "fleet", "asset/a.txt"), b"of an asset\n")
    uri = "azureml://datastores/fleetcast/paths/asset"
    data = fleet.data.create_or_update(Data(name="asset", path=uri, type="uri_folder", skip_validation=True))
    job = a_command("cat ${{inputs.given}}/a.txt", inputs={"given": Input(type="uri_folder", path=data.id)})

    made = fleet.jobs.create_or_update(job)

    assert until(fleet, made.name) == "Completed"
    assert log(emulator, made.name) == "of an asset\n"


def test_a_step_reads_what_another_has_written(
    fleet: MLClient, emulator: AzureEmulator, tmp_path: Path
) -> None:
    (tmp_path / "chain.yml").write_text(CHAIN)

    made = fleet.jobs.create_or_update(load_job(tmp_path / "chain.yml"))

    assert until(fleet, made.name) == "Completed"
    assert log(emulator, f"{made.name}.second") == "from the first\n"


def test_logs_and_outputs_are_downloaded(fleet: MLClient, tmp_path: Path) -> None:
    job = a_command(
        "echo said; echo made > ${{outputs.there}}/a", outputs={"there": Output(type="uri_folder")}
    )
    made = fleet.jobs.create_or_update(job)
    until(fleet, made.name)

    fleet.jobs.download(made.name, download_path=tmp_path / "down", all=True)

    assert (tmp_path / "down/artifacts/user_logs/std_log.txt").read_text() == "said\n"
    assert (tmp_path / "down/named-outputs/there/a").read_text() == "made\n"


def test_a_job_is_archived_and_shown_again(fleet: MLClient, emulator: AzureEmulator) -> None:
    begin, made = len(emulator.exchanges()), fleet.jobs.create_or_update(a_command("true"))
    until(fleet, made.name)
    fleet.jobs.archive(made.name)
    assert made.name not in {job.name for job in fleet.jobs.list()}

    fleet.jobs.restore(made.name)

    assert made.name in {job.name for job in fleet.jobs.list()}
    assert unknown(emulator, begin) == []


def test_a_log_is_shown_of_a_job_that_has_failed(fleet: MLClient) -> None:
    made = fleet.jobs.create_or_update(a_command("exit 7"))
    until(fleet, made.name)

    with pytest.raises(JobException, match="exit code 7"):
        fleet.jobs.stream(made.name)


def test_what_runs_is_canceled(fleet: MLClient) -> None:
    made = fleet.jobs.create_or_update(a_command("sleep 600"))
    until(fleet, made.name, "Running".__eq__)

    fleet.jobs.begin_cancel(made.name).result()

    assert until(fleet, made.name) == "Canceled"


def test_no_more_run_than_may_and_what_waits_is_canceled(fleet: MLClient) -> None:
    running = [fleet.jobs.create_or_update(a_command("sleep 600")).name for _ in range(2)]
    waiting = fleet.jobs.create_or_update(a_command("true")).name
    for name in running:
        until(fleet, name, "Running".__eq__)

    assert fleet.jobs.get(waiting).status == "Queued"
    for name in (waiting, *running):
        fleet.jobs.begin_cancel(name).result()
        assert until(fleet, name) == "Canceled"


def test_jobs_are_found_by_their_tags(fleet: MLClient, emulator: AzureEmulator) -> None:
    names = [fleet.jobs.create_or_update(a_command("true", tags={"batch": "b1"})).name for _ in range(3)]
    other = fleet.jobs.create_or_update(a_command("true", tags={"batch": "b2"})).name

    found = [job.name for job in fleet.jobs.list(tag="batch=b1")]

    assert found == names[::-1]
    assert other in {job.name for job in fleet.jobs.list()}


@pytest.mark.parametrize("wrong", ["environment", "datastore"])
def test_a_job_that_needs_what_is_not_there_is_refused(fleet: MLClient, wrong: str) -> None:
    uri = "azureml://datastores/never/paths/a"
    job = a_command("cat ${{inputs.a}}", inputs={"a": Input(type="uri_file", path=uri)})
    if wrong == "environment":
        job = a_command("true")
        job.environment = "never:1"

    with pytest.raises(HttpResponseError) as error:
        fleet.jobs.create_or_update(job)

    assert error.value.status_code in {400, 404}


def test_what_was_not_done_is_run_by_the_next_emulator(tmp_path: Path) -> None:
    properties = {"jobType": "Command", "command": "true", "status": "Running"}
    first = AzureEmulator(tmp_path)
    key = first.scopes.workspace("fleetcast").key("jobs", "left")
    first.store.write(key, {"name": "left", "properties": dict(properties)})

    with AzureEmulator(tmp_path) as second:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            body = second.store.get(key).body
            if body["properties"] == {**properties, "status": "Completed"}:
                break
        else:
            raise AssertionError(body)


def test_a_job_finds_our_own_command(fleet: MLClient, emulator: AzureEmulator) -> None:
    made = fleet.jobs.create_or_update(a_command("fleetcast --help"))

    assert until(fleet, made.name) == "Completed"
    assert "fleetcast" in log(emulator, made.name)


def test_a_component_whose_name_the_sdk_dislikes_runs_too(fleet: MLClient) -> None:
    component = CommandComponent(
        name="training-pipeline-batch", version="1.0.0", command="echo made", environment="training:1.0.0"
    )
    made = fleet.components.create_or_update(component, skip_validation=True)
    pipeline = PipelineJob(jobs={"batch": made()}, compute="cpu")

    job = fleet.jobs.create_or_update(pipeline, skip_validation=True)

    assert until(fleet, job.name) == "Completed"
