"""Jobs that tests submit, and what becomes of them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Command

from tests.azure_emulator.emulator import AzureEmulator

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
PATIENCE = 20.0
_COUNT = itertools.count(1)


def until(client: MLClient, name: str, reached: Callable[[str], bool] = FINAL.__contains__) -> str:
    """Ask for a job's status until it is as wanted; a real process sets the pace."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        status: str = client.jobs.get(name).status
        if reached(status):
            return status
    raise AssertionError(f"{name} stays {status}")


def a_command(line: str, **more: Any) -> Command:
    job: Command = command(command=line, environment="training:1.0.0", name=f"command-{next(_COUNT)}", **more)
    return job


def log(emulator: AzureEmulator, job: str) -> str:
    scope = emulator.scopes.workspace("fleetcast")
    uri = f"azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{job}/user_logs/std_log.txt"
    blob = emulator.blobs.find(emulator.scopes.locate(scope, uri))
    assert blob is not None
    return blob.content().decode()
