"""Where in the circuit files each setting stands, to the character.

Next to the reader, which knows lines and meaning, this knows positions and nothing else, so that an edit can
change some characters and leave all others as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """A mapping of settings in a file: a circuit's, or the defaults of a plant or of the fleet."""

    file: str
    name: ScalarNode | None
    """The key that it stands under; None for an item of a list."""
    node: Node
    """A mapping, or an empty value where nothing is said."""

    @property
    def line(self) -> int:
        """The line of its name, or of itself."""
        return int((self.name or self.node).start_mark.line) + 1

    def value(self, setting: str) -> Node | None:
        """What is written for a setting here."""
        if not isinstance(self.node, MappingNode):
            return None
        return next((value for key, value in self.node.value if key.value == setting), None)


@dataclass(frozen=True, slots=True)
class PlantPlace:
    """A plant below `plants:` of one file."""

    file: str
    name: ScalarNode
    circuits: MappingNode | None


@dataclass(slots=True)
class Places:
    """Every place of all circuit files."""

    texts: Mapping[str, str]
    """The files' contents, by their path in the repository."""
    circuits: dict[CircuitKey, Place] = field(default_factory=dict)
    plant_defaults: dict[str, Place] = field(default_factory=dict)
    fleet_defaults: Place | None = None
    plants: list[PlantPlace] = field(default_factory=list)
    lists: dict[str, SequenceNode] = field(default_factory=dict)
    """The flat lists of circuits, by file."""
    plant_blocks: dict[str, MappingNode] = field(default_factory=dict)
    """What stands below `plants:`, by file."""

    def chain(self, key: CircuitKey) -> Iterator[Place]:
        """Where the settings of a circuit may stand, the nearest first."""
        yield self.circuits[key]
        if key.plant in self.plant_defaults:
            yield self.plant_defaults[key.plant]
        if self.fleet_defaults is not None:
            yield self.fleet_defaults

    def holder(self, key: CircuitKey, setting: str) -> Place | None:
        """The place that a circuit has a setting from."""
        return next((place for place in self.chain(key) if place.value(setting) is not None), None)


def find_places(texts: Mapping[str, str]) -> Places:
    """Find every place in circuit files that the reader takes as valid.

    Raises:
        BadInput: A file uses an alias, whose text stands in one place and counts in several.
    """
    places = Places(texts)
    for file, text in texts.items():
        _refuse_aliases(file, text)
        root = yaml.compose(text, Loader=_Loader)
        if not isinstance(root, MappingNode):
            continue
        for key, node in root.value:
            if key.value == "defaults":
                places.fleet_defaults = Place(file, key, node)
            elif key.value == "plants" and isinstance(node, MappingNode):
                places.plant_blocks[file] = node
                for name, plant in node.value:
                    _take_plant(places, file, name, plant)
            elif key.value == "circuits" and isinstance(node, SequenceNode):
                places.lists[file] = node
                for item in node.value:
                    _take_item(places, file, item)
    return places


def _take_plant(places: Places, file: str, name: ScalarNode, plant: Node) -> None:
    circuits = None
    for key, node in plant.value if isinstance(plant, MappingNode) else ():
        if key.value == "defaults":
            places.plant_defaults[name.value] = Place(file, key, node)
        elif isinstance(node, MappingNode):
            circuits = node
            for circuit, settings in node.value:
                places.circuits[CircuitKey(name.value, circuit.value)] = Place(file, circuit, settings)
    places.plants.append(PlantPlace(file, name, circuits))


def _take_item(places: Places, file: str, item: Node) -> None:
    place = Place(file, None, item)
    plant, circuit = place.value("plant_id"), place.value("circuit_id")
    if isinstance(plant, ScalarNode) and isinstance(circuit, ScalarNode):
        places.circuits[CircuitKey(plant.value, circuit.value)] = place


def _refuse_aliases(file: str, text: str) -> None:
    if "*" not in text:
        return
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise BadInput(
                f"{file}:{line}: the alias *{event.anchor} counts in several places",
                fix="write the value out there, or move it to `defaults:`; then run this again",
            )
