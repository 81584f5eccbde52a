"""The deployments of one endpoint: made, given their part of the traffic, and ended, as a plant's traffic says."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetcast import __version__
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.domain.release import Endpoint
from fleetcast.domain.settings import DATABASE_URL_VARIABLE
from fleetcast.domain.traffic import Traffic
from fleetcast.domain.wanted_azure import has_password
from fleetcast.platforms.azureml.client import AzureClients, NotThere, asked
from fleetcast.platforms.azureml.operations import (
    failed,
    held,
    made_once,
    seen_through,
    settled,
    unless_busy,
)
from fleetcast.ports.clock import Clock

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import (
        Environment,
        ManagedOnlineDeployment,
        OnlineDeployment,
        OnlineEndpoint,
    )

RELEASE_TAG, PLANT_TAG = "fleetcast_release", "plant_id"
SLOTS = ("blue", "green")
"""Names of deployments; which of them serves is the traffic's business, so the next release takes the other one."""
MOST_COPIES = 50
"""Per cent that Azure copies at most."""
_SCORING_SCRIPT = "from fleetcast.serving.managed import init, run  # noqa: F401\n"
_NAME = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Served:
    """What containers that serve are given besides the release."""

    fleet: Path
    """The fleet repository: its files say what circuits are."""
    variables: Mapping[str, str]
    """Environment variables: where the database and the storage are, without a secret."""


