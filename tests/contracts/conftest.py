"""Every platform in turn: a new one adds one line to `OPENERS` and inherits every promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.local.platform import local_platform
from fleetcast.platforms.memory.platform import memory_platform
from fleetcast.ports.platform import Platform
from tests.clocks import FixedClock
from tests.contracts.samples import ADA

Opener = Callable[[Path, FixedClock], Platform]


def _memory(folder: Path, clock: FixedClock) -> Platform:
    return memory_platform({}, folder, actor=ADA, clock=clock)


def _local(folder: Path, clock: FixedClock) -> Platform:
    return local_platform(folder, {}, PlatformSettings(workers=2), actor=ADA, clock=clock)


OPENERS: Mapping[str, Opener] = {"memory": _memory, "local": _local}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(params=sorted(OPENERS))
def platform(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Platform]:
    opened = OPENERS[request.param](tmp_path / "state", clock)
    yield opened
    opened.jobs.close()
