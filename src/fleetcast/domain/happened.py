"""What happened, as entries of the audit log: each is made here, from the values that changed, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetcast.domain.approval import RequestState
from fleetcast.domain.audit import (
    ADOPTED,
    ARTIFACT_REMOVED,
    COMPOSED,
    CROWNED,
    MADE_LIVE,
    REGISTERED,
    RETIRED,
    SHARED,
    AuditEntry,
    AuditEvent,
    Mark,
    Means,
)
from fleetcast.domain.canonical import Json, plain
from fleetcast.domain.given import LONGEST_LINE
from fleetcast.domain.model import AdoptedLineage
from fleetcast.domain.recount import behind_in_log

if TYPE_CHECKING:  # whoever writes one event needs the values of no other
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from fleetcast.domain.account import Account
    from fleetcast.domain.alarm import Alarm
    from fleetcast.domain.approval import Choice, Request
    from fleetcast.domain.assets import Asset
    from fleetcast.domain.deployment import Deployment, PlantRollout
    from fleetcast.domain.gate import GatePolicy
    from fleetcast.domain.identity import Digest
    from fleetcast.domain.job import TrainingJob
    from fleetcast.domain.link import Link
    from fleetcast.domain.model import ModelVersion
    from fleetcast.domain.people import Directory, Grant, Group, Person
    from fleetcast.domain.place import EnvironmentName, Gate
    from fleetcast.domain.recount import Disagreement
    from fleetcast.domain.release import Endpoint, NumberedRelease
    from fleetcast.domain.run import Run
    from fleetcast.domain.schedule import Turn
    from fleetcast.domain.session import SignInSession
    from fleetcast.domain.snapshot import DataAsset
    from fleetcast.domain.token import Token
    from fleetcast.domain.traffic import Override

TRAINING_BEGAN, TRAINING_ENDED = "run.began", "run.ended"
JOB_FAILED = "job.failed"
_LONGEST_ERROR = 500
DEMO_BEGAN = "demo.began"
"""What the log of a demo begins with."""
_NAMED = 20
"""So many of what was removed together are named; how many there were is said too."""
_NOT_OF_PEOPLE = frozenset(
    {
        "request", "decision", "model", "environment", "component", "data", "policy", "release", "endpoint",
        "deployment", "rollout", "traffic", "alarm", "artifact", "logs", "table", "run", "job", "channel", "page",
        "schedule",
        "session", "sign-in",
    }
)  # fmt: skip


def leaves_people_alone(action: str) -> bool:
    """Whether who is on record, and what they or their tokens may do, is after this as before."""
    return action.partition(".")[0] in _NOT_OF_PEOPLE


def asset_registered(asset: Asset) -> AuditEvent:
    """A version of an environment or a component is in the workspace."""
    return AuditEvent(f"{asset.kind.value}.registered", str(asset), {"digest": asset.digest.hex})


def data_registered(asset: DataAsset) -> AuditEvent:
    """A circuit's data was checked and pinned."""
    detail: dict[str, Json] = {
        "digest": asset.digest.hex,
        "source": asset.source,
        "delta_version": asset.delta_version,
        "fingerprint": asset.fingerprint.hex,
        "rows": asset.rows,
    }
    return AuditEvent("data.registered", asset.name, detail)


def model_registered(version: ModelVersion) -> AuditEvent:
    """A model got its version, from a job here or by adoption."""
    lineage = version.model.lineage
    said = {
        "training_hash": lineage.training_hash.hex,
        "artifact": version.model.artifact.hex,
        "commit": lineage.commit,
    }
    if isinstance(lineage, AdoptedLineage):
        return AuditEvent(ADOPTED, str(version), said | {"source": lineage.source})
    said |= {"fingerprint": lineage.fingerprint.hex, "job": lineage.job}
    return AuditEvent(REGISTERED, str(version), said)


def training_began(run: Run, jobs: int) -> AuditEvent:
    """A run asked for jobs; one that finds nothing to train leaves no entry."""
    return AuditEvent(TRAINING_BEGAN, run.id, {"commit": run.commit, "jobs": jobs})


