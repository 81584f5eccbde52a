"""Looking whether everything around a fleet stands as it should."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fleetcast.domain import diagnosis, diagnosis_github
from fleetcast.domain.diagnosis import Diagnosis, Finding, Verdict
from fleetcast.domain.diagnosis_github import GuardsSeen
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.gate import effective
from fleetcast.domain.installation import InstallationPlan
from fleetcast.domain.people import Denied
from fleetcast.domain.place import Gate
from fleetcast.domain.role import Right
from fleetcast.domain.settings import Settings
from fleetcast.domain.settings.github import GitHubSettings
from fleetcast.ports.diagnosis import Cloud, Ways
from fleetcast.ports.platform import Control

_DATABASE = "the control database answers"
_TOKEN = "the identity gets a token"  # noqa: S105  # the name of a finding
_LIBRARY = "the library of Azure ML is installed"


@dataclass(frozen=True, slots=True)
class DiagnoseInstallation:
    """Looks at everything, whatever does not hold; what cannot be looked at is said with the reason.

    Nothing is changed but for one small file, which is removed again.
    """

    settings: Callable[[], Settings]
    ways: Callable[[Settings], Ways]

    def __call__(self) -> Diagnosis:
        """Look at everything.

        Raises:
            Denied: Whoever asks may see nothing of the fleet.
        """
        try:
            settings = self.settings()
        except FleetcastError as error:
            return Diagnosis((_failed("the settings are complete", error),))
        complete = Finding("the settings are complete", Verdict.HOLDS, "fleetcast.yaml can be used")
        return Diagnosis((complete, *_look(settings, self.ways(settings))), settings.contacts)


def _look(settings: Settings, ways: Ways) -> Iterator[Finding]:
    control, database = _database(ways)
    yield database
    if ways.cloud is not None and control is not None:
        yield diagnosis.database_suits(on_server=ways.on_server, address=database.seen)
    yield _asked("the files of the fleet can be written, read and removed", ways.files)
    if ways.cloud is not None:
        yield from _cloud(settings, ways, ways.cloud, is_listed=control is not None)
    plan: InstallationPlan | None = None
    if ways.devops is not None:
        try:
            plan = ways.devops()
        except FleetcastError as error:
            yield _failed("Azure DevOps can be read", error)
    if control is not None:
        yield from _people(settings, control)
    if plan is not None:
        yield diagnosis.two_people_in_devops(plan)
        yield diagnosis.policies_stand(plan)
    if settings.github is not None and ways.github is not None:
        yield from _github(settings, settings.github, ways.github, control)


def _github(
    settings: Settings, github: GitHubSettings, look: Callable[[], GuardsSeen], control: Control | None
) -> Iterator[Finding]:
    in_force = settings.gates if control is None else control.policies.in_force()
    policy = effective(in_force, settings.gates)[Gate.PROD_DEPLOYMENT]
    try:
        seen = look()
    except FleetcastError as error:
        yield _failed(diagnosis_github.READABLE, error)
    else:
        yield diagnosis_github.somebody_opens_production(seen)
        yield diagnosis_github.rules_stand(seen)
        yield diagnosis_github.token_is_bound(seen)
    yield diagnosis_github.two_people_in_github(github, policy)


def _database(ways: Ways) -> tuple[Control | None, Finding]:
    try:
        control = ways.control()
        control.require_somewhere(Right.VIEW)
        return control, Finding(_DATABASE, Verdict.HOLDS, ways.database())
    except Denied:
        raise
    except FleetcastError as error:
        return None, _failed(_DATABASE, error)


def _people(settings: Settings, control: Control) -> Iterator[Finding]:
    in_force, directory = control.policies.in_force(), control.people.directory()
    yield diagnosis.two_people_for_production(in_force, settings.gates)
    yield diagnosis.programs_cannot_approve(directory, in_force, settings)
    yield diagnosis.somebody_rolls_back_alone(directory)


def _cloud(settings: Settings, ways: Ways, cloud: Cloud, *, is_listed: bool) -> Iterator[Finding]:
    """What is there in the cloud, as far as the steps before let it be asked."""
    for name, ask in ((_LIBRARY, cloud.library), (_TOKEN, cloud.identity)):
        found = _asked(name, ask)
        yield found
        if found.verdict is not Verdict.HOLDS:
            yield Finding.unknown("what the fleet needs in Azure is there", f"{name}: it does not")
            return
    yield from _things(ways, cloud)
    yield from _room(settings, ways, cloud)
    if is_listed:
        yield _index(ways, cloud)


def _things(ways: Ways, cloud: Cloud) -> Iterator[Finding]:
    try:
        wanted = ways.wanted()
    except FleetcastError as error:
        yield _failed("the settings say what is needed in Azure", error)
        return
    for item in wanted:
        try:
            yield diagnosis.as_wanted(item, cloud.read(item))
        except FleetcastError as error:
            yield _failed(f"{item.ref} is there", error)


def _room(settings: Settings, ways: Ways, cloud: Cloud) -> Sequence[Finding]:
    try:
        return diagnosis.cores_suffice(cloud.rooms(settings.azure.instance_type), ways.plants())
    except FleetcastError as error:
        return (Finding.unknown("quota is enough for blue and green", str(error), error.fix),)


def _index(ways: Ways, cloud: Cloud) -> Finding:
    try:
        listed = ways.listed()
        return diagnosis.index_matches(listed, cloud.versions(listed))
    except FleetcastError as error:
        return Finding.unknown("the workspace holds what the control database lists", str(error), error.fix)


def _asked(name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(name, Verdict.HOLDS, ask())
    except FleetcastError as error:
        return _failed(name, error)


def _failed(name: str, error: FleetcastError) -> Finding:
    return Finding(name, Verdict.FAILS, str(error), error.fix)
