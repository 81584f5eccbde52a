"""Gate policies, as they are written down: whole, as a field that is missing must not open a gate by its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from types import MappingProxyType

from fleetcast.domain.canonical import Json
from fleetcast.domain.freeze import Freeze
from fleetcast.domain.gate import GatePolicy
from fleetcast.stored.form import Fields, Stored


@dataclass(frozen=True, slots=True)
class WholePolicy:
    """A gate policy of which nothing may be left out."""

    approvers: tuple[str, ...]
    minimum: int
    own_request_allowed: bool
    verified: bool
    groups: tuple[str, ...]
    services: tuple[str, ...]
    sequence: tuple[str, ...]
    own_commit_allowed: bool
    own_version_allowed: bool
    failing_allowed: bool
    not_before: timedelta
    lapses_after: timedelta
    freezes: tuple[Freeze, ...]
    break_glass: bool
    unsigned_allowed: bool

    @classmethod
    def of(cls, policy: GatePolicy) -> WholePolicy:
        """All of a policy."""
        return cls(**{each.name: getattr(policy, each.name) for each in fields(policy)})

    @property
    def policy(self) -> GatePolicy:
        """The policy.

        Raises:
            BadInput: It is none that anybody could satisfy.
        """
        return GatePolicy(**{each.name: getattr(self, each.name) for each in fields(self)})


_NO_FURTHER_RULES: Mapping[str, Json] = MappingProxyType(
    {
        "groups": [],
        "services": [],
        "sequence": [],
        "own_commit_allowed": True,
        "own_version_allowed": True,
        "failing_allowed": True,
        "not_before": "PT0S",
        "lapses_after": "P30D",
        "freezes": [],
        "break_glass": False,
    }
)


def _with_no_further_rules(old: Fields) -> Fields:
    if strange := old.keys() & _NO_FURTHER_RULES.keys():
        raise ValueError(f"format 1 did not know {sorted(strange)}")
    return {**old, **_NO_FURTHER_RULES}


def _without_unsigned(old: Fields) -> Fields:
    if "unsigned_allowed" in old:
        raise ValueError("format 2 did not know unsigned_allowed")
    return {**old, "unsigned_allowed": False}


GATE_POLICY = Stored(WholePolicy, number=3, earlier={1: _with_no_further_rules, 2: _without_unsigned})
"""Format 1 knew only the first four fields, format 2 not whether what is unsigned goes through."""
