"""Asking at a gate: one request for each subject, and none for what people already decided."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fleetcast.domain.approval import Request, RequestState, Subject, SubjectKind
from fleetcast.domain.audit import ADOPTED, REGISTERED, SHARED, Actor, about_model, about_request
from fleetcast.domain.canonical import digest_of
from fleetcast.domain.chronicle import BrokenLog, Chronicle, NotBelieved, other_rules
from fleetcast.domain.commit import Writer
from fleetcast.domain.effect import Effect
from fleetcast.domain.evidence import Comparison, Evidence, NotComparable
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import ModelVersion, VersionEntry
from fleetcast.domain.place import Gate
from fleetcast.domain.recount import disagreement
from fleetcast.ports.approvals import ApprovalBook, AuditLog
from fleetcast.ports.clock import Clock
from fleetcast.ports.people import PeopleBook
from fleetcast.ports.platform import Control
from fleetcast.ports.policies import PolicyBook
from fleetcast.stored import format_1


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, and what people are shown."""

    subject: Subject
    evidence: Evidence
    before: Digest
    """The subject's digest in the first format, by which it may have been asked for or decided."""
    rejected_as: frozenset[Digest] = frozenset()
    """Digests of the same subject with evidence that is not believed any more: what was rejected on it stays rejected,
    what waits is void, and what was approved and not acted on is asked again."""
    wrote: Callable[[], tuple[Writer, ...]] = field(default=tuple, compare=False)
    """Finds who wrote the commits that it comes from; asked only where a gate bars them."""
    started: Callable[[], tuple[Actor, ...]] = field(default=tuple, compare=False)
    """Finds who started the run that made the version, as far as it is another than who registered it; the same."""

    def replacing(self, other: Question) -> Question:
        """The same question, asked in place of another that showed what is not believed any more."""
        return replace(self, rejected_as=frozenset({other.subject.digest, other.before}))


