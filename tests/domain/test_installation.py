"""What leads from what an installation holds to what it should hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.installation import (
    Blocked,
    Change,
    Create,
    FieldChange,
    InstallationPlan,
    Item,
    Leave,
    differences,
    plan_installation,
)
from fleetcast.domain.installed import Kind, Ref
from fleetcast.domain.installed_devops import (
    ApprovalCheck,
    BranchPolicy,
    BuildValidation,
    Environment,
    Pipeline,
    Reviewers,
    ServiceConnection,
    UsePermission,
    VariableGroup,
    Variables,
    VaultSecrets,
)

names = st.sampled_from(["alpha", "beta", "gamma", "delta"])
some_names = st.frozensets(names, min_size=1)
values = st.dictionaries(names, st.text("xyz", max_size=3), min_size=1)
connections = st.builds(ServiceConnection, names, names, names, names, names)
groups = st.builds(
    VariableGroup,
    names,
    st.builds(Variables, values) | st.builds(VaultSecrets, names, names, some_names),
)
checks = st.builds(
    ApprovalCheck,
    names,
    some_names,
    st.integers(1, 3),
    st.booleans(),
    st.integers(1, 43_200).map(lambda minutes: timedelta(minutes=minutes)),
    names,
    st.booleans(),
)
pipelines = st.builds(Pipeline, names, names, names, names, st.booleans(), st.booleans())
permissions = st.builds(
    UsePermission, st.builds(Ref, st.sampled_from(Kind), names), some_names, st.booleans()
)
rules = st.builds(Reviewers, st.integers(1, 5), st.booleans(), st.booleans()) | st.builds(
    BuildValidation, names
)
policies = st.builds(BranchPolicy, names, rules, st.booleans(), st.booleans())
items: st.SearchStrategy[Item] = st.one_of(
    connections, groups, st.builds(Environment, names), checks, pipelines, permissions, policies
)
worlds = st.lists(items, max_size=12, unique_by=lambda item: item.ref)


def applied(plan: InstallationPlan, world: Sequence[Item]) -> dict[Ref, Item]:
    """The world after a plan, in which whatever somebody else has added to a thing stays."""
    after = {item.ref: item for item in world}
    for step in plan.work:
        before = after.get(step.item.ref)
        assert (before is None) is isinstance(step, Create)
        after[step.item.ref] = merged(step.item, before)
    return after


def merged(item: Item, before: Item | None) -> Item:
    match item, before:
        case VariableGroup(content=Variables() as new), VariableGroup(content=Variables() as old):
            return replace(
                item, content=Variables({**old.values, **new.values}, old.hidden - frozenset(new.values))
            )
        case VariableGroup(content=VaultSecrets() as new), VariableGroup(content=VaultSecrets() as old):
            return replace(item, content=replace(new, names=new.names | old.names))
        case UsePermission(), UsePermission():
            return replace(item, pipelines=item.pipelines | before.pipelines)
        case _:
            return item


@given(worlds, worlds)
def test_nothing_is_left_to_do_after_a_plan_but_what_only_people_can(
    wanted: list[Item], world: list[Item]
) -> None:
    plan = plan_installation(wanted, world)
    again = plan_installation(wanted, applied(plan, world).values())
    assert again.work == ()
    assert again.blocked == plan.blocked
    assert again.is_empty is not bool(plan.blocked)


@given(worlds, worlds)
def test_what_is_not_ours_is_in_no_step(wanted: list[Item], world: list[Item]) -> None:
    plan = plan_installation(wanted, world)
    ours = {item.ref for item in wanted}
    assert {step.item.ref for step in plan.steps} == ours
    assert set(plan.others) == {item.ref for item in world} - ours
    after = applied(plan, world)
    assert all(after[item.ref] == item for item in world if item.ref not in ours)


@given(items, items)
def test_a_difference_in_any_field_is_found_and_nothing_else(wanted: Item, other: Item) -> None:
    (step,) = plan_installation([wanted], [wanted]).steps
    assert step == Leave(wanted)
    if wanted.ref != other.ref:
        return
    asked, has = wanted.fields, other.fields
    assert {change.name: (change.before, change.after) for change in differences(wanted, other)} == {
        name: (has.get(name), asked[name]) for name in asked if has.get(name) != asked[name]
    }


CHECK = ApprovalCheck(
    "prod-deployment",
    frozenset({"a", "b"}),
    2,
    own_run_allowed=False,
    lapses_after=timedelta(days=30),
    instructions="look",
)
PERMISSION = UsePermission(Ref(Kind.ENVIRONMENT, "prod-deployment"), frozenset({"deploy"}))
POLICY = BranchPolicy("main", Reviewers(2))
PIPELINE = Pipeline("train", "a.yml", "fleet", "main")
CONNECTION = ServiceConnection("mlops-dev", "t", "s", "dev", "c")


@pytest.mark.parametrize(
    ("wanted", "drifted", "change"),
    [
        (CHECK, {"approvers": frozenset({"a", "b", "c"})}, ("approvers", "a, b, c", "a, b")),
        (CHECK, {"minimum": 1}, ("minimum", "1", "2")),
        (CHECK, {"own_run_allowed": True}, ("own run", "allowed", "forbidden")),
        (CHECK, {"lapses_after": timedelta(hours=1)}, ("time-out", "1h", "30d")),
        (CHECK, {"instructions": "just click"}, ("instructions", "just click", "look")),
        (CHECK, {"enabled": False}, ("enabled", "no", "yes")),
        (PERMISSION, {"open_to_all": True}, ("open to every pipeline", "yes", "no")),
        (PERMISSION, {"pipelines": frozenset({"other"})}, ("pipeline deploy", None, "may")),
        (POLICY, {"rule": Reviewers(1)}, ("minimum", "1", "2")),
        (POLICY, {"rule": Reviewers(2, own_vote_counts=True)}, ("own vote counts", "yes", "no")),
        (POLICY, {"rule": Reviewers(2, reset_by_push=False)}, ("reset by a push", "no", "yes")),
        (POLICY, {"enabled": False}, ("enabled", "no", "yes")),
        (POLICY, {"blocking": False}, ("blocking", "no", "yes")),
        (PIPELINE, {"file": "b.yml"}, ("file", "b.yml", "a.yml")),
        (PIPELINE, {"repository": "other"}, ("repository", "other", "fleet")),
        (PIPELINE, {"branch": "wip"}, ("branch", "wip", "main")),
        (PIPELINE, {"enabled": False}, ("enabled", "no", "yes")),
        (PIPELINE, {"triggers_in_file": False}, ("triggers in its file", "no", "yes")),
        (CONNECTION, {"tenant": "x"}, ("tenant", "x", "t")),
        (CONNECTION, {"subscription": "x"}, ("subscription", "x", "s")),
        (CONNECTION, {"subscription_name": "x"}, ("subscription name", "x", "dev")),
        (CONNECTION, {"client_id": "x"}, ("identity", "x", "c")),
        (
            CONNECTION,
            {"scheme": "ServicePrincipal"},
            ("scheme", "ServicePrincipal", "WorkloadIdentityFederation"),
        ),
    ],
)
def test_each_field_of_each_kind_can_drift(
    wanted: Item, drifted: Mapping[str, object], change: tuple[str, str | None, str]
) -> None:
    found = replace(wanted, **drifted)  # type: ignore[arg-type]  # each row names fields of its own kind
    assert plan_installation([wanted], [found]).steps == (Change(wanted, (FieldChange(*change),)),)


def test_variables_of_others_stay_and_a_secret_in_place_of_a_value_is_seen() -> None:
    wanted = VariableGroup("g", Variables({"a": "1"}))
    assert plan_installation([wanted], [VariableGroup("g", Variables({"a": "1", "b": "2"}))]).is_empty
    plan = plan_installation([wanted], [VariableGroup("g", Variables({}, frozenset({"a"})))])
    assert plan.steps == (Change(wanted, (FieldChange("variable a", "(secret)", "1"),)),)


def test_a_group_whose_content_would_be_lost_is_left_to_people() -> None:
    wanted = VariableGroup("g", VaultSecrets("vault", "mlops-dev", frozenset({"databaseUrl"})))
    found = VariableGroup("g", Variables({"theirs": "1"}, frozenset({"typed-in"})))
    plan = plan_installation([wanted], [found])
    (step,) = plan.steps
    assert isinstance(step, Blocked)
    assert "theirs, typed-in" in step.why
    assert (plan.work, plan.is_empty) == ((), False)


def test_things_are_made_before_what_needs_them() -> None:
    plan = plan_installation([POLICY, PERMISSION, CHECK, PIPELINE, CONNECTION, Environment("e")], [])
    assert [step.item.ref.kind for step in plan.steps] == [
        Kind.CONNECTION,
        Kind.ENVIRONMENT,
        Kind.CHECK,
        Kind.PIPELINE,
        Kind.PERMISSION,
        Kind.POLICY,
    ]
    assert set(plan.roles) == {step.item.ref.kind for step in plan.steps}


def test_of_several_of_one_name_the_first_counts_and_the_others_are_shown() -> None:
    weak = replace(CHECK, minimum=1)
    plan = plan_installation([CHECK], [CHECK, weak])
    assert plan.is_empty
    assert plan.others == (Ref(Kind.CHECK, "prod-deployment (another)"),)
    assert not plan_installation([CHECK], [weak, CHECK]).is_empty
