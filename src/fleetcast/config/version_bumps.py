"""Whether what has a version got a new one where its content changed."""

from __future__ import annotations

from pathlib import Path

from fleetcast.config.assets import COMPONENT_FILE, ENVIRONMENT_FILE
from fleetcast.config.complaints import Complaints
from fleetcast.config.yaml_nodes import line_at
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.domain.fleet import Fleet


def check_bumps(directory: Path, before: Fleet, after: Fleet, base: str, complaints: Complaints) -> None:
    """Complain of an environment or a component that differs from what it was under the same name and version.

    Args:
        directory: The fleet repository.
        before: As it was declared.
        after: As it is.
        base: What `before` is called.
        complaints: Where to note what is wrong.
    """
    for file, was, now in (
        (ENVIRONMENT_FILE, before.environment, after.environment),
        (COMPONENT_FILE, before.component, after.component),
    ):
        same = (was.name, was.version) == (now.name, now.version)
        if same and was.digest != now.digest:
            line = line_at(read_yaml(directory / file, file, complaints), "version")
            complaints.add(
                file,
                line,
                f"{now.name} differs from {base}, and is {now.version} in both",
                "raise its version: one number cannot mean two things",
            )
        elif was.name == now.name and now.version < was.version:
            line = line_at(read_yaml(directory / file, file, complaints), "version")
            complaints.add(
                file,
                line,
                f"{now.name} was {was.version} at {base}, and is {now.version}",
                "raise its version",
            )
