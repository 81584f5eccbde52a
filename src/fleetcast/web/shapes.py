"""The shape of what is answered, for the description of the API. What is sent is the views' own JSON.

The tests hold every answer to these shapes, so that they say what the views do.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$")]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Next = Annotated[
    str | None, Field(description="Send it as `after` for the next page; null: this was the last one.")
]
Verbatim = dict[str, Any]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Shape):
    """What is wrong, after RFC 9457."""

    type: Annotated[str, Field(description="Names the kind of problem; it never changes.")]
    title: str
    status: int
    detail: str
    fix: Annotated[str | None, Field(description="What to do next.")]
    errors: Annotated[list[FieldError], Field(description="Which fields are wrong.")] = []


class FieldError(_Shape):
    """One field that cannot be taken."""

    where: str
    says: str


class Health(_Shape):
    """Whether the server can work."""

    status: str


class Proof(_Shape):
    """How somebody showed who they are."""

    means: str
    detail: str


class Role(_Shape):
    """A role and where it holds; null: everywhere. Given by this `fleet`, or by the identity `provider`."""

    role: str
    gate: str | None
    environment: str | None
    plant_id: str | None
    given_by: str


class Acting(_Shape):
    """Who asks."""

    name: str
    standing: str
    proof: Proof | None
    on_record: bool
    roles: list[Role]


class Person(_Shape):
    """Somebody on record."""

    name: str
    kind: str
    full_name: str
    aliases: list[str]
    disabled: bool
    identities: list[Proof]
    groups: list[str]
    roles: list[Role]


class Group(_Shape):
    """People under one name."""

    name: str
    members: list[str]
    roles: list[Role]


class People(_Shape):
    """Everybody on record."""

    open: Annotated[bool, Field(description="Whether nobody is on record yet.")]
    people: list[Person]
    groups: list[Group]


class Change(_Shape):
    """A setting that differs."""

    field: str
    before: Any
    after: Any


class UnloadableModel(_Shape):
    """A model in use whose files are lost or damaged."""

    plant_id: str
    circuit_id: str
    model_name: str
    version: int
    is_champion: bool
    why: str


class PlannedCircuit(_Shape):
    """What would be done for one circuit."""

    plant_id: str
    circuit_id: str
    model_name: str
    action: str
    why: str
    version: int | None
    training_hash: Hex | None
    data_checked: bool | None
    changes: list[Change]


class PlannedAsset(_Shape):
    """What would be registered or promoted."""

    action: str
    kind: str
    name: str
    asset_version: str
    model_name: str | None
    version: int | None
    note: str | None


class UnusedSetting(_Shape):
    """A setting that nothing uses yet."""

    file: str
    line: int
    setting: str
    says: str


class PlannedCost(_Shape):
    """What training would cost, about; the amount is exact text."""

    amount: str
    currency: str
    jobs: int


class PlannedQuota(_Shape):
    """What training would use at the same time, and what it may; no limit where that is null though it is known."""

    nodes: int
    is_known: bool
    why_not_known: str | None
    location: str | None
    family: str | None
    cores_per_node: int | None
    cores_limit: int | None
    cores_used: int | None
    cores_needed: int | None
    fits: bool | None


class Plan(_Shape):
    """What differs between the fleet repository and what exists."""

    format: int
    digest: Hex
    fleet_digest: Hex
    has_changes: bool
    summary: dict[str, int]
    estimated_seconds: float | None
    estimated_cost: PlannedCost | None
    quota: PlannedQuota | None
    warnings: list[str]
    unloadable_models: list[UnloadableModel]
    circuits: list[PlannedCircuit]
    assets: list[PlannedAsset]
    since: None
    unused: list[UnusedSetting]


class StageRecord(_Shape):
    """How one stage of a run went."""

    stage: str
    ending: str
    says: str
    started_at: Moment
    ended_at: Moment
    seconds: float


class StageBegun(_Shape):
    """The stage that somebody works on, or did when they were interrupted."""

    stage: str
    by: str
    at: Moment


class Run(_Shape):
    """A run of the pipeline."""

    run_id: str
    state: str
    is_at_work: bool
    by: str
    commit: str
    fleet_digest: Hex
    started_at: Moment
    ended_at: Moment | None
    took_seconds: Annotated[float, Field(description="From its first start to its last end so far.")]
    worked_seconds: Annotated[float, Field(description="How long its stages took, each as often as it ran.")]
    begun: StageBegun | None
    stages: list[StageRecord]


class JobPage(_Shape):
    """A page of the platform about some jobs of a run."""

    title: str
    url: str


class RunFound(Run):
    """A run of the pipeline, and where the platform shows its jobs."""

    pages: list[JobPage]
    pages_unknown: str | None


class JobLog(_Shape):
    """What one training job said."""

    job_id: str
    text: str | None


class Runs(_Shape):
    """A page of runs, newest first."""

    runs: list[Run]
    next: Next


class StatusOfPlant(_Shape):
    """How many circuits of a plant are in each state."""

    plant_id: str
    counts: dict[str, int]


class StatusOfCircuit(_Shape):
    """Where one circuit is."""

    plant_id: str
    circuit_id: str
    model_name: str
    state: str
    says: str
    command: str | None
    request_id: int | None


class NextStep(_Shape):
    """A command, and why now."""

    command: str
    why: str


class ReleaseOfDeployment(_Shape):
    """A release that a plant gets."""

    plant_id: str
    release: int
    digest: Hex


class RampOfDeployment(_Shape):
    """The shares that a release goes through."""

    shares: list[int]
    soak_seconds: float
    window_seconds: float


class DeploymentOfFleet(_Shape):
    """One time that somebody deployed."""

    environment: str
    deployment: int
    state: str
    plan: Hex
    request_id: int | None
    commit: str
    opened_by: str
    opened_at: Moment
    waves: list[list[str]]
    releases: list[ReleaseOfDeployment]
    ramp: RampOfDeployment


class OverrideOfCircuit(_Shape):
    """What forecasts a circuit in place of what its release says; `use` null: the seasonal naive forecast."""

    circuit_id: str
    use: str | None
    reason: str
    until: Moment | None


class EndpointOfPlant(_Shape):
    """What a plant's clients are answered by."""

    environment: str
    plant_id: str
    blue: Hex | None
    green: Hex | None
    green_share: int
    overrides: list[OverrideOfCircuit]


