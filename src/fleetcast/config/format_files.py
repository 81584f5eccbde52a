"""`fleetcast fmt`: one form for the YAML of a fleet repository, comments kept, meaning unchanged.

ruamel.yaml writes what it read, with its comments. The formatted fleet is read again and must equal the one before;
a file where that fails, or whose comments would move, is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast.config.assets import COMPONENT_FILE, ENVIRONMENT_FILE
from fleetcast.config.fleet_files import Changed, FleetFiles, unified_diff
from fleetcast.config.schema import FlatCircuitWritten
from fleetcast.config.settings import SETTINGS_FILE
from fleetcast.domain.errors import Complaint, FleetcastError

if TYPE_CHECKING:
    from ruamel.yaml import YAML

_FIRST_KEYS = ("plant_id", "circuit_id", "defaults", "plants", "circuits")
_ORDER = {
    name: place
    for place, name in enumerate((*_FIRST_KEYS, "model_name", *FlatCircuitWritten.model_fields), start=1)
}
_WIDTH = 10_000
"""Lines are broken where their author broke them."""


@dataclass(frozen=True, slots=True)
class Formatted:
    """What formatting changed, or would change."""

    files: Changed
    left_alone: tuple[Complaint, ...]
    """Files whose form cannot be kept."""

    def diff(self) -> str:
        """The change as a unified diff; empty if there is none."""
        return unified_diff(self.files)


def format_fleet(directory: Path, *, now: datetime, write: bool) -> Formatted:
    """Format the settings, circuit, environment and component files of a fleet.

    Raises:
        InvalidFleet: The fleet has mistakes; what it means is not known, so nothing is formatted.
        BadInput: A file was changed by somebody else meanwhile.
        Unavailable: The disk is full or cannot be written.
    """
    files = FleetFiles(directory, now=now, more=(SETTINGS_FILE, ENVIRONMENT_FILE, COMPONENT_FILE))
    changed: dict[str, tuple[str, str]] = {}
    left_alone: list[Complaint] = []
    for file, before in files.texts.items():
        try:
            after = _formatted(before)
            if after != before:
                files.must_mean_the_same({file: (before, after)})
                changed[file] = (before, after)
        except (FleetcastError, _NotKept) as error:
            left_alone.append(Complaint(file, None, str(error).splitlines()[0], "format it by hand"))
    if write:
        files.write(changed)
    return Formatted(changed, tuple(left_alone))


class _NotKept(Exception):
    """A file's comments or values would not survive."""


def _formatted(text: str) -> str:
    from ruamel.yaml.error import YAMLError

    yaml = _yaml()
    try:
        content = yaml.load(text)
    except YAMLError as error:
        raise _NotKept(f"ruamel.yaml cannot read it: {error}") from error
    if content is None:
        return text
    _order_keys(content)
    written = StringIO()
    yaml.dump(content, written)
    after = "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"
    if _comments(after) != _comments(text):
        raise _NotKept("its comments would change")
    return after


def _yaml() -> YAML:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    return yaml


def _order_keys(node: object) -> None:
    """Put the keys of circuits and defaults into the order of the documentation, where no comment is in between."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(node, CommentedMap):
        if _names_settings(node) and not node.ca.items:
            for name in sorted(node, key=lambda name: _ORDER.get(name, len(_ORDER) + 1)):
                node.move_to_end(name)
        for value in node.values():
            _order_keys(value)
    elif isinstance(node, CommentedSeq):
        for value in node:
            _order_keys(value)


def _names_settings(node: Iterable[object]) -> bool:
    return all(name in FlatCircuitWritten.model_fields for name in node)


def _comments(text: str) -> list[str]:
    """All comments in their order, as far as one can tell without reading YAML."""
    return [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]