def run_ended(run: Run) -> AuditEvent:
    """A run that trained, or failed, came to rest; it may be continued, and end again."""
    detail: dict[str, Json] = {
        "state": run.state.value,
        "commit": run.commit,
        "stages": [
            {"stage": stage.stage, "ending": stage.ending.value, "says": stage.says} for stage in run.stages
        ],
    }
    return AuditEvent(TRAINING_ENDED, run.id, detail)


def job_failed(job: TrainingJob) -> AuditEvent:
    """A job came to its end without a model, and is not tried again in its run."""
    detail: dict[str, Json] = {
        "run": job.run,
        "model": job.task.model_name,
        "plant": job.task.key.plant,
        "circuit": job.task.key.circuit,
        "attempt": job.attempt,
        "error": job.error[:_LONGEST_ERROR],
    }
    return AuditEvent(JOB_FAILED, job.id, detail)


def channel_disabled(name: str, why: str) -> AuditEvent:
    """A channel said that it takes no message any more."""
    return AuditEvent("channel.disabled", name, {"why": why})


def channel_enabled(name: str) -> AuditEvent:
    """Somebody has a channel tried again."""
    return AuditEvent("channel.enabled", name, {})


def page_acknowledged(number: int, notice: str) -> AuditEvent:
    """Somebody takes care of what people were woken for."""
    return AuditEvent("page.acknowledged", f"page {number}", {"notice": notice})


def model_selected(name: str, version: int) -> AuditEvent:
    """A version became the one that its circuit uses."""
    return AuditEvent("model.selected", f"{name}:{version}", {})


def model_deselected(name: str) -> AuditEvent:
    """A model went out of use; its versions stay."""
    return AuditEvent("model.deselected", name, {})


def model_rejected(name: str, version: int) -> AuditEvent:
    """A version was marked so that no plan uses it again."""
    return AuditEvent("model.rejected", f"{name}:{version}", {})


def environment_shared(environment: Asset) -> AuditEvent:
    """An environment is in the shared registry."""
    return AuditEvent("environment.shared", str(environment), {"digest": environment.digest.hex})


def model_shared(version: ModelVersion) -> AuditEvent:
    """A model version is in the shared registry."""
    return AuditEvent(SHARED, str(version), {"artifact": version.model.artifact.hex})


def model_crowned(name: str, version: int) -> AuditEvent:
    """A version that was shared before became the champion."""
    return AuditEvent(CROWNED, f"{name}:{version}", {})


def release_composed(one: NumberedRelease) -> AuditEvent:
    """A release got its number; nothing serves it by that."""
    detail: dict[str, Json] = {
        "digest": one.release.digest.hex,
        "circuits": len(one.release.circuits),
        "environment_version": one.release.environment_version,
    }
    return AuditEvent(COMPOSED, str(one), detail)


def release_made_live(one: NumberedRelease, before: int | None) -> AuditEvent:
    """Clients of a plant are answered by this release from now on."""
    return AuditEvent(MADE_LIVE, str(one), {"digest": one.release.digest.hex, "before": before})


def schedule_failed(turn: Turn) -> AuditEvent:
    """What a schedule starts has failed so often that it is not tried again."""
    detail: dict[str, Json] = {
        "due": turn.due.isoformat(),
        "attempts": turn.attempts,
        "exit_code": turn.exit_code,
    }
    return AuditEvent("schedule.failed", turn.duty, detail)


def deployment_changed(deployment: Deployment) -> AuditEvent:
    """A deployment was asked for, began, or came to its end."""
    detail: dict[str, Json] = {
        "plan": deployment.plan.digest.hex,
        "state": deployment.state.value,
        "commit": deployment.commit,
        "plants": len(deployment.plan.releases),
    }
    if deployment.request is not None:
        detail["request"] = deployment.request
    return AuditEvent("deployment.changed", f"{deployment.plan.environment}:{deployment.number}", detail)


def any_branch_used(environment: EnvironmentName, commit: str, branch: str | None) -> AuditEvent:
    """Somebody deploys from a branch that does not lead there, and has the right to."""
    return AuditEvent("deployment.any_branch", environment.value, {"commit": commit, "branch": branch})


