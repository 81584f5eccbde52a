"""What Azure does badly: whatever it answers, a thing is made once, and another's is never taken for ours."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from fleetcast.domain.assets import AssetKind, VersionTaken
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from fleetcast.domain.traffic import Traffic, Watch
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.sharing import Share
from fleetcast.platforms.azureml.deployments import RELEASE_TAG, endpoint_name, shares
from fleetcast.platforms.azureml.graphs import component_name
from fleetcast.ports.platform import Platform
from fleetcast.workflows.look import LookAtJobs
from tests.azure_emulator.conftest import credential, workspace_client
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault
from tests.azure_oracle.published import as_published
from tests.clocks import FixedClock
from tests.contracts.azure import AzureForContracts, azure_emulated
from tests.contracts.samples import component, digest, environment, trained

PROD = EnvironmentName.PROD
WATCH = Watch(window=timedelta(seconds=30))


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    with azure_emulated(tmp_path / "azure") as running:
        yield running
        as_published(running.exchanges())


@pytest.fixture
def platform(emulator: AzureEmulator, tmp_path: Path) -> Platform:
    return AzureForContracts(emulator).platform(tmp_path / "fleet", FixedClock())


def registered(platform: Platform, *makers: str) -> list[ModelVersion]:
    return list(platform.workspace.models.register([trained("m", maker) for maker in makers]))


def said_of(emulator: AzureEmulator, below: str) -> object:
    """The provisioning state of the only resource whose id ends so, as it was read last."""
    answers = [one.response for one in emulator.exchanges() if one.path.endswith(below) and one.status < 300]
    last = answers[-1]
    assert isinstance(last, dict)
    return last["properties"]["provisioningState"]


def puts(emulator: AzureEmulator, below: str) -> int:
    """How often something of a kind was written."""
    return sum(one.method == "PUT" and below in one.path for one in emulator.exchanges())


@pytest.mark.parametrize(
    "fault",
    [
        Fault("done_but_failed", "PUT", "/models/"),
        Fault("refuse", "PUT", "/models/", status=503),
        Fault("refuse", "PUT", "/models/", status=429, retry_after=1),
        Fault("refuse", "PUT", "/models/", status=409, code="Conflict"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_a_model_is_registered_once_whatever_azure_answers(
    platform: Platform, emulator: AzureEmulator, fault: Fault
) -> None:
    emulator.faults.add(fault)
    with suppress(FleetcastError):
        registered(platform, "job-1")
    given = registered(platform, "job-1", "job-2")
    assert [version.version for version in given] == [1, 2]
    entries = [entry.event.action for entry in platform.control.audit.entries()]
    assert entries.count("model.registered") == 2


def test_a_number_that_somebody_else_took_is_passed_over(platform: Platform, emulator: AzureEmulator) -> None:
    others = AzureForContracts(emulator).platform(Path(str(emulator.state) + "-others"), FixedClock())
    registered(others, "their-job")
    (ours,) = registered(platform, "our-job")
    assert ours.version == 2


def test_another_content_under_a_version_in_the_workspace_is_never_taken_for_ours(
    platform: Platform, emulator: AzureEmulator
) -> None:
    others = AzureForContracts(emulator).platform(Path(str(emulator.state) + "-others"), FixedClock())
    others.workspace.assets.register(environment(content="numpy>=2"))
    with pytest.raises(VersionTaken) as refused:
        platform.workspace.assets.register(environment(content="numpy>=3"))
    assert str(digest("numpy>=2")) in str(refused.value)
    assert platform.workspace.assets.find(AssetKind.ENVIRONMENT, "training", "1.0.0") is None


def test_an_identity_without_the_right_is_told_which_role_it_needs(
    platform: Platform, emulator: AzureEmulator
) -> None:
    emulator.faults.add(Fault("refuse", "PUT", "/environments/", status=403, code="AuthorizationFailed"))
    with pytest.raises(BadInput, match=r"Azure refuses environment training:1\.0\.0") as refused:
        platform.workspace.assets.register(environment())
    assert "AzureML Data Scientist" in refused.value.fix


def test_a_token_that_ended_is_said_with_what_to_do(platform: Platform, emulator: AzureEmulator) -> None:
    emulator.faults.add(
        Fault("refuse", "GET", "/environments/", status=401, code="InvalidAuthenticationToken")
    )
    with pytest.raises(Unavailable, match="does not let this identity ask") as refused:
        platform.workspace.assets.register(environment())
    assert "sign" in refused.value.fix


def test_a_run_is_shown_though_azure_does_not_say_where_its_jobs_are(
    platform: Platform, emulator: AzureEmulator
) -> None:
    emulator.faults.add(Fault("refuse", "GET", "/jobs", status=401, code="InvalidAuthenticationToken"))
    found = LookAtJobs(platform.control, lambda: platform.workspace).pages("run-0001")
    assert found.pages == ()
    assert "does not let this identity ask" in found.unknown


@pytest.mark.parametrize("kind", ["done_but_failed", "fail_operation"])
def test_a_share_that_is_reported_failed_and_shows_late_is_one_version_and_one_entry(
    platform: Platform, emulator: AzureEmulator, kind: str
) -> None:
    (version,) = registered(platform, "job-1")
    clock = FixedClock()
    share = Share(platform.workspace.shared, CarryOut(platform.control.effects, clock))
    emulator.faults.add(Fault(kind, "POST", "/import$", reads=0))  # type: ignore[arg-type]  # one of them
    for _ in range(3):
        with suppress(FleetcastError):
            share.finish(lambda effects: effects)
            share.models([version])
    assert platform.workspace.shared.shared().models == {"m": {1}}
    entries = [entry.event.action for entry in platform.control.audit.entries()]
    assert entries.count("model.shared") == 1


@pytest.mark.parametrize("kind", ["late", "done_but_failed"])
def test_a_share_that_is_not_found_for_a_minute_is_one_version_and_one_entry(
    tmp_path: Path, kind: str
) -> None:
    clock = FixedClock()
    with azure_emulated(tmp_path / "azure", clock) as emulator:
        emulator.operations.length = timedelta(0)
        platform = AzureForContracts(emulator).platform(tmp_path / "fleet", clock)
        (version,) = registered(platform, "job-1")
        share = Share(platform.workspace.shared, CarryOut(platform.control.effects, clock))
        emulator.faults.add(Fault(kind, "POST", "/import$", seconds=60))  # type: ignore[arg-type]  # one of them
        if kind == "done_but_failed":
            with pytest.raises(Unavailable, match="Azure failed with model m:1"):
                share.models([version])
            share.finish(lambda effects: effects)
        share.models([version])
        share.finish(lambda effects: effects)
        assert timedelta(seconds=60) <= sum(clock.slept, timedelta(0)) <= timedelta(seconds=120)
        assert platform.workspace.shared.shared().models == {"m": {1}}
        entries = [entry.event.action for entry in platform.control.audit.entries()]
        assert entries.count("model.shared") == 1
        assert [one.status for one in emulator.exchanges() if one.path.endswith("/import")].count(202) == 1


def test_a_share_of_what_the_workspace_does_not_hold_is_refused_at_once(
    platform: Platform, emulator: AzureEmulator
) -> None:
    (version,) = registered(platform, "job-1")
    emulator.faults.add(Fault("refuse", "POST", "/import$", status=404, code="NotFound"))
    clock = FixedClock()
    with pytest.raises(BadInput, match="Azure does not take model m:1"):
        Share(platform.workspace.shared, CarryOut(platform.control.effects, clock)).models([version])
    assert clock.slept == []


def test_nothing_is_asked_when_nothing_is_new(platform: Platform, emulator: AzureEmulator) -> None:
    models = platform.workspace.models.register(
        [trained(f"m{number}", f"job-{number}") for number in range(12)]
    )
    platform.workspace.shared.share_models(models)
    before = len(emulator.exchanges())
    assert len(platform.workspace.shared.shared().models) == 12
    assert len(platform.workspace.models.entries()) == 12
    assert emulator.exchanges()[before:] == ()


@pytest.mark.parametrize(("models", "asked"), [(2, 2), (12, 1)])
def test_few_that_were_not_shared_are_asked_for_by_name_and_many_by_one_listing(
    platform: Platform, emulator: AzureEmulator, models: int, asked: int
) -> None:
    platform.workspace.models.register([trained(f"m{number}", f"job-{number}") for number in range(models)])
    before = len(emulator.exchanges())
    assert platform.workspace.shared.shared().models == {}
    paths = [one.path for one in emulator.exchanges()[before:] if "/registries/" in one.path]
    assert sum("/models" in path for path in paths) == asked


def test_a_step_of_a_rollout_that_is_repeated_changes_nothing_in_azure(
    platform: Platform, emulator: AzureEmulator
) -> None:
    endpoints, endpoint = platform.workspace.endpoints, Endpoint(PROD, "LYON")
    one, two = digest("one"), digest("two")
    steps: list[Callable[[], None]] = [
        lambda: endpoints.serve(endpoint, one),
        lambda: endpoints.start(endpoint, two, Watch()),
        lambda: endpoints.shift(endpoint, two, 25),
        lambda: endpoints.finish(endpoint, two),
    ]
    for step in steps:
        step()
        made = puts(emulator, "/onlineEndpoints/")
        step()
        assert puts(emulator, "/onlineEndpoints/") == made
    deployed = [one for one in emulator.exchanges() if one.method == "PUT" and "/deployments/" in one.path]
    assert [one.path.rpartition("/")[2] for one in deployed] == ["blue", "green"]


def test_a_green_that_went_back_is_ended_and_the_next_one_takes_its_place(
    platform: Platform, emulator: AzureEmulator
) -> None:
    endpoints, endpoint = platform.workspace.endpoints, Endpoint(PROD, "LYON")
    endpoints.serve(endpoint, digest("one"))
    endpoints.start(endpoint, digest("two"), Watch())
    endpoints.stop(endpoint)
    assert sum(one.method == "DELETE" for one in emulator.exchanges()) == 1
    endpoints.start(endpoint, digest("three"), Watch())
    endpoints.shift(endpoint, digest("three"), 10)
    assert endpoints.standing(PROD)["LYON"].share == 10


def test_a_program_that_only_the_container_has_is_not_looked_for_here(
    platform: Platform, emulator: AzureEmulator
) -> None:
    before = len(emulator.exchanges())
    platform.workspace.jobs.check(component("only-in-the-container --data ${{inputs.data}}"))
    with pytest.raises(BadInput, match="No closing quotation"):
        platform.workspace.jobs.check(component("sh -c 'exit 1"))
    assert len(emulator.exchanges()) == before


def test_an_endpoint_that_is_busy_is_waited_for(platform: Platform, emulator: AzureEmulator) -> None:
    endpoints, endpoint = platform.workspace.endpoints, Endpoint(PROD, "LYON")
    emulator.faults.add(Fault("refuse", "PUT", "/deployments/", times=3, status=409, code="Conflict"))
    endpoints.serve(endpoint, digest("one"))
    assert endpoints.standing(PROD)["LYON"].blue == digest("one")


def test_a_database_address_with_a_password_is_in_no_deployment(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, emulator: AzureEmulator, tmp_path: Path
) -> None:
    monkeypatch.setenv(DATABASE_URL_VARIABLE, "postgresql://fleet:hush@server/fleet")
    told = AzureForContracts(emulator).platform(tmp_path / "told", FixedClock())
    with pytest.raises(BadInput, match="holds a password"):
        told.workspace.endpoints.serve(Endpoint(PROD, "LYON"), digest("one"))
    assert "hush" not in str(emulator.exchanges())


def test_what_an_import_was_refused_for_as_in_conflict_is_not_taken_for_shared(tmp_path: Path) -> None:
    clock = FixedClock()
    with azure_emulated(tmp_path / "azure", clock) as emulator:
        emulator.operations.length = timedelta(0)
        platform = AzureForContracts(emulator).platform(tmp_path / "fleet", clock)
        (version,) = registered(platform, "job-1")
        share = Share(platform.workspace.shared, CarryOut(platform.control.effects, clock))
        emulator.faults.add(Fault("refuse", "POST", "/import$", status=409, code="Conflict"))
        with pytest.raises(Unavailable, match="is not visible"):
            share.models([version])
        assert platform.workspace.shared.shared().models == {}
        share.models([version])
        assert platform.workspace.shared.shared().models == {"m": {1}}


@pytest.mark.parametrize("path", ["/onlineEndpoints/[^/]+$", "/deployments/blue$"])
def test_what_azure_could_not_make_is_made_anew(
    platform: Platform, emulator: AzureEmulator, path: str
) -> None:
    endpoint, endpoints = Endpoint(PROD, "P"), platform.workspace.endpoints
    emulator.faults.add(Fault("fail_operation", "PUT", path))
    with pytest.raises(Unavailable, match="Azure failed with"):
        endpoints.serve(endpoint, digest("one"))
    assert endpoints.standing(PROD) == {}
    endpoints.serve(endpoint, digest("one"))
    assert endpoints.standing(PROD)["P"].blue == digest("one")
    assert said_of(emulator, "/deployments/blue") == "Succeeded"


def test_a_deployment_that_somebody_began_who_is_gone_is_waited_for(tmp_path: Path) -> None:
    clock, endpoint = FixedClock(), Endpoint(EnvironmentName.DEV, "P")
    with azure_emulated(tmp_path / "azure", clock) as emulator, credential(emulator) as shown:
        emulator.operations.length = timedelta(0)
        platform = AzureForContracts(emulator).platform(tmp_path / "fleet", clock)
        endpoints = platform.workspace.endpoints
        endpoints.serve(endpoint, digest("one"))
        client = workspace_client(emulator, shown)
        other = client.online_deployments.get("blue", endpoint_name(endpoint))
        other.name, other.tags = "green", {RELEASE_TAG: digest("two").hex}
        emulator.operations.length = timedelta(minutes=3)
        client.online_deployments.begin_create_or_update(other)
        emulator.operations.length = timedelta(0)
        endpoints.start(endpoint, digest("two"), WATCH)
        assert sum(clock.slept, timedelta(0)) >= timedelta(minutes=3)
        assert puts(emulator, "/deployments/green") == 1
        assert said_of(emulator, "/deployments/green") == "Succeeded"


def test_what_the_sdk_says_of_itself_is_not_shown(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.workspace.endpoints.serve(Endpoint(PROD, "P"), digest("one"))
    loggers = [name for name in logging.root.manager.loggerDict if name.startswith("azure.")]
    assert [name for name in loggers if logging.getLogger(name).isEnabledFor(logging.ERROR)] == []
    said = capsys.readouterr()
    assert said.out == ""
    assert all(set(line) <= {"."} for line in said.err.splitlines() if "\x1b" not in line)


def test_the_classes_of_the_sdk_are_ready_before_threads_use_them() -> None:
    """In a process of its own, whose SDK has read nothing yet."""
    program = """
