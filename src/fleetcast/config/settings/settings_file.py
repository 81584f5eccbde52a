"""`fleetcast.yaml` as it is written: its lines, for what domain values refuse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleetcast.config.complaints import Complaints
from fleetcast.config.yaml_nodes import Block, Node, line_at
from fleetcast.domain.errors import BadInput

SETTINGS_FILE = "fleetcast.yaml"


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """One reading of the file; complaints go to the line where a setting is written."""

    root: Block
    directory: Path
    """The fleet directory, which paths in the file are relative to."""
    complaints: Complaints

    def refuse(self, error: BadInput, *path: str) -> None:
        """Note what a domain value said of the setting at a path."""
        self.complaint(f"`{'.'.join(path)}`: {error}", error.fix, *path)

    def complaint(self, what: str, fix: str, *path: str) -> None:
        """Note a mistake at the line of the setting at a path."""
        self.complaints.add(SETTINGS_FILE, self._line(*path), what, fix)

    def says(self, *path: str) -> bool:
        """Whether anything is written at a path, right or wrong."""
        return line_at(self.root, *path) is not None

    def _line(self, *path: str) -> int:
        node: Node = self.root
        line = node.line
        for key in path:
            if not isinstance(node, Block) or key not in node:
                break
            line, node = node.line_of(key), node[key]
        return line