def circuit_held(endpoint: Endpoint, override: Override) -> AuditEvent:
    """Somebody has a circuit forecast by something else than its release says."""
    detail: dict[str, Json] = {
        "circuit": override.circuit,
        "use": "seasonal_naive" if override.model is None else str(override.model),
        "until": None if override.until is None else plain(override.until),
    }
    return AuditEvent("traffic.held", str(endpoint), detail)


def hold_ended(endpoint: Endpoint, circuit: str) -> AuditEvent:
    """A circuit is forecast by what its release says again."""
    return AuditEvent("traffic.hold_ended", str(endpoint), {"circuit": circuit})


def rollout_changed(one: PlantRollout) -> AuditEvent:
    """A plant's rollout began, or came to another phase."""
    detail: dict[str, Json] = {
        "deployment": one.deployment,
        "green": one.rollout.green.hex,
        "phase": one.rollout.phase.value,
        "cause": None if one.rollout.cause is None else one.rollout.cause.value,
        "says": one.says,
    }
    return AuditEvent("rollout.changed", str(one.endpoint), detail)


def traffic_moved(endpoint: Endpoint, what: str, detail: Mapping[str, Json]) -> AuditEvent:
    """Servers were told to give clients something else."""
    return AuditEvent(f"traffic.{what}", str(endpoint), dict(detail))


def model_passed_qa(
    name: str, version: int, why: str, newest_reading: datetime | None, skill: Mapping[str, float]
) -> AuditEvent:
    """Somebody signed a version off for production.

    Args:
        name: Of the model.
        version: Which one.
        why: In their words.
        newest_reading: Of those that it was tried on; None: it was not.
        skill: By sensor, against the seasonal naive forecast.
    """
    detail: dict[str, Json] = {
        "comment": why,
        "newest_reading": None if newest_reading is None else plain(newest_reading),
        "skill": {sensor: round(value, 4) for sensor, value in sorted(skill.items())},
    }
    return AuditEvent("model.passed_qa", f"{name}:{version}", detail)


def model_blocked(name: str, version: int, training_hash: Digest, why: str) -> AuditEvent:
    """A version was rolled back: nothing with its training hash is used again until somebody unblocks it."""
    return AuditEvent(
        "model.blocked", f"{name}:{version}", {"training_hash": training_hash.hex, "reason": why}
    )


def model_unblocked(name: str, version: int, why: str) -> AuditEvent:
    """A version may be used again."""
    return AuditEvent("model.unblocked", f"{name}:{version}", {"reason": why})


def model_retired(
    name: str, version: int, artifact: Digest, registered_at: datetime, days: int
) -> AuditEvent:
    """Retention decided that a version's files go; what is known of the version stays."""
    detail: dict[str, Json] = {
        "artifact": artifact.hex,
        "registered_at": registered_at.isoformat(),
        "retention_days": days,
    }
    return AuditEvent(RETIRED, f"{name}:{version}", detail)


def artifact_removed(name: str, version: int, artifact: Digest, size: int) -> AuditEvent:
    """The files of a version that was retired are gone."""
    return AuditEvent(ARTIFACT_REMOVED, f"{name}:{version}", {"artifact": artifact.hex, "bytes": size})


def job_logs_removed(jobs: Sequence[str], size: int, days: int) -> AuditEvent:
    """What jobs said that ended long ago is gone; how they ended stays on record."""
    named: list[Json] = list(jobs[:_NAMED])
    detail: dict[str, Json] = {"count": len(jobs), "first": named, "bytes": size, "retention_days": days}
    return AuditEvent("logs.removed", "training jobs", detail)


def traces_removed(
    logs: Sequence[str], size: int, turns: int, letters: int, files: int, days: int | None
) -> AuditEvent:
    """What schedules printed and how their turns ended, letters that were sent, and torn looks of long ago are gone."""
    named: list[Json] = list(logs[:_NAMED])
    detail: dict[str, Json] = {
        "logs": len(logs),
        "first": named,
        "bytes": size,
        "turns": turns,
        "letters": letters,
        "files_of_looks": files,
        "retention_days": days,
    }
    return AuditEvent("logs.removed", "schedules and notices", detail)


