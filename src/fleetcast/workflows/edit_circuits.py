"""Changing what the fleet repository declares: settings of many circuits at once, new circuits, retired ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from fleetcast.config.edit_circuits import CircuitEditor, Edited, Values, edit
from fleetcast.domain.circuit import Circuit, Cutoff
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, matching
from fleetcast.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class NewValues:
    """What a bump gives to each of the circuits; None leaves a setting as it is."""

    cutoff: str | None = None
    delta_version: int | None = None
    component_version: str | None = None
    retrain: bool = False
    """Raise `revision` by one, so that the circuit trains again although nothing else changed."""

    def of(self, circuit: Circuit) -> dict[str, str | int]:
        """The settings of one circuit that would differ."""
        values: dict[str, str | int] = {}
        if self.cutoff is not None and Cutoff.parse(self.cutoff) != circuit.cutoff:
            values["cutoff_date"] = self.cutoff
        if self.delta_version is not None and self.delta_version != circuit.delta_version:
            values["delta_version"] = self.delta_version
        if self.component_version is not None and self.component_version != circuit.component_version:
            values["pipeline_component_version"] = self.component_version
        if self.retrain:
            values["revision"] = circuit.revision + 1
        return values


@dataclass(frozen=True, slots=True)
class EditCircuits:
    """Edits the circuit files of a fleet repository; each edit is validated as a whole before it is written."""

    directory: Path
    clock: Clock
    dry_run: bool = False

    def bump(self, patterns: Sequence[str], new: NewValues) -> Edited:
        """Give settings of the circuits that match new values.

        Raises:
            InvalidFleet: The fleet has mistakes, or would have; nothing was written.
            BadInput: No circuit matches, or a value is not valid.
        """
        if new == NewValues():
            raise BadInput(
                "nothing to change was given", fix="give --cutoff, --delta-version or another option"
            )

        def change(editor: CircuitEditor) -> Edited:
            chosen = set(matching([circuit.key for circuit in editor.circuits], patterns))
            wanted = {circuit.key: new.of(circuit) for circuit in editor.circuits if circuit.key in chosen}
            return editor.set_values({key: values for key, values in wanted.items() if values})

        return self._edit(change)

    def pin(self, versions: Mapping[CircuitKey, int]) -> Edited:
        """Write the Delta versions that circuits train on."""

        def change(editor: CircuitEditor) -> Edited:
            now = {circuit.key: circuit.delta_version for circuit in editor.circuits}
            return editor.set_values(
                {key: {"delta_version": at} for key, at in versions.items() if now.get(key) != at}
            )

        return self._edit(change)

    def give(self, wanted: Mapping[CircuitKey, Values]) -> Edited:
        """Write settings of single circuits.

        Raises:
            InvalidFleet: The fleet has mistakes, or would have; nothing was written.
        """
        return self._edit(lambda editor: editor.set_values(wanted))

    def add(self, keys: Sequence[CircuitKey], settings: Mapping[str, str | int]) -> Edited:
        """Declare new circuits.

        Raises:
            InvalidFleet: The fleet has mistakes, or would have; nothing was written.
            BadInput: One of them is declared already.
        """
        return self._edit(lambda editor: editor.add(keys, settings))

    def retire(self, patterns: Sequence[str]) -> Edited:
        """Take circuits out of the fleet; their models stay registered.

        Raises:
            InvalidFleet: The fleet has mistakes, or would have; nothing was written.
            BadInput: No circuit matches.
        """

        def change(editor: CircuitEditor) -> Edited:
            return editor.retire(matching([circuit.key for circuit in editor.circuits], patterns))

        return self._edit(change)

    def _edit(self, change: Callable[[CircuitEditor], Edited]) -> Edited:
        return edit(self.directory, change, now=self.clock.now().astimezone(UTC), dry_run=self.dry_run)
