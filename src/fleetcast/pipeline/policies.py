"""Changing who decides at a gate: a restriction takes effect at once, anything else is asked for at that gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleetcast.domain.approval import Request, SubjectKind
from fleetcast.domain.evidence import Evidence
from fleetcast.domain.gate import GatePolicy, differences, effective
from fleetcast.domain.place import Gate
from fleetcast.pipeline.gatekeeper import Gatekeeper, Question, question
from fleetcast.pipeline.situation import UnknownWriters
from fleetcast.ports.policies import PolicyBook
from fleetcast.ports.writers import Writers


@dataclass(frozen=True, slots=True)
class KeepPolicies:
    """Brings the policies in force to what the fleet repository says, as far as that is allowed."""

    book: PolicyBook
    gatekeeper: Gatekeeper
    writers: Writers = field(default_factory=UnknownWriters)
    """Who wrote what the repository says."""

    def __call__(self, declared: Mapping[Gate, GatePolicy], run: str) -> Mapping[Gate, Request]:
        """Tighten, ask, and act on what was decided. Gives the requests about policies that are not in force yet."""
        self.book.take_first(declared)
        in_force = self.book.in_force()
        self.book.change(effective(in_force, declared))
        in_force = self.book.in_force()
        questions = {
            gate: replace(
                policy_question(gate, in_force[gate], declared[gate]), wrote=self.writers.of_settings
            )
            for gate in Gate
            if declared[gate] != in_force[gate]
        }
        self.gatekeeper.close_stale(SubjectKind.POLICY, list(questions.values()))
        asked = {
            gate: self.gatekeeper.ask(gate, [asked], in_force[gate], run)[asked.subject.digest]
            for gate, asked in questions.items()
        }
        approved = {gate: declared[gate] for gate, request in asked.items() if request.state.lets_through}
        if approved:
            self.book.change(approved)
        return {gate: request for gate, request in asked.items() if gate not in approved}


def policy_question(gate: Gate, in_force: GatePolicy, declared: GatePolicy) -> Question:
    """What people at a gate are asked about its policy: decided under the one in force."""
    return question(
        SubjectKind.POLICY,
        gate.value,
        declared.digest.short,
        artifact=declared.digest,
        configuration=in_force.digest,
        policy=in_force,
        evidence=Evidence(checks=(), facts=differences(in_force, declared)),
    )