def forecasts_removed(environment: EnvironmentName, days: Sequence[date], retention: int) -> AuditEvent:
    """Published forecasts of long ago are gone; that they were published stays on record."""
    detail: dict[str, Json] = {
        "count": len(days),
        "first": min(days).isoformat(),
        "last": max(days).isoformat(),
        "retention_days": retention,
    }
    return AuditEvent("forecasts.removed", environment.value, detail)


def table_vacuumed(table: str, files: int, kept: Sequence[int], days: int) -> AuditEvent:
    """Files of a table are gone that no version needs which somebody names."""
    versions: list[Json] = list(kept)
    detail: dict[str, Json] = {"files": files, "kept_versions": versions, "retention_days": days}
    return AuditEvent("table.vacuumed", table, detail)


def endpoint_key_made(endpoint: Endpoint, slot: str) -> AuditEvent:
    """Clients of an endpoint ask by another key from now on."""
    return AuditEvent("endpoint.key_made", str(endpoint), {"slot": slot})


def history_restored(file: str, before: Mark | None, restored: Mark | None) -> AuditEvent:
    """A backup took the place of the control database; what came after it is not there any more."""
    return AuditEvent("history.restored", file, {"before": _mark(before), "restored": _mark(restored)})


def loss_accepted(known: Mark | None, there: Mark | None) -> AuditEvent:
    """Entries that were written are lost, and the log goes on without them."""
    return AuditEvent("history.loss_accepted", "audit", {"known": _mark(known), "there": _mark(there)})


def _mark(mark: Mark | None) -> Json:
    return None if mark is None else {"number": mark.number, "digest": mark.digest.hex}


def demo_began() -> AuditEvent:
    """`fleetcast demo` made the database: the first entry of its log, as `says_demo` looks for."""
    return AuditEvent(DEMO_BEGAN, "the fleet of a demo", {})


def says_demo(first: AuditEntry | None) -> bool:
    """Whether a log belongs to a demo, by its first entry: nothing that is written later makes one of it."""
    return first is not None and first.number == 1 and first.event.action == DEMO_BEGAN


def policy_taken(gate: Gate, policy: GatePolicy) -> AuditEvent:
    """A new fleet's policy came into force."""
    return AuditEvent("policy.taken", gate.value, _policy(policy))


def policy_changed(gate: Gate, before: GatePolicy, after: GatePolicy) -> AuditEvent:
    """Another policy came into force at a gate."""
    return AuditEvent("policy.changed", gate.value, _policy(after) | {"before": before.digest.hex})


def _policy(policy: GatePolicy) -> dict[str, Json]:
    return {
        "digest": policy.digest.hex,
        "approvers": list(policy.approvers),
        "minimum": policy.minimum,
        "own_request_allowed": policy.own_request_allowed,
        "verified": policy.verified,
        **policy.later_rules,
    }


def request_opened(request: Request) -> AuditEvent:
    """Something began to wait at a gate."""
    behind = {what: value for what, value in behind_in_log(request).items() if value}
    said = {"policy": request.policy.digest.hex, "opened_at": plain(request.opened_at)}
    detail = _request(request) | said | behind
    return AuditEvent("request.opened", str(request.subject), detail)


def request_decided(request: Request) -> AuditEvent:
    """Somebody decided on a request; where that ended it, the verb says how."""
    last = request.decisions[-1]
    detail = _request(request) | {"choice": last.choice.value, "comment": last.comment}
    if last.to is not None:
        detail["to"] = last.to.name
    verb = "decided" if request.state is RequestState.PENDING else request.state.value.replace(" ", "_")
    return AuditEvent(f"request.{verb}", str(request.subject), detail)


def request_ended(request: Request) -> AuditEvent:
    """A request lapsed, became void, or came through with time alone; or waits again, as somebody counts no longer."""
    waits = request.state is RequestState.PENDING
    verb = "reopened" if waits else request.state.value.replace(" ", "_")
    return AuditEvent(f"request.{verb}", str(request.subject), _request(request))


def request_distrusted(request: Request, why: Disagreement) -> AuditEvent:
    """A request became void, as its row was not what this log says."""
    return AuditEvent("request.distrusted", str(request.subject), _request(request) | {"why": plain(why)})


