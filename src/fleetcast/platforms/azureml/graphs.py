"""What runs in Azure: a command in a component, a pipeline around it, and a job of that pipeline for each batch."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.ai.ml.entities import Component, Job

COMMAND_SUFFIX = "_batch"
"""Of the component that holds the command; the pipeline around it has the declared name."""
EXPERIMENT = "fleetcast"
_COMMAND = (
    "fleetcast run-batch --batch ${{inputs.batch}} --rows ${{inputs.rows}} --output ${{outputs.results}}"
)
_FOLDER = {"type": "uri_folder"}


def component_name(declared: str) -> str:
    """A declared name as Azure takes it: small letters, digits and underscores, a letter first."""
    name = re.sub(r"[^a-z0-9_]", "_", declared.lower())
    return name if name[0].isalpha() else f"c_{name}"


def command_component(
    name: str, version: str, environment: str, tags: Mapping[str, str]
) -> Callable[[], Component]:
    """The component that trains a batch; loaded when it is called.

    Args:
        name: Of the pipeline around it, as Azure takes it.
        version: Of this one.
        environment: `name:version`.
        tags: What it was made from.
    """
    return lambda: loaded_component(
        {
            "type": "command",
            "name": f"{name}{COMMAND_SUFFIX}",
            "version": version,
            "tags": dict(tags),
            "description": "Trains a batch of circuits.",
            "environment": f"azureml:{environment}",
            "inputs": {"batch": _FOLDER, "rows": _FOLDER},
            "outputs": {"results": _FOLDER},
            "command": _COMMAND,
        }
    )


def pipeline_component(name: str, version: str, tags: Mapping[str, str]) -> Callable[[], Component]:
    """The pipeline around it; arguments as of `command_component`."""
    return lambda: loaded_component(
        {
            "type": "pipeline",
            "name": name,
            "version": version,
            "tags": dict(tags),
            "description": "The training pipeline of config/training_pipeline.yaml.",
            "inputs": {"batch": _FOLDER, "rows": _FOLDER},
            "outputs": {"results": _FOLDER},
            "jobs": {"train": _step(f"azureml:{name}{COMMAND_SUFFIX}:{version}", "command")},
        }
    )


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One batch as Azure runs it."""

    name: str
    component: str
    """`azureml:NAME:VERSION`."""
    compute: str
    batch: str
    """URI of the folder with `batch.json`."""
    rows: str
    results: str
    tags: Mapping[str, str]
    shown: str
    """What people see."""

    def described(self) -> Job:
        """As it is submitted."""
        graph = {
            "type": "pipeline",
            "name": self.name,
            "display_name": self.shown,
            "experiment_name": EXPERIMENT,
            "tags": dict(self.tags),
            "settings": {"default_compute": f"azureml:{self.compute}"},
            "inputs": {
                "batch": _FOLDER | {"path": self.batch, "mode": "download"},
                "rows": _FOLDER | {"path": self.rows, "mode": "ro_mount"},
            },
            "outputs": {"results": _FOLDER | {"path": self.results, "mode": "upload"}},
            "jobs": {"training": _step(self.component, "pipeline")},
        }
        return loaded_job(graph)


def _step(component: str, kind: str) -> dict[str, object]:
    return {
        "type": kind,
        "component": component,
        "inputs": {name: f"${{{{parent.inputs.{name}}}}}" for name in ("batch", "rows")},
        "outputs": {"results": "${{parent.outputs.results}}"},
    }


def loaded_component(graph: Mapping[str, Any]) -> Component:
    """A component as it is described in YAML."""
    from azure.ai.ml import load_component

    return load_component(_text(graph))


def loaded_job(graph: Mapping[str, Any]) -> Job:
    """A job of a pipeline as it is described in YAML."""
    from azure.ai.ml import load_job

    return load_job(_text(graph))


def _text(graph: Mapping[str, Any]) -> io.StringIO:
    """JSON is YAML; the SDK asks what the file is called."""
    text = io.StringIO(json.dumps(graph))
    text.name = "fleetcast.yaml"
    return text