from fleetcast.platforms.azureml.operations import side_by_side
list(side_by_side(str, [1, 2]))
from azure.ai.ml._restclient.arm_ml_service import models
made = [one for one in vars(models).values() if hasattr(one, "_calculated")]
print(len(made), [one for one in made if f"{one.__module__}.{one.__qualname__}" not in one._calculated])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    count, _, left = done.stdout.partition(" ")
    assert int(count) > 100
    assert left.strip() == "[]"


@pytest.mark.parametrize(
    ("declared", "taken"),
    [("training-pipeline", "training_pipeline"), ("Train.2", "train_2"), ("2-fast", "c_2_fast")],
)
def test_a_component_has_a_name_that_azure_takes(declared: str, taken: str) -> None:
    assert component_name(declared) == taken


def test_endpoints_of_long_and_alike_plants_have_names_of_their_own() -> None:
    plants = ["P" * 64, "P" * 63 + "Q", "a_b", "a-b", "A-B"]
    names = {endpoint_name(Endpoint(PROD, plant)) for plant in plants}
    assert len(names) == len(plants)
    assert all(3 <= len(name) <= 32 and name[0].isalpha() and name.islower() for name in names)


def test_what_deployments_get_of_the_traffic() -> None:
    endpoint, one, two = Endpoint(PROD, "P"), digest("one"), digest("two")
    slots = {one.hex: "blue", two.hex: "green"}
    alone = Traffic(endpoint, blue=one)
    assert shares(Traffic(endpoint), slots) == ({}, {})
    assert shares(alone, slots) == ({"blue": 100}, {})
    copies = Traffic(endpoint, blue=one, green=two)
    assert shares(copies, slots) == ({"blue": 100}, {"green": 50})
    assert shares(Traffic(endpoint, blue=one, green=two, share=25), slots) == ({"blue": 75, "green": 25}, {})
    assert shares(Traffic(endpoint, blue=one, green=two, share=100), slots) == ({"green": 100}, {})
    assert shares(Traffic(endpoint, green=two), slots) == ({"green": 100}, {})