def decision_refused(request: Request, choice: Choice, comment: str, why: str) -> AuditEvent:
    """Somebody tried to decide, and could not."""
    detail = _request(request) | {"choice": choice.value, "comment": comment[:LONGEST_LINE], "why": why}
    return AuditEvent("decision.refused", str(request.subject), detail)


def request_pinned_anew(request: Request, before: Digest) -> AuditEvent:
    """A pending request from an earlier version was pinned by the digests of this one; what it is about is the same."""
    return AuditEvent("request.pinned", str(request.subject), _request(request) | {"before": before.hex})


def _request(request: Request) -> dict[str, Json]:
    return {
        "gate": request.gate.value,
        "subject_digest": request.subject.digest.hex,
        "request": request.id,
    }


def person_added(person: Person) -> AuditEvent:
    """Somebody is on record."""
    return AuditEvent("person.added", person.name, {"before": None, "after": _whole(person)})


def person_changed(before: Person, after: Person) -> AuditEvent:
    """Something about somebody is another now: a name, an identity, or whether they may act at all."""
    verb = "disabled" if after.disabled and not before.disabled else "changed"
    return AuditEvent(f"person.{verb}", after.name, {"before": _whole(before), "after": _whole(after)})


def group_changed(before: Group | None, after: Group) -> AuditEvent:
    """A group has other members."""
    was = None if before is None else _whole(before)
    return AuditEvent("group.changed", after.name, {"before": was, "after": _whole(after)})


def role_granted(grant: Grant, directory: Directory) -> AuditEvent:
    """Somebody was given a role."""
    return AuditEvent("role.granted", _holder(grant, directory), {"before": None, "after": _whole(grant)})


def role_revoked(grant: Grant, directory: Directory) -> AuditEvent:
    """A role was taken back."""
    return AuditEvent("role.revoked", _holder(grant, directory), {"before": _whole(grant), "after": None})


def token_created(token: Token) -> AuditEvent:
    """A token was made; its secret is on no record."""
    return AuditEvent("token.created", f"token {token.number}", _token(token) | {"kept": token.kept.hex})


def token_revoked(token: Token) -> AuditEvent:
    """A token was ended before its time."""
    return AuditEvent("token.revoked", f"token {token.number}", _token(token))


def _token(token: Token) -> dict[str, Json]:
    return {
        "person": token.person,
        "standing": token.standing.value,
        "only": sorted(token.only),
        "purpose": token.purpose,
        "expires_at": token.expires_at.isoformat(),
    }


def session_began(session: SignInSession, name: str) -> AuditEvent:
    """Somebody signed in."""
    proof = {"means": session.proof.means.value, "shown": session.proof.detail}
    detail = _session(session) | proof | {"kept": session.kept.hex}
    if session.proof.means is Means.OIDC:
        detail["roles"] = [role.value for role in session.roles]
        detail["groups_left_out"] = session.groups_left_out
    return AuditEvent("session.began", name, detail)


def session_ended(session: SignInSession, name: str) -> AuditEvent:
    """Somebody is signed in no longer."""
    why = None if session.end is None else session.end.value
    return AuditEvent("session.ended", name, _session(session) | {"why": why})


def _session(session: SignInSession) -> dict[str, Json]:
    return {"session": session.number, "person": session.person}


def sign_in_refused(person: Person | None, address: str, unlisted: int) -> AuditEvent:
    """Somebody tried to sign in and could not; what they typed is on no record, as it may be a password.

    Args:
        person: Whose name was typed; None: nobody's.
        address: From where.
        unlisted: So many were refused since the last such entry and have none of their own.
    """
    detail: dict[str, Json] = {"person": None if person is None else person.id, "address": address}
    name = "a name that nobody has" if person is None else person.name
    return AuditEvent("sign-in.refused", name, detail | {"unlisted": unlisted})


def password_set(
    account: Account, name: str, link: Link | None, *, first: bool, replaced: Sequence[int]
) -> AuditEvent:
    """Somebody has a password, or another one; it is on no record.

    Args:
        account: Of whom.
        name: What they are called.
        link: By which it was set; None: by its owner, who knew the one before.
        first: Whether they had none.
        replaced: Numbers of links that open nothing any more.
    """
    detail: dict[str, Json] = {
        "person": account.person,
        "first": first,
        "link": None if link is None else link.number,
        "links_ended": list(replaced),
        "kept": account.kept.hex,
    }
    return AuditEvent("account.password-set", name, detail)