def question(
    kind: SubjectKind,
    name: str,
    version: str,
    *,
    artifact: Digest,
    configuration: Digest,
    policy: GatePolicy,
    evidence: Evidence,
    thresholds: Digest | None = None,
) -> Question:
    """Pin what is asked for by the digests of all that was in force and shown."""
    rules = {"policy": policy.digest.hex, "thresholds": thresholds.hex if thresholds else None}
    subject = Subject(kind, name, version, artifact, configuration, digest_of(rules), evidence.digest)
    return Question(subject, evidence, format_1.subject_digest(subject, evidence, policy, thresholds))


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Opens requests, and closes those whose subject is gone."""

    approvals: ApprovalBook
    audit: AuditLog
    policies: PolicyBook
    people: PeopleBook
    actor: Actor
    """Who asks."""
    clock: Clock

    @classmethod
    def of(cls, control: Control, clock: Clock) -> Gatekeeper:
        """The gatekeeper of whoever acts."""
        return cls(control.approvals, control.audit, control.policies, control.people, control.actor, clock)

    def ask(
        self, gate: Gate, questions: Sequence[Question], policy: GatePolicy, run: str
    ) -> Mapping[Digest, Request]:
        """How each subject stands, by its digest, after asking for those nobody was asked about.

        Decisions are counted anew, by the people on record now: whoever lost the right in between counts no longer. A
        subject is asked for again after its request lapsed or was voided, never after a decision.
        """
        now = self.clock.now()
        known = self._counted_anew(self._believed(self._known(questions)), policy)
        known = self._without_unknown(known, questions)
        new = [
            self._noting_behind(
                Request(0, gate, policy, asked.subject, asked.evidence, run, self.actor, now), asked
            )
            for asked in questions
            if asked.subject.digest not in known
        ]
        opened = self.approvals.open(new) if new else ()
        return known | {request.subject.digest: request for request in opened}

    def _without_unknown(
        self, known: Mapping[Digest, Request], questions: Sequence[Question]
    ) -> dict[Digest, Request]:
        """All but requests that no vote can open, as nobody noted who is behind them, and of which that is known now.

        Those become void, to be asked again: what was not committed then may be by now.
        """
        left = dict(known)
        gone = []
        for asked in questions:
            request = left.get(asked.subject.digest)
            if request is not None and request.state is RequestState.PENDING:
                noted = self._noting_behind(request, asked)
                if noted != request:
                    gone.append(request.voided())
                    del left[asked.subject.digest]
        if gone:
            self.approvals.record(gone)
        return left

    def _noting_behind(self, request: Request, asked: Question) -> Request:
        """A request with who is behind it, as far as its gate bars them and nobody noted it before."""
        wrote, made = request.committed_by, request.made_by
        if not request.policy.own_commit_allowed:
            wrote = wrote or asked.wrote()
        if not request.policy.own_version_allowed:
            made = made or self._makers(asked)
        return replace(request, committed_by=wrote, made_by=made)

    def _makers(self, asked: Question) -> tuple[Actor, ...]:
        """Who made a version: who registered it, as the log says, and who started the run that trained it.

        A policy is made by whoever asks for it.

        Raises:
            NotBelieved: Nobody vouches for what the log says about it.
        """
        subject = asked.subject
        match subject.kind:
            case SubjectKind.POLICY | SubjectKind.DEPLOYMENT:
                return (self.actor,)
            case SubjectKind.ENVIRONMENT:
                registered = self._told().environments.get(str(subject))
                found = [] if registered is None else [registered]
            case SubjectKind.MODEL:
                about = about_model(subject.name)
                found = [
                    entry.actor
                    for entry in self.audit.vouched([about])[about]
                    if entry.event.action in (REGISTERED, ADOPTED)
                    and entry.event.subject == str(subject)
                    and entry.event.detail.get("artifact") == subject.artifact.hex
                ]
        return tuple(dict.fromkeys([*found, *asked.started()])) if found else ()

    def _told(self) -> Chronicle:
        """What the whole log tells.

        Raises:
            NotBelieved: It is not as it was written.
        """
        told = self.audit.told()
        if isinstance(told, BrokenLog):
            raise NotBelieved(told)
        return told

    def _known(self, questions: Sequence[Question]) -> dict[Digest, Request]:
        """What was asked about before, by today's digests; what waits under an earlier one is pinned anew."""
        now = {asked.subject.digest: asked for asked in questions}
        before = {asked.before: asked for asked in questions}
        replaced = {digest: asked for asked in questions for digest in asked.rejected_as}
        known: dict[Digest, Request] = {}
        moved = []
        for request in self.approvals.about([*now, *before, *replaced]):
            if request.state in (RequestState.VOID, RequestState.LAPSED):
                continue
            if request.subject.digest in replaced:
                if request.state is RequestState.REJECTED:
                    known[replaced[request.subject.digest].subject.digest] = request
                continue
            asked = now.get(request.subject.digest) or before.get(request.subject.digest)
            if asked is None:  # its row was edited, and `audit verify` says so
                continue
            if request.state is RequestState.PENDING and request.subject != asked.subject:
                moved.append(replace(request, subject=asked.subject, evidence=asked.evidence))
            known[asked.subject.digest] = request
        if moved:
            self.approvals.pin_anew(moved)
        return known | {request.subject.digest: request for request in moved}

    def _believed(self, known: Mapping[Digest, Request]) -> dict[Digest, Request]:
        """All but requests whose decisions are not what the audit log says: these become void.

        Raises:
            NotBelieved: The log is not as it was written, or who decides by which rule is not what it says.
        """
        decided = {
            digest: request
            for digest, request in known.items()
            if request.state.lets_through or (request.state is RequestState.PENDING and request.decisions)
        }
        if not decided:
            return dict(known)
        told = self.audit.told([request.id for request in decided.values()])
        if isinstance(told, BrokenLog):
            raise NotBelieved(told)
        for odd in other_rules(told, self.policies.in_force(), self.people.directory()):
            raise NotBelieved(odd)
        believed = dict(known)
        for digest, request in decided.items():
            why = disagreement(request, told.requests[request.id])
            if why is not None:
                self.approvals.distrust(request, why)
                del believed[digest]
        return believed

    def agreed(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        """Those of some effects of sharing that people let through, or that an adoption was about, as the log says.

        Raises:
            NotBelieved: Nobody vouches for what the log says about one of them.
        """
        wanted = {effect.event.subject for effect in effects}
        outlines = self.approvals.outlines([state for state in RequestState if state.lets_through])
        through = [
            self.approvals.find(outline.id)
            for outline in outlines
            if f"{outline.name}:{outline.version}" in wanted
        ]
        models = {subject.partition(":")[0] for subject in wanted}
        names = {about_model(name) for name in models} | {about_request(request.id) for request in through}
        held = self.audit.vouched(sorted(names))
        believed = {
            str(request.subject)
            for request in through
            if disagreement(request, held[about_request(request.id)]) is None
        }
        known = {
            (entry.event.subject, str(entry.event.detail.get("artifact")), entry.event.action)
            for name in models
            for entry in held[about_model(name)]
        }
        return [effect for effect in effects if _is_agreed(effect, believed, known)]

    def vouched(self, versions: Sequence[VersionEntry]) -> Collection[VersionEntry]:
        """Those of some versions that the log knows to have been shared, with just these files.

        Raises:
            NotBelieved: Nobody vouches for what the log says about one of them.
        """
        logged = self.audit.vouched(sorted({about_model(version.name) for version in versions}))
        shared = {
            (entry.event.subject, str(entry.event.detail.get("artifact")))
            for held in logged.values()
            for entry in held
            if entry.event.action == SHARED
        }
        return [one for one in versions if (f"{one.name}:{one.version}", one.artifact.hex) in shared]

    def _counted_anew(self, known: Mapping[Digest, Request], policy: GatePolicy) -> dict[Digest, Request]:
        now, directory = self.clock.now(), self.people.directory()
        settled = {digest: request.settled(now, directory, policy) for digest, request in known.items()}
        changed = [settled[digest] for digest in known if settled[digest].state is not known[digest].state]
        if changed:
            self.approvals.record(changed)
        return {
            digest: request for digest, request in settled.items() if request.state is not RequestState.LAPSED
        }

    def comparisons(
        self, names: Collection[str]
    ) -> Callable[[ModelVersion, Digest, ModelVersion | None], Comparison | None]:
        """How models were held against champions when they were asked about, so that it is computed once."""
        latest = {(held.subject.name, held.subject.version): held for held in self.approvals.of_models(names)}

        def found(
            version: ModelVersion, configuration: Digest, champion: ModelVersion | None
        ) -> Comparison | None:
            held = latest.get((version.name, str(version.version)))
            if held is None or held.subject.configuration != configuration:
                return None
            comparison = held.evidence.comparison
            if isinstance(comparison, NotComparable) and not comparison.reason.lasting:
                return None
            against = None if comparison is None else getattr(comparison, "champion", None)
            same = against == (champion.version if champion is not None else None)
            return comparison if same and held.subject.artifact == version.model.artifact else None

        return found

    def close_stale(
        self, kind: SubjectKind, wanted: Sequence[Question], *, beyond: Collection[str] = ()
    ) -> None:
        """Void pending requests of this kind whose subject is not wanted any more, and end those past their time.

        Args:
            kind: Which requests to look at.
            wanted: The subjects that still stand.
            beyond: Names that this run is not about; their requests are left alone.
        """
        now = self.clock.now()
        stands = {digest for asked in wanted for digest in (asked.subject.digest, asked.before)}
        policies = self.policies.in_force()
        waiting = [one for one in self.approvals.outlines((RequestState.PENDING,)) if one.kind is kind]
        gone = {one.id for one in waiting if one.subject not in stands and one.name not in beyond}
        late = {one.id for one in waiting if one.as_of(now, policies).state is RequestState.LAPSED}
        if gone or late:
            held = [request.as_of(now) for request in self.approvals.listed((RequestState.PENDING,))]
            lapsed = [one for one in held if one.id in gone | late and one.state is RequestState.LAPSED]
            void = [one.voided() for one in held if one.id in gone and one.state is RequestState.PENDING]
            self.approvals.record(sorted([*lapsed, *void], key=lambda one: one.id))


def _is_agreed(effect: Effect, through: Collection[str], known: Collection[tuple[str, str, str]]) -> bool:
    """Whether an effect as a row holds it is one of sharing, of just what was let through or adopted."""
    event = effect.event
    if effect.key == f"share environment {event.subject}":
        return event.action == "environment.shared" and event.subject in through
    if effect.key != f"share model {event.subject}" or event.action != SHARED:
        return False
    artifact = str(event.detail.get("artifact"))
    if (event.subject, artifact, ADOPTED) in known:
        return True
    return event.subject in through and (event.subject, artifact, REGISTERED) in known
