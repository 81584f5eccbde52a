"""Writing circuits of another layout as files of a fleet repository: all of them, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleetcast.config.circuit_files import MAIN_FILE
from fleetcast.config.layout import DEFAULTED, OUR_FIELDS
from fleetcast.config.other_layout import OtherCircuit, OtherFleet
from fleetcast.config.paths import is_inside
from fleetcast.config.settings import SETTINGS_FILE
from fleetcast.config.templates import fleet_files
from fleetcast.config.yaml_nodes import Block, Node
from fleetcast.config.yaml_writer import block_lines, written
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import CircuitKey
from fleetcast.stored.durable import write_durably

ADOPTED_FILE = "config/circuits/adopted.yaml"
"""Where circuits go that come into a fleet that exists."""
_NAMED = ("plant_id", "circuit_id")
_OWN_TABLE = """\
data_sources:
  readings:              # the table that `fleetcast ingest` fills
    kind: own
    path: .fleetcast/readings
"""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to write; `before` is what it must hold until then, None where there must be none."""

    path: str
    content: str
    before: str | None = None


def new_repository(source: str, fleet: OtherFleet, data_sources: Block | None) -> tuple[NewFile, ...]:
    """All files of a new fleet repository that declares these circuits."""
    contents = dict(fleet_files())
    contents[MAIN_FILE] = _whole_file(source, fleet)
    if data_sources is not None:
        settings = contents[SETTINGS_FILE]
        if _OWN_TABLE not in settings:
            raise AssertionError("the template of fleetcast.yaml has no data source to replace")
        contents[SETTINGS_FILE] = settings.replace(_OWN_TABLE, _sources_text(data_sources))
    last = contents.pop(SETTINGS_FILE)  # a folder without it is no fleet yet: a killed adoption starts anew
    return (*(NewFile(path, content) for path, content in contents.items()), NewFile(SETTINGS_FILE, last))


def more_circuits(
    directory: Path,
    source: str,
    fleet: OtherFleet,
    new: Sequence[OtherCircuit],
    data_sources: Block | None,
) -> tuple[NewFile, ...]:
    """The files that bring circuits into a fleet repository that exists.

    Raises:
        BadInput: An earlier adoption wrote the file already.
    """
    files = []
    if new:
        if (directory / ADOPTED_FILE).exists():
            raise BadInput(
                f"{directory / ADOPTED_FILE} is there already, and {new[0].key} is not in it",
                fix="rename that file (any name ending in .yaml in its folder is read), then adopt again",
            )
        files.append(NewFile(ADOPTED_FILE, "\n".join([*_head(source, fleet), *_plants(new, {})]) + "\n"))
    if data_sources is not None:
        before = (directory / SETTINGS_FILE).read_text(encoding="utf-8")
        files.append(NewFile(SETTINGS_FILE, _with_sources(before, data_sources), before))
    return tuple(files)


def write_files(directory: Path, files: Sequence[NewFile]) -> tuple[Path, ...]:
    """Write all files, each in one move; those written are taken back if a later one cannot be.

    Raises:
        BadInput: A file is in the way, or has changed meanwhile; nothing has been written then.
        Unavailable: The disk refuses.
    """
    for file in files:
        _check_place(directory, directory / file.path)
        _check_unchanged(directory / file.path, file)
    done: list[NewFile] = []
    try:
        for file in files:
            done.append(file)
            write_durably(directory / file.path, file.content.encode())
    except OSError as error:
        for file in done:
            _take_back(directory / file.path, file)
        raise Unavailable(
            f"cannot write {error.filename or directory}: {error.strerror}",
            fix="check the disk and its permissions",
        ) from error
    return tuple(directory / file.path for file in files)


def _check_place(directory: Path, path: Path) -> None:
    if not is_inside(directory, path):
        raise BadInput(
            f"{path} would be written outside of {directory}: a link on the way leads there",
            fix="replace the link by a folder",
        )


def _check_unchanged(path: Path, file: NewFile) -> None:
    if file.before is None and (path.exists() or path.is_symlink()):
        if path.is_file() and path.read_bytes() == file.content.encode():
            return  # of an adoption that was killed
        raise BadInput(f"{path} would be overwritten", fix="choose another directory, or move the file away")
    if file.before is not None and path.read_text(encoding="utf-8") != file.before:
        raise BadInput(f"{path} has changed meanwhile", fix="run the same command again")