class RolloutOfPlant(_Shape):
    """How a plant's last rollout stands."""

    environment: str
    plant_id: str
    deployment: int
    phase: str
    share: int
    windows_passed: int
    cause: str | None
    says: str | None


class Serving(_Shape):
    """What clients are answered by, and what is on its way to them."""

    deployments: list[DeploymentOfFleet]
    endpoints: list[EndpointOfPlant]
    rollouts: list[RolloutOfPlant]
    blocked_versions: list[str]


class TrainingUnderWay(_Shape):
    """How far the jobs of a run that has not ended have come."""

    total: int
    done: int
    failed: int


class ScheduleInTrouble(_Shape):
    """Something that should start by itself and is late, or failed too often."""

    duty: str
    due_at: Moment
    state: str


class Status(_Shape):
    """How the fleet stands."""

    made_at: Moment
    counts: dict[str, int]
    pending_requests: int
    to_do: list[str]
    estimated_seconds: float | None
    plants: list[StatusOfPlant]
    circuits: list[StatusOfCircuit]
    last_run: Run | None
    training: TrainingUnderWay | None
    holder: Annotated[str | None, Field(description="Who works on the last run.")]
    schedules: list[ScheduleInTrouble]
    serving: Serving
    alarms: Annotated[list[AlarmOutline], Field(description="Those that are not over.")]
    next_steps: list[NextStep]


class SelectedVersion(_Shape):
    """The version that a circuit uses."""

    version: int
    state: str
    family: str
    skill: float | None
    mase: float | None
    coverage_80: float | None
    registered_at: Moment
    cutoff_date: str
    training_hash: Hex


class ModelRow(_Shape):
    """One circuit and the model it uses."""

    plant_id: str
    circuit_id: str
    model_name: str
    champion_version: int | None
    is_retired: Annotated[bool, Field(description="Whether its circuit is no longer declared.")]
    selected: SelectedVersion | None


class Models(_Shape):
    """A page of models, by plant and circuit."""

    models: list[ModelRow]
    next: Next


class RetiredCircuit(_Shape):
    """A circuit that is no longer declared; null is what is not known."""

    plant_id: str
    circuit_id: str
    model_name: str
    last_version: int
    versions: int
    champion_version: int | None
    served_in: list[str]
    retired_at: Annotated[Moment | None, Field(description="When a run took it out of use.")]
    run_id: str | None
    commit: str | None


class Model(_Shape):
    """One model with all of its versions."""

    plant_id: str
    circuit_id: str
    model_name: str
    champion_version: int | None
    retired: Annotated[RetiredCircuit | None, Field(description="Null: its circuit is declared.")]
    shown_version: int
    artifact_folder: str | None
    artifact_problem: str | None
    versions: list[Verbatim]


class Check(_Shape):
    """How one check went."""

    name: str
    verdict: str
    value: float | None
    limit: float | None
    says: str


class Fact(_Shape):
    """Something that people see when they decide."""

    name: str
    value: str


class Decision(_Shape):
    """What one person decided."""

    by: str
    choice: str
    to: str | None
    comment: str
    decided_at: Moment


class Request(_Shape):
    """Something that waits, or waited, at a gate, with the evidence."""

    request_id: int
    gate: str
    state: str
    missing: Annotated[int, Field(description="How many more must approve.")]
    kind: str
    name: str
    asset_version: str
    model_name: str | None
    version: int | None
    subject_digest: Hex
    artifact: Hex
    outcome: str
    passing: bool
    plant_id: str | None
    circuit_id: str | None
    checks: list[Check]
    facts: list[Fact]
    requested_by: str
    committed_by: Annotated[
        list[str], Field(description="Who wrote the commits; empty where nobody noted it.")
    ]
    made_by: Annotated[list[str], Field(description="Who made the version; empty where nobody noted it.")]
    opened_at: Moment
    lapses_at: Moment
    decisions: list[Decision]


