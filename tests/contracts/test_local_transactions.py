"""The control database: a change that cannot be recorded did not happen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fleetcast.domain.settings import PlatformSettings
from fleetcast.platforms.local.platform import local_platform
from fleetcast.ports.platform import Platform
from tests.clocks import NOON
from tests.contracts.samples import ADA, request, trained
from tests.logs import is_whole


class StoppedClockError(Exception):
    """Raised by a clock that was told to break."""


@dataclass(slots=True)
class BreakingClock:
    """Tells the time until nothing is left of `readings`."""

    readings: int

    def now(self) -> datetime:
        if not self.readings:
            raise StoppedClockError
        self.readings -= 1
        return NOON

    def sleep(self, length: timedelta) -> None:
        raise AssertionError(f"nothing waits here, least of all {length}")


def opened(tmp_path: Path, clock: BreakingClock) -> Platform:
    return local_platform(tmp_path, {}, PlatformSettings(workers=1), actor=ADA, clock=clock)


def test_models_whose_audit_entries_cannot_be_written_are_not_registered(tmp_path: Path) -> None:
    platform = opened(tmp_path, BreakingClock(readings=1))
    with pytest.raises(StoppedClockError):
        platform.workspace.models.register([trained("a", "a.1"), trained("b", "b.1")])
    assert platform.workspace.models.entries() == {}
    assert list(platform.control.audit.entries()) == []


def test_requests_whose_audit_entries_cannot_be_written_are_not_opened(tmp_path: Path) -> None:
    platform = opened(tmp_path, BreakingClock(readings=0))
    with pytest.raises(StoppedClockError):
        platform.control.approvals.open([request("a"), request("b")])
    assert platform.control.approvals.listed() == []


def test_a_thousand_models_are_registered_in_one_transaction(tmp_path: Path) -> None:
    platform = opened(tmp_path, BreakingClock(readings=3))
    platform.workspace.models.register([trained(f"m{i}", f"job-{i}") for i in range(1_000)])
    assert len(platform.workspace.models.entries()) == 1_000
    assert len(list(platform.control.audit.entries())) == 1_000
    assert is_whole(platform.control.audit)


def test_a_second_opening_sees_what_the_first_wrote(tmp_path: Path) -> None:
    first = opened(tmp_path, BreakingClock(readings=10))
    first.workspace.models.register([trained()])
    second = opened(tmp_path, BreakingClock(readings=10))
    assert second.workspace.models.entries() == first.workspace.models.entries()
    second.workspace.models.register([trained("m", "job-2")])
    assert [entry.version for entry in first.workspace.models.entries()["m"]] == [1, 2]