@dataclass(frozen=True, slots=True)
class MoveEndpoint:
    """Makes one endpoint as it should be; where it is, it only looks."""

    clients: AzureClients
    served: Served
    clock: Clock
    before: Traffic
    after: Traffic

    def __call__(self) -> None:
        """Bring Azure from wherever it is to what `after` says; `before` tells which green ended.

        Raises:
            FleetcastError: Azure refuses or fails; repeating it goes on from there.
        """
        client, name = self._client, endpoint_name(self.after.endpoint)
        endpoint = self._endpoint(client, name)
        slots = self._slots(client, name, endpoint)
        for release in (self.after.blue, self.after.green):
            if release is not None and release.hex not in slots.values():
                slot = self._free_slot(slots)
                if slot in slots:
                    self._without(client, endpoint, slot)
                    self._remove(client, name, slot)
                self._deploy(client, name, slot, release)
                slots[slot] = release.hex
        self._share_out(client, endpoint, {release: slot for slot, release in slots.items()})
        ended = self.before.green
        if ended is not None and ended not in (self.after.blue, self.after.green):
            for slot in [slot for slot, release in slots.items() if release == ended.hex]:
                self._remove(client, name, slot)

    @property
    def _client(self) -> MLClient:
        return self.clients.workspace(self.after.endpoint.environment)

    def _endpoint(self, client: MLClient, name: str) -> OnlineEndpoint:
        from azure.ai.ml.entities import ManagedOnlineEndpoint

        described = ManagedOnlineEndpoint(
            name=name,
            auth_mode="key",
            description=f"Forecasts of plant {self.after.endpoint.plant}.",
            tags={PLANT_TAG: self.after.endpoint.plant},
        )
        what = f"endpoint {name}"

        def read() -> OnlineEndpoint:
            found: OnlineEndpoint = client.online_endpoints.get(name)
            return found

        made: OnlineEndpoint = made_once(
            what,
            read,
            lambda: seen_through(lambda: client.online_endpoints.begin_create_or_update(described)),
        )
        return settled(what, made, read, self.clock)

    def _slots(self, client: MLClient, name: str, endpoint: OnlineEndpoint) -> dict[str, str]:
        """The release of each deployment that there is; one that Azure could not make is removed."""
        with asked(f"deployments of {name}"):
            there = {str(one.name): one for one in client.online_deployments.list(name)}
        slots = {}
        for slot, seen in there.items():
            try:
                one = self._settled(client, name, slot, seen)
            except NotThere:
                continue
            if failed(one):
                self._without(client, endpoint, slot)
                self._remove(client, name, slot)
            else:
                slots[slot] = str((one.tags or {}).get(RELEASE_TAG, ""))
        return slots

    def _settled(self, client: MLClient, name: str, slot: str, seen: OnlineDeployment) -> OnlineDeployment:
        """A deployment once nothing goes on with it; raises `NotThere` if it is gone then."""
        return settled(
            f"deployment {name}/{slot}",
            seen,
            lambda: client.online_deployments.get(slot, name),
            self.clock,
        )

    def _free_slot(self, slots: Mapping[str, str]) -> str:
        """A name that is free, or that a release has which is needed no more."""
        needed = {one.hex for one in (self.after.blue, self.after.green) if one is not None}
        free = [slot for slot in SLOTS if slot not in slots]
        return (free + [slot for slot in reversed(SLOTS) if slots.get(slot) not in needed])[0]

    def _deploy(self, client: MLClient, name: str, slot: str, release: Digest) -> None:
        from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment

        self._check_no_secret()
        environment = self._serving_environment(client)
        with self._code() as code:
            described = ManagedOnlineDeployment(
                name=slot,
                endpoint_name=name,
                environment=f"azureml:{environment.name}:{environment.version}",
                code_configuration=CodeConfiguration(code=str(code), scoring_script="score.py"),
                instance_type=self.clients.settings.instance_type,
                instance_count=1,
                tags={RELEASE_TAG: release.hex, PLANT_TAG: self.after.endpoint.plant},
                environment_variables={
                    **self.served.variables,
                    "FLEETCAST_RELEASE": release.hex,
                    "FLEETCAST_ENVIRONMENT": self.after.endpoint.environment.value,
                },
            )

            self._make(client, described, release)

    def _make(self, client: MLClient, described: ManagedOnlineDeployment, release: Digest) -> None:
        """Make a deployment and wait until it answers.

        Raises:
            FleetcastError: Azure does not make it, or its container does not start; then the text ends with what
                that said last.
        """
        name, slot = str(described.endpoint_name), str(described.name)
        what, deployments = f"deployment {name}/{slot}", client.online_deployments

        def make() -> None:
            with asked(what):
                seen_through(lambda: deployments.begin_create_or_update(described))

        try:
            unless_busy(self.clock, make)
        except FleetcastError as error:
            found = held(what, lambda: deployments.get(slot, name))
            if found is None:
                raise
            found = self._settled(client, name, slot, found)
            if not failed(found) and (found.tags or {}).get(RELEASE_TAG) == release.hex:
                return
            lines = (held(what, lambda: deployments.get_logs(slot, name, 50)) or "").strip().splitlines()
            if not lines:
                raise
            raise type(error)(
                f"{error}; its container said last: {lines[-1][:300]}",
                fix=f"see all that it said: `az ml online-deployment get-logs --endpoint-name {name} --name {slot}`",
            ) from error

    def _check_no_secret(self) -> None:
        """Whoever may look at a deployment sees its variables."""
        if has_password(self.served.variables.get(DATABASE_URL_VARIABLE, "")):
            raise BadInput(
                f"{DATABASE_URL_VARIABLE} holds a password, and a deployment shows its variables",
                fix="let the containers' identity sign in: `?auth=entra` in place of a password",
            )

    def _share_out(self, client: MLClient, endpoint: OnlineEndpoint, slot_of: Mapping[str, str]) -> None:
        """Give each deployment its part of the requests, and green its copies."""
        self._put(client, endpoint, *shares(self.after, slot_of))

    def _without(self, client: MLClient, endpoint: OnlineEndpoint, slot: str) -> None:
        """Give a deployment that is to end no more requests, and no copies."""
        if slot not in {*_parts(endpoint.traffic), *_parts(endpoint.mirror_traffic)}:
            return
        traffic = {name: part for name, part in _parts(endpoint.traffic).items() if name != slot}
        others = next(iter(traffic), None)
        copies = {name: part for name, part in _parts(endpoint.mirror_traffic).items() if name != slot}
        self._put(client, endpoint, {} if others is None else {others: 100}, copies)

    def _put(
        self, client: MLClient, endpoint: OnlineEndpoint, traffic: dict[str, int], copies: dict[str, int]
    ) -> None:
        if (_parts(endpoint.traffic), _parts(endpoint.mirror_traffic)) == (traffic, copies):
            return
        endpoint.traffic, endpoint.mirror_traffic = traffic, copies
        what = f"traffic of endpoint {endpoint.name}"

        def put() -> None:
            with asked(what):
                seen_through(lambda: client.online_endpoints.begin_create_or_update(endpoint))

        unless_busy(self.clock, put)

    def _remove(self, client: MLClient, name: str, slot: str) -> None:
        what = f"deployment {name}/{slot}"

        def delete() -> None:
            held(
                what,
                lambda: seen_through(
                    lambda: client.online_deployments.begin_delete(name=slot, endpoint_name=name)
                ),
            )

        unless_busy(self.clock, delete)

    def _serving_environment(self, client: MLClient) -> Environment:
        """The environment of all containers that serve: fleetcast itself, of this version."""
        from azure.ai.ml.entities import Environment

        name, version = "fleetcast-serving", __version__
        described = Environment(
            name=name,
            version=version,
            image=self.clients.settings.image,
            conda_file={
                "name": name,
                "channels": ["conda-forge"],
                "dependencies": [
                    "python=3.11",
                    "pip",
                    {
                        "pip": [
                            f"fleetcast[azure,postgres,serving]=={version}",
                            "azureml-inference-server-http",
                        ]
                    },
                ],
            },
            description="Serves releases of fleetcast.",
        )
        made: Environment = made_once(
            f"environment {name}:{version}",
            lambda: client.environments.get(name, version),
            lambda: client.environments.create_or_update(described),
        )
        return made

    @contextmanager
    def _code(self) -> Iterator[Path]:
        """What containers run, and the files of the fleet, in one folder."""
        with tempfile.TemporaryDirectory(prefix="fleetcast-scoring-") as folder:
            (Path(folder) / "score.py").write_text(_SCORING_SCRIPT)
            for path in sorted(self.served.fleet.rglob("*.y*ml")):
                below = path.relative_to(self.served.fleet)
                if not any(part.startswith(".") for part in below.parts):
                    (Path(folder) / below).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, Path(folder) / below)
            yield Path(folder)


