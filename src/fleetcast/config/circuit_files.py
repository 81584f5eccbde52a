"""Finding every circuit that is written in `config/circuits.yaml` and `config/circuits/*.yaml`.

Only `config/circuits.yaml` may hold `defaults:` of the fleet. A plant's `defaults:` are written once, in any
file, and hold for its circuits in all files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fleetcast.config.complaints import Complaints, looks_like, nearest, shown
from fleetcast.config.layers import Chain, Layer
from fleetcast.config.schema import CircuitWritten, DefaultsWritten, FlatCircuitWritten
from fleetcast.config.validation import validated
from fleetcast.config.yaml_nodes import Block, Items, Node, Scalar, kind_of
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey

MAIN_FILE = "config/circuits.yaml"
CIRCUITS_FOLDER = "config/circuits"
_TOP_KEYS = ("defaults", "plants", "circuits")
_PLANT_KEYS = ("defaults", "circuits")


@dataclass(frozen=True, slots=True)
class FoundCircuit:
    """A circuit as it is written, with the layers it inherits from."""

    key: CircuitKey
    line: int
    chain: Chain


@dataclass(frozen=True, slots=True)
class _Entry:
    plant: str
    circuit: str
    file: str
    line: int
    block: Block
    flat: bool


class CircuitFinder:
    """Walks the circuit files, and notes all that is wrong with their shape and their ids."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._fleet: Chain = ()
        self._plants: dict[str, Layer] = {}
        self._plant_names: dict[str, tuple[str, str, int]] = {}
        self._entries: list[_Entry] = []

    def read(self, file: str, root: Node | None) -> None:
        """Take in one file."""
        top = self._block(root, file, "the file", _TOP_KEYS)
        if top is None:
            return
        if "defaults" in top and (layer := self._layer(top, file)):
            if file == MAIN_FILE:
                self._fleet = (layer,)
            else:
                self._complaints.add(
                    file,
                    top.line_of("defaults"),
                    f"`defaults:` of the fleet belong in {MAIN_FILE}",
                    "move them there",
                )
        plants = self._block(top.get("plants"), file, "`plants`")
        for name, node in (plants or {}).items():
            self._read_plant(name, node, file, plants.line_of(name) if plants else 0)
        circuits = top.get("circuits")
        if isinstance(circuits, Items):
            for item in circuits:
                self._read_flat(item, file)
        elif circuits is not None and not (isinstance(circuits, Scalar) and circuits.empty):
            self._complaints.add(
                file,
                top.line_of("circuits"),
                f"`circuits` must be a list here, not {kind_of(circuits)}",
                "start each circuit with `- plant_id:`, or write it below its plant in `plants:`",
            )

    def found(self) -> Iterator[FoundCircuit]:
        """Every circuit whose ids are valid and not taken."""
        seen: dict[tuple[str, str], _Entry] = {}
        for entry in self._entries:
            look = (looks_like(entry.plant), looks_like(entry.circuit))
            other = seen.setdefault(look, entry)
            if other is not entry:
                self._complain_of_duplicate(entry, other)
                continue
            try:
                key = CircuitKey(entry.plant, entry.circuit)
            except BadInput as error:
                self._complaints.add_error(entry.file, entry.line, error)
                continue
            model = FlatCircuitWritten if entry.flat else CircuitWritten
            written, refused = validated(model, entry.block, entry.file, self._complaints)
            if written is None:
                continue
            nearest_layer = Layer(entry.file, entry.block, written, refused)
            yield FoundCircuit(key, entry.line, (nearest_layer, *self._above(entry.plant)))

    def defaults(self) -> Iterable[Chain]:
        """The layers that circuits inherit from, each with those above it."""
        yield self._fleet
        for plant in self._plants:
            yield self._above(plant)

    def _above(self, plant: str) -> Chain:
        layer = self._plants.get(plant)
        return (layer, *self._fleet) if layer else self._fleet

    def _read_plant(self, name: str, node: Node, file: str, line: int) -> None:
        self._same_spelling(name, file, line)
        plant = self._block(node, file, f"plant {shown(name)}", _PLANT_KEYS)
        if plant is None:
            return
        if "defaults" in plant and (layer := self._layer(plant, file)):
            if other := self._plants.get(name):
                what = f"defaults of plant {name} are written twice, first at {other.file}:{other.block.line}"
                self._complaints.add(file, plant.line_of("defaults"), what, "write them in one place")
            else:
                self._plants[name] = layer
        circuits = self._block(plant.get("circuits"), file, "`circuits` of a plant")
        for circuit, settings in (circuits or {}).items():
            at = circuits.line_of(circuit) if circuits else line
            block = Block(at) if isinstance(settings, Scalar) and settings.empty else settings
            if isinstance(block, Block):
                self._entries.append(_Entry(name, circuit, file, at, block, flat=False))
            else:
                self._complaints.add(
                    file, at, f"circuit {shown(circuit)} must be a mapping, not {kind_of(settings)}"
                )

    def _read_flat(self, item: Node, file: str) -> None:
        if not isinstance(item, Block):
            self._complaints.add(file, item.line, f"a circuit must be a mapping, not {kind_of(item)}")
            return
        ids = [item.get("plant_id"), item.get("circuit_id")]
        plant, circuit = (part.text if isinstance(part, Scalar) and not part.empty else None for part in ids)
        if plant is None or circuit is None:
            validated(FlatCircuitWritten, item, file, self._complaints)
            return
        line = item.line_of("circuit_id")
        self._same_spelling(plant, file, item.line_of("plant_id"))
        self._entries.append(_Entry(plant, circuit, file, line, item, flat=True))

    def _layer(self, holder: Block, file: str) -> Layer | None:
        block = self._block(holder["defaults"], file, "`defaults`")
        if block is None:
            return None
        written, refused = validated(DefaultsWritten, block, file, self._complaints)
        return Layer(file, block, written, refused) if written else None

    def _block(self, node: Node | None, file: str, what: str, known: tuple[str, ...] = ()) -> Block | None:
        """A mapping whose keys are known, if any are given; nothing written counts as none."""
        if node is None or (isinstance(node, Scalar) and node.empty):
            return None
        if not isinstance(node, Block):
            self._complaints.add(file, node.line, f"{what} must be a mapping, not {kind_of(node)}")
            return None
        for key in node:
            if known and key not in known:
                self._complaints.add(
                    file, node.line_of(key), f"unknown key {shown(key)}", nearest(key, known)
                )
        return node

    def _same_spelling(self, plant: str, file: str, line: int) -> None:
        name, where, first = self._plant_names.setdefault(looks_like(plant), (plant, file, line))
        if name != plant:
            what = f"plant {shown(plant)} looks like {shown(name)} at {where}:{first}"
            self._complaints.add(
                file, line, what, "spell the same plant the same way, and others differently"
            )

    def _complain_of_duplicate(self, entry: _Entry, other: _Entry) -> None:
        name, taken = f"{entry.plant}/{entry.circuit}", f"{other.plant}/{other.circuit}"
        same = "is declared twice, first" if name == taken else f"looks like {shown(taken)}, declared"
        what = f"circuit {shown(name)} {same} at {other.file}:{other.line}"
        self._complaints.add(entry.file, entry.line, what, "remove or rename one of the two")
