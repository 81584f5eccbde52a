"""A registered version, trained again: the same bytes, or a reason with a name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import ModelVersion, TrainedLineage
from fleetcast.domain.reproduction import Obstacle, Reproduction
from fleetcast.views.reproduction import as_json, in_words
from fleetcast.workflows.reproduce import Reproduce
from tests.fleets import SmallFleet, small_fleet, used

NAME = "plant001-circuit01"


@pytest.fixture(scope="module", params=["memory", "local"])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SmallFleet:
    fleet = small_fleet(tmp_path_factory.mktemp("reproduce"), request.param, circuits=1)
    fleet.train()
    return fleet


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> SmallFleet:
    """A registry that takes the same version once more, under another name."""
    fleet = small_fleet(tmp_path_factory.mktemp("recorded"), "memory", circuits=1)
    fleet.train()
    return fleet


def reproduced(fleet: SmallFleet, name: str = NAME, version: int = 1) -> Reproduction:
    return Reproduce(fleet.opened.platform)(fleet.opened.fleet.component, name, version)


def registered_again(fleet: SmallFleet, name: str, **changed: object) -> ModelVersion:
    """The same version under another name, of which something is otherwise on record."""
    model = used(fleet)[NAME].model
    lineage = model.lineage
    assert isinstance(lineage, TrainedLineage)
    artifact = changed.pop("artifact", model.artifact)
    assert isinstance(artifact, Digest)
    other = replace(model, name=name, lineage=replace(lineage, **changed), artifact=artifact)  # type: ignore[arg-type]
    return fleet.opened.platform.workspace.models.register([other])[0]


def edited(fleet: SmallFleet, folder: Path, file: str, content: bytes) -> Digest:
    """The artifact with other bytes in one file."""
    store = fleet.opened.platform.workspace.artifacts
    store.copy(used(fleet)[NAME].model.artifact, folder)
    (folder / file).write_bytes(content)
    return store.keep(folder)


def test_the_same_bytes_come_of_the_frozen_rows(fleet: SmallFleet) -> None:
    found = reproduced(fleet)
    assert found.identical
    assert found.obstacle is None
    assert found.registered == used(fleet)[NAME].model.artifact
    assert in_words(found) == [f"{NAME}:1: identical, artifact {found.registered.hex}"]


def test_they_come_of_the_pinned_table_where_the_rows_are_frozen_no_more(fleet: SmallFleet) -> None:
    lineage = used(fleet)[NAME].model.lineage
    assert isinstance(lineage, TrainedLineage)
    fleet.opened.platform.workspace.frozen.remove([lineage.fingerprint])
    assert reproduced(fleet).identical


def test_rows_that_the_table_gives_no_more_are_named(in_memory: SmallFleet) -> None:
    registered_again(in_memory, "lost-rows", fingerprint=Digest.of(b"other rows"))
    found = reproduced(in_memory, "lost-rows")
    assert (found.obstacle, found.found) == (Obstacle.ROWS_GONE, None)
    assert "gives other rows" in found.detail


@pytest.mark.parametrize(
    ("changed", "obstacle", "says"),
    [
        ({"component_digest": Digest.of(b"x")}, Obstacle.COMPONENT_CHANGED, "check that commit out"),
        ({"job": "no-such-job"}, Obstacle.JOB_GONE, "no-such-job"),
    ],
)
def test_what_is_on_record_otherwise_is_named(
    in_memory: SmallFleet, changed: dict[str, object], obstacle: Obstacle, says: str
) -> None:
    name = f"other-{obstacle.name.lower().replace('_', '-')}"
    registered_again(in_memory, name, **changed)
    found = reproduced(in_memory, name)
    assert found.obstacle is obstacle
    assert says in found.detail
    assert not found.identical
    assert f"not reproduced: {obstacle.value}" in in_words(found)[0]


@pytest.mark.parametrize(
    ("file", "content", "obstacle", "says"),
    [
        (
            "requirements.txt",
            b"fleetcast[mlflow]==0.0.1\n",
            Obstacle.FLEETCAST,
            "fleetcast[mlflow]==0.0.1, and",
        ),
        ("python_env.yaml", b'python: "3.9"\n', Obstacle.PYTHON, 'python: "3.9", and this is'),
        ("metrics.json", b"{}\n", Obstacle.NUMBERS, ""),
    ],
)
def test_other_bytes_are_explained_by_the_files_that_differ(  # a case has so many parts
    in_memory: SmallFleet, tmp_path: Path, file: str, content: bytes, obstacle: Obstacle, says: str
) -> None:
    name = f"edited-{obstacle.name.lower()}"
    registered_again(in_memory, name, artifact=edited(in_memory, tmp_path / "model", file, content))
    found = reproduced(in_memory, name)
    assert found.obstacle is obstacle
    assert found.differing == (file,)
    assert says in found.detail
    told = as_json(found)
    assert isinstance(told, dict)
    assert (told["is_identical"], told["obstacle"]) == (False, obstacle.name.lower())
    assert told["differing_files"] == [file]


def test_a_version_that_is_not_there_is_refused(in_memory: SmallFleet) -> None:
    with pytest.raises(BadInput, match="there is no version 7"):
        reproduced(in_memory, NAME, 7)