class SeenObservation(_Shape):
    """What a look saw of one signal."""

    signal: str
    plant_id: str
    circuit_id: str | None
    sensor: str | None
    looked_at: Moment
    outcome: str
    value: float | None
    threshold: float | None
    unit: str | None
    p_value: float | None
    impact: float
    model: str | None
    detail: dict[str, float | str]


class Taken(_Shape):
    """Who has an alarm in hand."""

    by: str
    at: Moment
    comment: str


class AlarmOutline(_Shape):
    """Something that monitoring found, in short."""

    alarm_id: int
    kind: str
    environment: str
    plant_id: str
    circuit_id: Annotated[str | None, Field(description="Null: the plant as a whole.")]
    sensor: Annotated[str | None, Field(description="Null: the circuit as a whole.")]
    state: str
    owner: str | None
    impact: Annotated[float, Field(description="How much forecasts suffer, as a share of their error.")]
    page: Annotated[bool, Field(description="Whether somebody is woken for it.")]


class Alarm(AlarmOutline):
    """Something that monitoring found and somebody should see to."""

    since: Moment
    raised_at: Moment
    looked_at: Moment
    seen_at: Annotated[Moment, Field(description="When a look found it last.")]
    fine_looks: Annotated[int, Field(description="So many in a row found it fine.")]
    unclear: Annotated[str | None, Field(description="Why the last look could not tell.")]
    acknowledged: Taken | None
    snoozed_until: Moment | None
    recovered_at: Moment | None
    recovered_because: str | None
    what_to_do: str
    shown_by_count: int
    shown_by: Annotated[
        list[SeenObservation],
        Field(description="The strongest: in a list five of each, of one alarm up to 100."),
    ]


class LookedLast(_Shape):
    """The newest look at an environment."""

    environment: str
    looked_at: Moment
    circuits: int
    outcomes: dict[str, int]


class Alarms(_Shape):
    """Alarms, and when was looked last."""

    alarms: list[Alarm]
    last_looks: list[LookedLast]


class LoginBegun(_Shape):
    """A sign-in of a command line that has begun."""

    device_code: Annotated[str, Field(description="What it asks with; a secret.")]
    user_code: Annotated[str, Field(description="What a person types at the page /login.")]
    expires_in_seconds: float
    interval_seconds: Annotated[float, Field(description="Ask no more often.")]


class LoginState(_Shape):
    """Whether somebody has agreed."""

    state: Annotated[str, Field(description="`pending`, or `done`.")]
    name: str | None
    token: Annotated[str | None, Field(description="Shown this once.")]
    expires_at: Moment | None


class LoggedOut(_Shape):
    """The token says nothing any more."""

    state: str


class Requests(_Shape):
    """A page of requests."""

    passing_set: Annotated[Hex, Field(description="Digest of those on this page that wait and pass.")]
    requests: list[Request]
    next: Next


class Awaited(_Shape):
    """What a request still waits for."""

    request_id: int
    missing: int
    may: Annotated[list[str], Field(description="Who can approve yet; empty: anybody else, or nobody.")]
    turn: Annotated[str | None, Field(description="The group whose turn it is.")]
    until: Annotated[Moment | None, Field(description="It opens at no earlier moment.")]
    is_stuck: Annotated[bool, Field(description="Whether no votes of the people on record can open it.")]


class Decided(_Shape):
    """Requests as they stand after a decision."""

    passing_set: Hex
    requests: list[Request]
    awaited: Annotated[list[Awaited], Field(description="Of those of them that wait.")]


class AuditEntry(_Shape):
    """One entry of the audit log."""

    entry: int
    recorded_at: Moment
    by: str
    standing: str
    proof: Proof | None
    action: str
    subject: str
    detail: Verbatim
    previous_digest: Hex
    digest: Hex


class Audit(_Shape):
    """A page of the audit log."""

    entries: list[AuditEntry]
    next: Next


class DistrustedRequest(_Shape):
    """A request that is not what the log says."""

    request_id: int
    kind: str
    name: str
    asset_version: str
    model_name: str | None
    version: int | None
    says: str


class DistrustedRow(_Shape):
    """A policy, person, role, champion or model that is not what the log says."""

    what: str
    in_row: str
    in_log: str


class Checkpoint(_Shape):
    """How far the log was known to have come, by what is kept apart from the database."""

    holds: bool
    entry: int | None
    made_at: Moment | None
    independent: Annotated[
        bool | None, Field(description="Whether somebody else than the database's owner keeps it.")
    ]
    says: str | None


class AuditVerified(_Shape):
    """What verifying the audit log found."""

    unbroken: bool
    entry_count: Annotated[int | None, Field(description="Null where the log is broken.")]
    head_digest: Hex | None
    broken_at_entry: Annotated[int | None, Field(description="The first entry that does not fit.")]
    says: Annotated[str | None, Field(description="What is wrong with that entry.")]
    distrusted_requests: list[DistrustedRequest]
    distrusted_rows: list[DistrustedRow]
    checkpoint: Annotated[Checkpoint | None, Field(description="Null where none is kept.")]
