"""Jobs that really run, alone and in pipelines within pipelines, and what the SDK sees of them."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from azure.ai.ml import Input, MLClient, Output, load_job
from azure.ai.ml.entities import (
    CommandComponent,
    Data,
    Job,
    PipelineJob,
)
from azure.core.exceptions import HttpResponseError

from tests.azure_emulator.blob_store import Place
from tests.azure_emulator.conftest import unknown
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.submitted import PATIENCE, a_command, log, until

pytestmark = [
    # The SDK's own libraries will take away what it uses.
    pytest.mark.filterwarnings("ignore::marshmallow.warnings.RemovedInMarshmallow4Warning"),
    pytest.mark.filterwarnings("ignore:content_as_bytes is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The use of a 'BlobProperties' instance:DeprecationWarning"),
]
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


def test_what_was_not_done_is_run_by_the_next_emulator(tmp_path: Path) -> None:
    properties = {"jobType": "Command", "command": "true", "status": "Running"}
    first = AzureEmulator(tmp_path)
    key = first.scopes.workspace("fleetcast").key("jobs", "left")
    first.store.write(key, {"name": "left", "properties": dict(properties)})

    with AzureEmulator(tmp_path) as second:
        end = time.monotonic() + PATIENCE
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
