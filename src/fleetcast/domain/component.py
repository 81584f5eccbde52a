"""The training pipeline component: the commands that turn a circuit's data into a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from fleetcast.domain.canonical import Json, digest_of
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest, checked_id
from fleetcast.domain.semver import SemVer

GIVEN_INPUTS = ("data", "task")
"""What every job is handed: its readings, and the JSON file that says what to train."""
MODEL_OUTPUT = "model"
"""The output that is registered; one step must write it."""
MAX_RETRIES = 2
TIMEOUT = timedelta(seconds=3600)

_PLACEHOLDER = re.compile(r"\$\{\{\s*(inputs|outputs)\.([A-Za-z0-9_-]+)\s*\}\}")
_LONGEST_TIMEOUT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Step:
    """One command, with `${{inputs.NAME}}` and `${{outputs.NAME}}` where its files go."""

    name: str
    command: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        checked_id("step", self.name)
        for name in self.inputs + self.outputs:
            checked_id("input or output", name)
        if not self.command.strip():
            raise BadInput(f"step {self.name!r} has no command", fix="write the command it runs")
        if "\0" in self.command:
            raise BadInput(f"the command of step {self.name!r} contains a NUL character", fix="take it out")
        for names, kind in ((self.inputs, "inputs"), (self.outputs, "outputs")):
            if len(set(names)) < len(names):
                raise BadInput(f"step {self.name!r} names one of its {kind} twice", fix="name each once")
        if stray := self._unknown_placeholders():
            known = [f"${{{{inputs.{name}}}}}" for name in self.inputs]
            known += [f"${{{{outputs.{name}}}}}" for name in self.outputs]
            raise BadInput(
                f"step {self.name!r} uses the unknown placeholder {stray[0]}",
                fix=f"known are {', '.join(known) or 'none: declare inputs and outputs'}",
            )

    def _unknown_placeholders(self) -> list[str]:
        known = {("inputs", name) for name in self.inputs} | {("outputs", name) for name in self.outputs}
        unknown = [
            match[0] for match in _PLACEHOLDER.finditer(self.command) if (match[1], match[2]) not in known
        ]
        left = _PLACEHOLDER.sub("", self.command)
        if "${{" in left:
            unknown.append(left[left.index("${{") :].split("}}")[0][:40] + ("}}" if "}}" in left else ""))
        return unknown


@dataclass(frozen=True, slots=True)
class TrainingComponent:
    """A named version of the training pipeline; circuits retrain when they name a new version."""

    name: str
    version: SemVer
    steps: tuple[Step, ...]
    """In running order; a step reads `data`, `task` and what earlier steps wrote."""
    max_retries: int = MAX_RETRIES
    """Attempts after the first, per job."""
    timeout: timedelta = TIMEOUT
    """Per attempt."""

    def __post_init__(self) -> None:
        checked_id("component name", self.name)
        check_max_retries(self.max_retries)
        check_timeout(self.timeout)
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise BadInput("two steps have the same name", fix="give each step its own name")
        available = list(GIVEN_INPUTS)
        for step in self.steps:
            for name in step.inputs:
                if name not in available:
                    raise BadInput(
                        f"step {step.name!r} reads {name!r}, which nothing before it writes",
                        fix=f"available there are {', '.join(available)}",
                    )
            for name in step.outputs:
                if name in available:
                    raise BadInput(
                        f"step {step.name!r} writes {name!r}, which exists already", fix="rename the output"
                    )
                available.append(name)
        if MODEL_OUTPUT not in available:
            raise BadInput(
                f"no step writes the output {MODEL_OUTPUT!r}", fix="add `model` to the last step's outputs"
            )

    @property
    def content(self) -> Mapping[str, Json]:
        """Everything that the version stands for, as it is digested and registered."""
        return {
            "name": self.name,
            "version": str(self.version),
            "steps": [
                {
                    "name": step.name,
                    "command": step.command,
                    "inputs": list(step.inputs),
                    "outputs": list(step.outputs),
                }
                for step in self.steps
            ],
            "retry": {"max_retries": self.max_retries, "timeout": int(self.timeout.total_seconds())},
        }

    @property
    def digest(self) -> Digest:
        """SHA-256 of the canonical JSON of the content."""
        return digest_of(self.content)


def check_max_retries(retries: int) -> None:
    """Refuse a number of further attempts that no job should have.

    Raises:
        BadInput: It is out of range.
    """
    if not 0 <= retries <= 20:
        raise BadInput(f"max_retries {retries} is out of range", fix="write 0 to 20")


def check_timeout(timeout: timedelta) -> None:
    """Refuse a time that no attempt should take.

    Raises:
        BadInput: It is out of range.
    """
    if not timedelta(seconds=1) <= timeout <= _LONGEST_TIMEOUT:
        raise BadInput(f"timeout {timeout} is out of range", fix="write 1 second to 7 days")
