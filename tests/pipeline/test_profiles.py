"""What is normal is learnt once, kept exactly, and learnt anew wherever it might have become something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.quality import SensorLimits
from fleetcast.domain.settings.environments import DEFAULT_ENVIRONMENTS
from fleetcast.pipeline.profiles import Profiles, packed, unpacked
from fleetcast.pipeline.signals.observing import learn, observe
from fleetcast.pipeline.signals.watched import WatchedCircuit, Window
from fleetcast.platforms.files.learnt import FileLearntProfiles
from tests.pipeline.signals.circuits import DAY, HOUR, NOW, circuit, readings

ROWS = Digest.of(b"these rows")


@pytest.fixture
def kept(tmp_path: Path) -> FileLearntProfiles:
    return FileLearntProfiles(tmp_path / "learnt")


@pytest.fixture
def profiles(kept: FileLearntProfiles) -> Profiles:
    return Profiles(kept, learn)


def shifted() -> WatchedCircuit:
    values = readings()
    values[-48:] += 4.0
    values[-20:, 1] = np.nan
    return circuit(values)


@pytest.mark.parametrize("made", [circuit, shifted])
def test_a_look_by_what_was_kept_sees_what_a_look_by_the_rows_sees(
    profiles: Profiles, made: Callable[[], WatchedCircuit]
) -> None:
    watched = made()
    fresh = observe(watched, NOW)
    profiles.learnt(watched, ROWS, NOW)
    without_rows = replace(watched, reference=Window.empty(watched.sensors))
    known = profiles.known(without_rows, ROWS)
    assert known is not None
    assert observe(without_rows, NOW, known) == fresh


def test_a_circuit_without_training_rows_is_kept_as_well(profiles: Profiles) -> None:
    watched = replace(circuit(), reference=Window.empty(circuit().sensors))
    learnt = profiles.learnt(watched, ROWS, NOW)
    known = profiles.known(watched, ROWS)
    assert observe(watched, NOW, known) == observe(watched, NOW, learnt) == observe(watched, NOW)


CHANGES: dict[str, Callable[[WatchedCircuit], WatchedCircuit]] = {
    "another version": lambda one: replace(one, model="plant1-loop1:4"),
    "another circuit": lambda one: replace(one, key=CircuitKey("PLANT1", "LOOP2")),
    "another environment": lambda one: replace(one, environment=EnvironmentName.TEST),
    "another step": lambda one: replace(one, frequency=2 * HOUR),
    "a sensor less": lambda one: replace(one, sensors=one.sensors[:-1]),
    "other limits": lambda one: replace(one, limits={"flow": SensorLimits(0.0, 9.0)}),
    "other thresholds": lambda one: replace(one, settings=DEFAULT_ENVIRONMENTS[EnvironmentName.TEST]),
    "another end": lambda one: replace(one, data_end=NOW - 15 * DAY),
    "another window": lambda one: replace(one, window=timedelta(days=4)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_declared_or_deployed_otherwise_is_learnt_anew(
    profiles: Profiles, change: Callable[[WatchedCircuit], WatchedCircuit]
) -> None:
    profiles.learnt(circuit(), ROWS, NOW)
    assert profiles.known(circuit(), ROWS) is not None
    assert profiles.known(change(circuit()), ROWS) is None


def test_other_rows_and_other_code_are_learnt_anew(profiles: Profiles) -> None:
    profiles.learnt(circuit(), ROWS, NOW)
    assert profiles.known(circuit(), Digest.of(b"other rows")) is None
    assert replace(profiles, code="another release").known(circuit(), ROWS) is None
    assert Profiles(profiles.kept, learn).known(circuit(), ROWS) is not None


def test_what_differs_from_look_to_look_is_no_reason_to_learn_anew(profiles: Profiles) -> None:
    profiles.learnt(circuit(), ROWS, NOW)
    later = replace(circuit(), newest=NOW, current=Window.empty(), expected_error={"flow": np.array([1.0])})
    assert profiles.known(later, ROWS) is not None


def test_it_is_not_kept_while_some_of_its_rows_are_still_to_come_or_nobody_knows_which_they_are(
    profiles: Profiles,
) -> None:
    profiles.learnt(circuit(), ROWS, NOW - 15 * DAY)
    assert profiles.known(circuit(), ROWS) is None
    profiles.learnt(circuit(), None, NOW)
    profiles.learnt(replace(circuit(), data_end=None), ROWS, NOW)
    assert profiles.known(circuit(), ROWS) is None


def torn(content: bytes) -> dict[str, bytes]:
    middle = len(content) // 2
    changed = bytes([content[middle] ^ 1])
    return {
        "empty": b"",
        "half of it": content[:middle],
        "one byte short": content[:-1],
        "one byte more": content + b"\0",
        "one bit changed": content[:middle] + changed + content[middle + 1 :],
        "zeros": bytes(len(content)),
    }


@pytest.mark.parametrize("how", torn(bytes(10)))
def test_a_torn_file_is_as_none_and_is_written_anew(
    profiles: Profiles, kept: FileLearntProfiles, how: str
) -> None:
    watched = circuit()
    profiles.learnt(watched, ROWS, NOW)
    file = kept.file(watched.environment, watched.key)
    whole = file.read_bytes()
    file.write_bytes(torn(whole)[how])
    assert profiles.known(watched, ROWS) is None
    profiles.learnt(watched, ROWS, NOW)
    assert file.read_bytes() == whole


def test_a_disk_that_refuses_only_has_it_learnt_again(profiles: Profiles, tmp_path: Path) -> None:
    (tmp_path / "learnt").write_text("no folder")
    profiles.learnt(circuit(), ROWS, NOW)
    assert profiles.known(circuit(), ROWS) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        b"\x02\0\0\0\0\0\0\0{}",
        b"\x04\0\0\0\0\0\0\0null",
        b'\x1b\0\0\0\0\0\0\0{"array":"|O","shape":[1]}  ',
        b'\x18\0\0\0\0\0\0\0{"of":"Path","fields":{}}',
    ],
)
def test_bytes_that_are_no_profile_are_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match="no learnt profile"):
        unpacked(content)


def test_one_circuit_has_one_file_whatever_was_deployed_before(
    profiles: Profiles, kept: FileLearntProfiles, tmp_path: Path
) -> None:
    for version in range(1, 4):
        watched = replace(circuit(), model=f"plant1-loop1:{version}")
        profiles.learnt(watched, ROWS, NOW)
    files = [path for path in (tmp_path / "learnt").rglob("*") if path.is_file()]
    assert files == [kept.file(EnvironmentName.PROD, circuit().key)]
    assert unpacked(packed(learn(circuit(), NOW))).spans == learn(circuit(), NOW).spans