def _parts(said: Mapping[str, int] | None) -> dict[str, int]:
    """Who gets anything; Azure names some of the others too."""
    return {name: part for name, part in (said or {}).items() if part}


def endpoint_name(endpoint: Endpoint) -> str:
    """The name of a plant's endpoint: Azure takes 3 to 32 small letters, digits and -, unique in its region."""
    digest = Digest.of(str(endpoint).encode()).hex[:8]
    plain = _NAME.sub("-", endpoint.plant.lower()).strip("-")
    return f"fc-{endpoint.environment.value}-{plain}"[:23].rstrip("-") + f"-{digest}"


def shares(traffic: Traffic, slot_of: Mapping[str, str]) -> tuple[dict[str, int], dict[str, int]]:
    """What an endpoint's deployments get, in per cent: of the requests, and of copies, whose answers reach nobody.

    Args:
        traffic: What is to be.
        slot_of: By release, its deployment.
    """
    blue = None if traffic.blue is None else slot_of[traffic.blue.hex]
    green = None if traffic.green is None else slot_of[traffic.green.hex]
    if green is None or blue is None:
        only = blue or green
        return ({} if only is None else {only: 100}), {}
    if traffic.share == 0:
        return {blue: 100}, {green: MOST_COPIES}
    parts = {blue: 100 - traffic.share, green: traffic.share}
    return {slot: part for slot, part in parts.items() if part}, {}
