"""A folder of MLflow models, found by their names or by an index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fleetcast.config.complaints import Complaints, shown
from fleetcast.config.other_layout import NotAdopted
from fleetcast.config.paths import one_name
from fleetcast.config.yaml_nodes import Block, Node, Scalar, kind_of
from fleetcast.config.yaml_reader import read_yaml
from fleetcast.domain.errors import BadInput, InvalidFleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.location import climbs
from fleetcast.platforms.foreign.description import FILE
from fleetcast.platforms.foreign.plain_copy import plain_copy
from fleetcast.ports.model_sources import Found, FoundModel

INDEX = "models.yaml"
_OWN_KEYS = frozenset({"path", "lookback"})


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Models below one folder.

    With `models.yaml`, exactly those it lists. Without, by name: `NAME/MLmodel`, `NAME/3/MLmodel` (the highest
    number) or `PLANT/CIRCUIT/MLmodel`.
    """

    root: Path

    def find(self, wanted: Mapping[CircuitKey, str]) -> Found:
        """Look for the models of circuits."""
        if not self.root.is_dir():
            raise BadInput(f"there is no folder {self.root}", fix="name the folder that holds the models")
        index = self.root / INDEX
        if index.exists():
            self._below(INDEX)
            return self._indexed(index, wanted)
        models = {
            key: FoundModel(key, f"folder {place}", place)
            for key, name in wanted.items()
            if (place := self._named(key, name))
        }
        used = {PurePosixPath(model.place).parts[0] for model in models.values()}
        there = {path.parent.relative_to(self.root).parts[:1] for path in self._descriptions()}
        return Found(models, sorted({parts[0] for parts in there if parts} - used))

    def fetch(self, model: FoundModel, into: Path) -> None:
        """Copy a model's files into a new folder."""
        plain_copy(self._below(model.place), into)

    def _below(self, place: str) -> Path:
        """Where something really is, after every link on the way to it.

        Raises:
            BadInput: Outside of the root. A link from one folder of the root to another is no harm.
        """
        found = (self.root / place).resolve()
        if not found.is_relative_to(self.root.resolve()):
            raise BadInput(
                f"{self.root / place} is a link to {found}, outside of {self.root}",
                fix="replace the link by the folder it stands for",
            )
        return found

    def _named(self, key: CircuitKey, name: str) -> str:
        """The folder of a circuit's model, relative to the root; empty if there is none."""
        if not name:
            return ""
        one_name(name)
        if (self.root / name / FILE).is_file():
            return name
        numbers = [
            int(path.parent.name)
            for path in (self.root / name).glob(f"*/{FILE}")  # the name itself is no pattern
            if path.parent.name.isdecimal()
        ]
        if numbers:
            return f"{name}/{max(numbers)}"
        by_key = f"{key.plant}/{key.circuit}"
        return by_key if (self.root / by_key / FILE).is_file() else ""

    def _descriptions(self) -> list[Path]:
        return [*self.root.glob(f"*/{FILE}"), *self.root.glob(f"*/*/{FILE}")]

    def _indexed(self, index: Path, wanted: Mapping[CircuitKey, str]) -> Found:
        complaints = Complaints()
        root = read_yaml(index, str(index), complaints)
        listed = root.get("models") if isinstance(root, Block) else None
        if not len(complaints) and not isinstance(listed, Block):
            line = None if root is None else root.line
            complaints.add(
                str(index), line, "has no mapping `models:`", "write `models: {PLANT/CIRCUIT: {path: …}}`"
            )
        models, unused = {}, []
        for text, entry in (listed if isinstance(listed, Block) else Block(0)).items():
            line = listed.line_of(text) if isinstance(listed, Block) else 0
            try:
                key = CircuitKey.parse(text)
                model = self._entry(key, entry)
            except BadInput as error:
                complaints.add_error(str(index), line, error)
                continue
            if key in wanted:
                models[key] = model
            else:
                unused.append(text)
        try:
            complaints.raise_any()
        except InvalidFleet as invalid:
            raise NotAdopted(invalid.complaints) from invalid
        return Found(models, unused)

    def _entry(self, key: CircuitKey, entry: Node) -> FoundModel:
        if isinstance(entry, Scalar):
            path, lookback, said = entry.text, "", {}
        elif isinstance(entry, Block):
            texts = {name: value.text for name, value in entry.items() if isinstance(value, Scalar)}
            path, lookback = texts.get("path", ""), texts.get("lookback", "")
            said = {name: text for name, text in texts.items() if name not in _OWN_KEYS}
        else:
            raise BadInput(f"the entry of {key} is {kind_of(entry)}", fix="write {path: folder}")
        place = PurePosixPath(path)
        if not path or place.is_absolute() or "\\" in path or climbs(path):
            raise BadInput(
                f"{shown(path)} is not a folder below {self.root}",
                fix="write a relative path, with forward slashes",
            )
        if not (self._below(path) / FILE).is_file():
            raise BadInput(
                f"{self.root / place} has no file {FILE}", fix="name a folder that MLflow saved a model to"
            )
        if lookback and (not lookback.isdecimal() or not int(lookback)):
            raise BadInput(f"lookback {shown(lookback)} is not a number of steps", fix="write a whole number")
        return FoundModel(key, f"folder {path}", path, said, int(lookback) if lookback else None)
