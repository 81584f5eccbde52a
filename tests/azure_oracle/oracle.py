"""Holds exchanges with Azure Machine Learning against what is published of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.exchanges import API_VERSION, Check, Checked, Finding, Standing
from tests.azure_oracle.operations import Operations
from tests.azure_oracle.planes import NEIGHBOURS, PLANES, UNDESCRIBED, control_path
from tests.azure_oracle.schemas import Rule, Side, Wrong
from tests.azure_oracle.specs import machine_learning


@dataclass(frozen=True, slots=True)
class Oracle:
    """Knows all published operations."""

    operations: Operations

    def check(self, exchange: Exchange) -> Checked:
        """What is wrong with an exchange; one of which nothing is published is wrong too, but for a few."""
        path = control_path(exchange)
        if path is None:
            return _elsewhere(exchange)
        for known in UNDESCRIBED:
            if known.holds(exchange.method, path):
                return Checked(known.name, Standing.UNDESCRIBED, why=known.why)
        version = exchange.query.get(API_VERSION, "")
        published, _ = NEIGHBOURS.get(version, (version, ""))
        match = self.operations.find(exchange.method, path, published, exchange.query)
        if match is not None:
            return Check(self.operations.specs)(exchange, match)
        name = f"{exchange.method} {exchange.path}"
        if published not in self.operations.versions:
            expected = ", ".join(sorted(self.operations.versions | NEIGHBOURS.keys()))
            wrong = Wrong(f"query:{API_VERSION}", Rule.VERSION, expected, version or "none")
            return Checked(name, Standing.UNKNOWN, (Finding(name, Side.REQUEST, wrong),), str(wrong))
        return Checked(name, Standing.UNKNOWN, why=f"{published} has no such operation")


def _elsewhere(exchange: Exchange) -> Checked:
    for plane in PLANES:
        if plane.holds(exchange):
            return Checked(plane.name, Standing.ELSEWHERE)
    name = f"{exchange.method} https://{exchange.host}{exchange.path}"
    return Checked(name, Standing.UNKNOWN, why="neither the control plane nor one of the planes beside it")


@cache
def oracle() -> Oracle:
    """All of it, read once."""
    return Oracle(Operations(machine_learning()))


def check(exchange: Exchange) -> Checked:
    """What is wrong with an exchange with Azure Machine Learning."""
    return oracle().check(exchange)
