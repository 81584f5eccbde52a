"""What can go wrong with the numbers themselves."""

from __future__ import annotations

from fleetcast.domain.errors import FleetcastError


class HistoryTooShort(FleetcastError):
    """The longest unbroken stretch of readings is too short to train and to test a model on."""

    def __init__(self, have: int, need: int) -> None:
        super().__init__(f"history too short: have {have} unbroken steps, need {need}")
        self.fix = "lengthen the training window, shorten the horizon or the lookback, or bridge longer gaps"
        self.have = have
        self.need = need
