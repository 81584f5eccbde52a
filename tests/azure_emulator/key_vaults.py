"""Key Vaults: their secrets are read, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.azure_emulator.messages import Answer, Refused, Request, Route, answered
from tests.azure_emulator.setup import Setup


class KeyVaults:
    """The vaults of the set-up."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", r"[a-z0-9-]+\.vault\.azure\.net", r"/secrets/(?P<name>[A-Za-z0-9-]+)", self._get),
        )

    def _get(self, request: Request, found: Mapping[str, str]) -> Answer:
        vault, name = request.host.partition(".")[0], found["name"]
        held = self._setup.secrets.get(vault)
        if held is None or name not in held:
            raise Refused(404, "SecretNotFound", f"The secret {name} was not found in this key vault.")
        address = f"https://{request.host}/secrets/{name}/1"
        return answered({"value": held[name], "id": address, "attributes": {"enabled": True}})
