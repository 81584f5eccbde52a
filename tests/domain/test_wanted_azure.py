"""What a fleet needs in Azure, and what of it waits for something that only others make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.installation import Blocked, Change, Create, Leave, plan_installation
from fleetcast.domain.installed import Kind
from fleetcast.domain.installed_azure import AzureWorkspace, ClusterSchedule, SwitchedOff
from fleetcast.domain.location import Location
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.settings import (
    AzureSettings,
    PlatformKind,
    PlatformSettings,
    Routine,
    Schedule,
    Settings,
)
from fleetcast.domain.wanted_azure import Given, wanted_in_azure

SETTINGS = Settings(
    platform=PlatformSettings(kind=PlatformKind.AZUREML, storage=Location("az://fleet/energy")),
    azure=AzureSettings("11111111-1111-1111-1111-111111111111", "plants"),
)


def test_each_workspace_has_a_datastore_and_dev_has_the_cluster() -> None:
    wanted = [item.ref for item in wanted_in_azure(SETTINGS, "account") if not isinstance(item, SwitchedOff)]
    assert [str(ref) for ref in wanted] == [
        "workspace fleetcast-dev",
        "workspace fleetcast-test",
        "workspace fleetcast-prod",
        "shared registry fleet-registry",
        "container fleet in account",
        "datastore fleetcast in fleetcast-dev",
        "datastore fleetcast in fleetcast-test",
        "datastore fleetcast in fleetcast-prod",
        "compute cluster fleetcast-cpu in fleetcast-dev",
    ]


def test_a_workspace_that_environments_share_is_wanted_once() -> None:
    shared = replace(
        SETTINGS, azure=replace(SETTINGS.azure, workspaces=dict.fromkeys(EnvironmentName, "one"))
    )
    kinds = [item.ref.kind for item in wanted_in_azure(shared, "account")]
    assert (kinds.count(Kind.WORKSPACE), kinds.count(Kind.DATASTORE)) == (1, 1)


def test_a_uri_that_names_the_account_needs_nobody_else_to() -> None:
    storage = Location("abfss://fleet@named.dfs.core.windows.net/energy")
    named = replace(SETTINGS, platform=replace(SETTINGS.platform, storage=storage))
    assert "container fleet in named" in [str(item.ref) for item in wanted_in_azure(named, "")]
    with pytest.raises(BadInput, match="in which storage account"):
        wanted_in_azure(SETTINGS, "")


def test_what_belongs_to_a_workspace_waits_until_others_have_made_it() -> None:
    wanted = wanted_in_azure(SETTINGS, "account")
    there = [item for item in wanted if isinstance(item, AzureWorkspace) and item.name != "fleetcast-dev"]
    steps = {str(step.item.ref): type(step) for step in plan_installation(wanted, there).steps}
    assert steps == {
        "workspace fleetcast-dev": Blocked,
        "workspace fleetcast-test": Leave,
        "workspace fleetcast-prod": Leave,
        "shared registry fleet-registry": Blocked,
        "container fleet in account": Create,
        "datastore fleetcast in fleetcast-dev": Blocked,
        "datastore fleetcast in fleetcast-test": Create,
        "datastore fleetcast in fleetcast-prod": Create,
        "compute cluster fleetcast-cpu in fleetcast-dev": Blocked,
    }


# Schedules

GIVEN = Given("a" * 40, "1.0.0", "postgresql://db/fleet?auth=entra", "keyvault:fleet-secrets/signingKey")
NIGHTLY = replace(SETTINGS, schedules={Routine.TRAIN: Schedule(Routine.TRAIN, "0  2 * * *")})


def schedules(settings: Settings, given: Given) -> list[ClusterSchedule | SwitchedOff]:
    wanted = wanted_in_azure(settings, "account", given)
    return [item for item in wanted if isinstance(item, ClusterSchedule | SwitchedOff)]


def test_a_schedule_runs_its_command_from_a_commit_and_the_others_are_switched_off() -> None:
    train = ClusterSchedule(
        "train",
        "fleetcast-dev",
        "0 2 * * *",
        "train --awaiting-ok",
        GIVEN.commit,
        "1.0.0",
        GIVEN.database,
        "account",
        GIVEN.signing_key,
    )
    assert [item for item in schedules(NIGHTLY, GIVEN) if isinstance(item, ClusterSchedule)] == [train]
    others = {item.name for item in schedules(NIGHTLY, GIVEN) if isinstance(item, SwitchedOff)}
    assert others == {"plan", "score-test", "score-prod", "monitor-test", "monitor-prod", "retention"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (replace(GIVEN, commit="uncommitted"), "none holds the fleet as it is"),
        (replace(GIVEN, commit=f"{'a' * 40}+changes"), "none holds the fleet as it is"),
        (replace(GIVEN, commit=""), "none holds the fleet as it is"),
        (replace(GIVEN, database=""), "needs the control database"),
        (replace(GIVEN, database="postgresql://ada:secret@db/fleet"), "needs the control database"),
        (replace(GIVEN, database="postgresql://db/fleet?password=secret"), "needs the control database"),
        (replace(GIVEN, signing_key=""), "shows its variables"),
        (replace(GIVEN, signing_key="c2VjcmV0"), "shows its variables"),
    ],
)
def test_what_the_cluster_could_not_run_people_are_told_and_no_secret_is_kept(given: Given, why: str) -> None:
    train = next(item for item in schedules(NIGHTLY, given) if isinstance(item, ClusterSchedule))
    assert "secret" not in f"{train}".replace("fleet-secrets", "")
    assert "c2VjcmV0" not in f"{train}"
    (step,) = plan_installation([train], []).steps
    assert isinstance(step, Blocked)
    assert why in step.why


def test_what_is_done_for_environments_has_a_schedule_for_each_that_is_named() -> None:
    both = Schedule(Routine.SCORE, "0 2 * * *", (EnvironmentName.TEST, EnvironmentName.PROD))
    found = schedules(replace(SETTINGS, schedules={Routine.SCORE: both}), GIVEN)
    assert {one.name: one.runs for one in found if isinstance(one, ClusterSchedule)} == {
        "score-test": "score test",
        "score-prod": "score prod",
    }


def test_a_schedule_that_nobody_wants_is_disabled_where_it_is_ours_and_left_where_it_is_not() -> None:
    train = next(item for item in schedules(NIGHTLY, GIVEN) if isinstance(item, ClusterSchedule))
    off = SwitchedOff("train", "fleetcast-dev")
    assert plan_installation([off], []).steps == ()
    assert [type(step) for step in plan_installation([off], [train]).steps] == [Change]
    assert [type(step) for step in plan_installation([off], [replace(train, enabled=False)]).steps] == [Leave]
    theirs = replace(train, is_ours=False)
    assert [type(step) for step in plan_installation([off], [theirs]).steps] == [Leave]
    assert [type(step) for step in plan_installation([train], [theirs]).steps] == [Blocked]
