"""The training environment and the training component, each in a file of its own."""

from __future__ import annotations

from fleetcast.config.complaints import Complaints
from fleetcast.config.schema import ComponentWritten, EnvironmentWritten, StepWritten
from fleetcast.config.validation import validated
from fleetcast.config.yaml_nodes import Block, Items, Node, kind_of
from fleetcast.domain.component import MAX_RETRIES, TIMEOUT, Step, TrainingComponent
from fleetcast.domain.environment import TrainingEnvironment, package_name
from fleetcast.domain.errors import BadInput

ENVIRONMENT_FILE = "config/environment.yaml"
COMPONENT_FILE = "components/training-pipeline-component.yaml"


def read_environment(root: Node | None, complaints: Complaints) -> TrainingEnvironment | None:
    """The training environment; None where something was complained of."""
    block = _mapping(root, ENVIRONMENT_FILE, complaints)
    written, refused = (
        validated(EnvironmentWritten, block, ENVIRONMENT_FILE, complaints) if block else (None, frozenset())
    )
    if written is None or block is None or refused:
        return None
    good = True
    for place, requirement in enumerate(written.packages or []):
        try:
            package_name(requirement)
        except BadInput as error:
            complaints.add_error(ENVIRONMENT_FILE, _line(block, "packages", place), error)
            good = False
    if not good:
        return None
    try:
        return TrainingEnvironment(
            written.name, written.version, written.python, tuple(written.packages or [])
        )
    except BadInput as error:
        field = "packages" if "package" in str(error) else "python"
        complaints.add_error(ENVIRONMENT_FILE, block.line_of(field), error)
        return None


def read_component(root: Node | None, complaints: Complaints) -> TrainingComponent | None:
    """The training component; None where something was complained of."""
    block = _mapping(root, COMPONENT_FILE, complaints)
    written, refused = (
        validated(ComponentWritten, block, COMPONENT_FILE, complaints) if block else (None, frozenset())
    )
    if written is None or block is None or refused:
        return None
    steps = [
        _step(entry, _line(block, "steps", place), complaints) for place, entry in enumerate(written.steps)
    ]
    ready = tuple(step for step in steps if step)
    if len(ready) < len(steps):
        return None
    retry = written.retry
    max_retries = MAX_RETRIES if retry is None or retry.max_retries is None else retry.max_retries
    timeout = TIMEOUT if retry is None or retry.timeout is None else retry.timeout
    try:
        return TrainingComponent(written.name, written.version, ready, max_retries, timeout)
    except BadInput as error:
        complaints.add_error(COMPONENT_FILE, block.line_of("steps"), error)
        return None


def _step(written: StepWritten, line: int, complaints: Complaints) -> Step | None:
    try:
        return Step(written.name, written.command, tuple(written.inputs or []), tuple(written.outputs or []))
    except BadInput as error:
        complaints.add_error(COMPONENT_FILE, line, error)
        return None


def _mapping(root: Node | None, file: str, complaints: Complaints) -> Block | None:
    if isinstance(root, Block):
        return root
    if root is not None:
        complaints.add(file, root.line, f"the file must be a mapping, not {kind_of(root)}")
    return None


def _line(block: Block, field: str, place: int) -> int:
    items = block[field]
    return items[place].line if isinstance(items, Items) else block.line_of(field)