def password_rehashed(account: Account, name: str) -> AuditEvent:
    """A password is kept under a hash that takes more work to guess."""
    return AuditEvent("account.rehashed", name, {"person": account.person, "kept": account.kept.hex})


def link_made(link: Link, name: str, replaced: Sequence[int]) -> AuditEvent:
    """A one-time link was made; its secret is on no record."""
    detail = _link(link) | {
        "for": name,
        "person": link.person,
        "links_ended": list(replaced),
        "kept": link.kept.hex,
    }
    return AuditEvent("link.made", f"link {link.number}", detail)


def link_used(link: Link, person: str, name: str) -> AuditEvent:
    """Somebody set a password by a one-time link."""
    return AuditEvent("link.used", f"link {link.number}", _link(link) | {"for": name, "person": person})


def _link(link: Link) -> dict[str, Json]:
    return {
        "purpose": link.purpose.value,
        "made_by": link.made_by,
        "expires_at": link.expires_at.isoformat(),
    }


def forecasts_published(
    environment: EnvironmentName, day: date, issue: int, commit: str, circuits: int, replaced: int
) -> AuditEvent:
    """Forecasts of a day are there for whoever reads them.

    Args:
        environment: Whose releases forecast.
        day: Which they are for.
        issue: Counted for each day.
        commit: Of the fleet.
        circuits: How many.
        replaced: How many sensors are forecast by something else than their release's model.
    """
    detail: dict[str, Json] = {
        "environment": environment.value,
        "day": day.isoformat(),
        "issue": issue,
        "commit": commit,
        "circuits": circuits,
        "replaced_sensors": replaced,
    }
    return AuditEvent("forecasts.published", f"{environment} {day.isoformat()}:{issue}", detail)


def alarm_raised(alarm: Alarm) -> AuditEvent:
    """Monitoring found something that somebody should see to."""
    return AuditEvent("alarm.raised", str(alarm), _alarm(alarm) | {"since": plain(alarm.since)})


def alarm_recovered(alarm: Alarm) -> AuditEvent:
    """What an alarm was about is over."""
    gone = None if alarm.gone is None else alarm.gone.value
    return AuditEvent("alarm.recovered", str(alarm), _alarm(alarm) | {"why": gone})


def alarm_acknowledged(alarm: Alarm) -> AuditEvent:
    """Somebody has an alarm in hand."""
    taken = alarm.acknowledged
    comment = "" if taken is None else taken.comment
    return AuditEvent("alarm.acknowledged", str(alarm), _alarm(alarm) | {"comment": comment})


def alarm_snoozed(alarm: Alarm) -> AuditEvent:
    """Nobody is told of an alarm for a while."""
    until = None if alarm.snoozed_until is None else plain(alarm.snoozed_until)
    return AuditEvent("alarm.snoozed", str(alarm), _alarm(alarm) | {"until": until})


def alarm_worsened(alarm: Alarm) -> AuditEvent:
    """An alarm harms much more than people were told."""
    return AuditEvent("alarm.worsened", str(alarm), _alarm(alarm))


def alarm_woke(alarm: Alarm) -> AuditEvent:
    """The time for which an alarm was snoozed is over, and it is not."""
    return AuditEvent("alarm.woke", str(alarm), _alarm(alarm))


def _alarm(alarm: Alarm) -> dict[str, Json]:
    cause = alarm.cause
    return {
        "number": alarm.number,
        "kind": cause.kind.value,
        "environment": cause.environment.value,
        "plant": cause.plant,
        "circuit": cause.circuit,
        "sensor": cause.sensor,
        "owner": alarm.owner,
        "impact": round(alarm.impact, 4),
        "page": alarm.pages,
    }


def _holder(grant: Grant, directory: Directory) -> str:
    person = directory.person(grant.to)
    return grant.to if person is None else person.name


def _whole(value: Person | Group | Grant) -> Json:
    return plain(value)
