"""The parts that many views have in common, each named in one way."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from fleetcast.domain.approval import Choice, Decision
from fleetcast.domain.canonical import Json
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.training_hash import FieldChange
from fleetcast.views.moments import iso

_MODEL = "model"


def circuit_ids(key: CircuitKey) -> dict[str, Json]:
    """A circuit, by its two names."""
    return {"plant_id": key.plant, "circuit_id": key.circuit}


def asset_names(kind: str, name: str, version: str) -> dict[str, Json]:
    """A version of an environment, a component or a model; only a model's is a whole number."""
    is_model = kind == _MODEL
    return {
        "kind": kind,
        "name": name,
        "asset_version": version,
        "model_name": name if is_model else None,
        "version": int(version) if is_model else None,
    }


def changes_as_json(changes: Iterable[FieldChange]) -> Json:
    """Settings that differ, with both values as people write them."""
    return [{"field": change.field, "before": change.before, "after": change.after} for change in changes]


def decisions_as_json(decisions: Iterable[Decision]) -> Json:
    """What people decided on a request, oldest first."""
    return [
        {
            "by": decision.by.name,
            "choice": decision.choice.value,
            "to": None if decision.to is None else decision.to.name,
            "comment": decision.comment,
            "decided_at": iso(decision.at),
        }
        for decision in decisions
    ]


_DECIDED = MappingProxyType(
    {
        Choice.APPROVE: "approved by {by}",
        Choice.REJECT: "rejected by {by}",
        Choice.HAND_ON: "vote of {by} handed on to {to}",
        Choice.BREAK_GLASS: "let through without approvals by {by}, who broke glass",
    }
)


def decided_in_words(decision: Decision) -> str:
    """What somebody decided, without when and why."""
    return _DECIDED[decision.choice].format(by=decision.by, to=decision.to)


def snake_case(words: str) -> str:
    """The words of a state as a name: `up to date` becomes `up_to_date`."""
    return words.replace(" ", "_")