def _take_back(path: Path, file: NewFile) -> None:
    if file.before is None:
        path.unlink(missing_ok=True)
    else:
        write_durably(path, file.before.encode())


def _whole_file(source: str, fleet: OtherFleet) -> str:
    common = _common([circuit.block for circuit in fleet.found], DEFAULTED)
    lines = [
        *_head(source, fleet),
        "# A setting is looked for in the circuit, then in its plant's `defaults:`, then here.",
    ]
    if common:
        lines += ["", "defaults:", *block_lines(_block(common), 2)]
    return "\n".join([*lines, "", *_plants(fleet.found, common)]) + "\n"


def _head(source: str, fleet: OtherFleet) -> Iterator[str]:
    yield f"# The circuits of this fleet, adopted from {source}."
    yield from fleet.header


def _plants(circuits: Sequence[OtherCircuit], common: Mapping[str, Node]) -> Iterator[str]:
    yield "plants:"
    by_plant: dict[str, list[OtherCircuit]] = {}
    for circuit in circuits:
        by_plant.setdefault(circuit.key.plant, []).append(circuit)
    for plant, members in by_plant.items():
        yield f"  {plant}:"
        yield "    circuits:"
        for circuit in members:
            yield from (f"      {comment}" for comment in circuit.comments)
            own = {
                name: value
                for name, value in sorted(circuit.block.items(), key=lambda item: _place(item[0]))
                if name not in _NAMED and not (name in common and written(common[name]) == written(value))
            }
            own = _without_default_name(circuit.key, own)
            yield f"      {circuit.key.circuit}:" + ("" if own else " {}")
            yield from block_lines(_block(own), 8)


def _place(name: str) -> int:
    """Where a setting stands in the order that `fleetcast fmt` writes."""
    return OUR_FIELDS.index(name)


def _without_default_name(key: CircuitKey, own: dict[str, Node]) -> dict[str, Node]:
    """A model name that is what it would be anyway is not written."""
    name = own.get("model_name")
    usual = f"{key.plant}-{key.circuit}".lower()
    return {k: v for k, v in own.items() if k != "model_name" or name is None or written(name) != usual}


def _common(blocks: Sequence[Block], names: Sequence[str]) -> dict[str, Node]:
    """What every circuit says, by the value most of them give; mappings only where all agree.

    A mapping in `defaults:` is merged with a circuit's own, so it cannot be overruled as a whole.
    """
    found: dict[str, Node] = {}
    for name in names:
        values = [block[name] for block in blocks if name in block]
        if name in ("description", *_NAMED) or len(values) < len(blocks) or not values:
            continue
        text, count = Counter(written(value) for value in values).most_common(1)[0]
        if count == len(values) or (count > 1 and not isinstance(values[0], Block)):
            found[name] = next(value for value in values if written(value) == text)
    return found


def _block(values: Mapping[str, Node]) -> Block:
    block = Block(0)
    block.update(values)
    return block


def _sources_text(sources: Block) -> str:
    return "\n".join(["data_sources:", *_source_lines(sources)]) + "\n"


def _source_lines(sources: Block) -> Iterator[str]:
    for name, source in sources.items():
        yield f"  {name}:"
        if isinstance(source, Block):
            yield from block_lines(source, 4)


def _with_sources(text: str, sources: Block) -> str:
    """The settings with more data sources, all other lines as they were.

    Raises:
        BadInput: `data_sources:` is written in a way that lines cannot be added to.
    """
    lines = text.splitlines()
    places = [number for number, line in enumerate(lines) if line.startswith("data_sources:")]
    if not places:
        return text.rstrip("\n") + "\n\n" + _sources_text(sources)
    rest = lines[places[0]].removeprefix("data_sources:").strip()
    if rest and not rest.startswith("#"):
        raise BadInput(
            f"`data_sources:` in {SETTINGS_FILE} is written on one line",
            fix="write each source on its own lines",
        )
    return "\n".join([*lines[: places[0] + 1], *_source_lines(sources), *lines[places[0] + 1 :]]) + "\n"
