"""What Azure does badly: whatever it answers, a thing is made once, and another's is never taken for ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fleetcast.domain.assets import AssetKind, VersionTaken
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.traffic import Traffic
from fleetcast.pipeline.effects import CarryOut
from fleetcast.pipeline.sharing import Share
from fleetcast.platforms.azureml.endpoints import endpoint_name, shares
from fleetcast.platforms.azureml.graphs import component_name
from fleetcast.ports.platform import Platform
from fleetcast.workflows.look import LookAtJobs
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault
from tests.clocks import FixedClock
from tests.contracts.azure import AzureForContracts, azure_emulated
from tests.contracts.samples import digest, environment, trained

PROD = EnvironmentName.PROD


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    with azure_emulated(tmp_path / "azure") as running:
        yield running
        assert [str(one) for one in running.exchanges() if not one.known] == []


@pytest.fixture
def platform(emulator: AzureEmulator, tmp_path: Path) -> Platform:
    return AzureForContracts(emulator).platform(tmp_path / "fleet", FixedClock())


def registered(platform: Platform, *makers: str) -> list[ModelVersion]:
    return list(platform.workspace.models.register([trained("m", maker) for maker in makers]))


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


def test_nothing_is_asked_for_each_model_when_nothing_is_new(
    platform: Platform, emulator: AzureEmulator
) -> None:
    models = platform.workspace.models.register(
        [trained(f"m{number}", f"job-{number}") for number in range(12)]
    )
    platform.workspace.shared.share_models(models)
    before = len(emulator.exchanges())
    assert len(platform.workspace.shared.shared().models) == 12
    assert len(platform.workspace.models.entries()) == 12
    assert len(emulator.exchanges()) - before <= 3


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
