"""Azure Machine Learning's own SDK, opened once: a client for each workspace, and one for the shared registry."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.secrets import first_line

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import TokenCredential

    from fleetcast.domain.settings import AzureSettings
    from fleetcast.platforms.azureml.transport import OnceTransport

_ROLE = "give this identity the role AzureML Data Scientist on the workspace, and on the registry AzureML Registry User"
_SDK = "azure"
"""Its loggers."""
_QUOTA = ("OutOfQuota", "QuotaExceeded", "OutOfCapacity")
"""What Azure says when there are no more machines: asking again changes nothing."""


class NotThere(FleetcastError):
    """Azure knows no such thing."""


class Taken(FleetcastError):
    """Azure holds another thing under that name and version, or is busy with it."""


class AzureClients:
    """The SDK's clients of one fleet, each opened when it is first asked for; any thread may ask."""

    def __init__(
        self, settings: AzureSettings, registry: str, credential: TokenCredential | None = None
    ) -> None:
        """Choose where to ask.

        Args:
            settings: The workspaces.
            registry: Name of the shared registry.
            credential: Who asks; None: whoever this process is, as the SDK finds out.
        """
        self.settings = settings
        self.registry_name = registry
        self._credential = credential
        self._transport: OnceTransport | None = None
        self._clients: dict[str, MLClient] = {}
        self._ids: dict[str, tuple[str, str]] = {}
        self._lock = threading.RLock()

    def workspace(self, environment: EnvironmentName = EnvironmentName.DEV) -> MLClient:
        """The client of one environment's workspace."""
        name = self.settings.workspace(environment)
        return self._client(f"workspace {name}", workspace_name=name)

    def registry(self) -> MLClient:
        """The client of the shared registry."""
        return self._client(f"registry {self.registry_name}", registry_name=self.registry_name)

    def asset_id(self, kind: str, name: str, version: str) -> str:
        """How the registry names an asset of dev's workspace that is to be copied from there.

        Args:
            kind: `models` or `environments`.
            name: Of the asset.
            version: Its version.
        """
        location, guid = self._place_of(self.settings.workspace(EnvironmentName.DEV))
        return f"azureml://locations/{location}/workspaces/{guid}/{kind}/{name}/versions/{version}"

    def _place_of(self, workspace: str) -> tuple[str, str]:
        """Where a workspace is, and its own id; asked once."""
        with self._lock:
            if workspace not in self._ids:
                with asked(f"workspace {workspace}"):
                    found = self.workspace().workspaces.get(workspace)
                    self._ids[workspace] = str(found.location), str(found._workspace_id)  # noqa: SLF001  # it has no other name
            return self._ids[workspace]

    def _client(self, key: str, **where: str) -> MLClient:
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._open(key, where)
            return self._clients[key]

    def credential(self) -> TokenCredential:
        """Who asks.

        Raises:
            BadInput: A library is not installed.
        """
        with self._lock:
            if self._credential is None:
                try:
                    from azure.identity import DefaultAzureCredential
                except ModuleNotFoundError as error:
                    raise _not_installed() from error
                self._credential = DefaultAzureCredential(exclude_interactive_browser_credential=True)
            return self._credential

    def _open(self, key: str, where: dict[str, str]) -> MLClient:
        # What goes wrong is said by our own errors; what went well needs no line of each request.
        logging.getLogger(_SDK).setLevel(logging.CRITICAL)
        try:
            from azure.ai.ml import MLClient

            from fleetcast.platforms.azureml.transport import OnceTransport
        except ModuleNotFoundError as error:
            raise _not_installed() from error
        credential = self.credential()
        if self._transport is None:
            self._transport = OnceTransport()
        options: dict[str, Any] = {
            "show_progress": False,
            "enable_telemetry": False,
            "transport": self._transport,
            **where,
        }
        with asked(key):
            client = MLClient(
                credential, self.settings.subscription_id, self.settings.resource_group, **options
            )
        _quieten()
        return client


def _quieten() -> None:
    """Some of the SDK's modules give their loggers a level and a stream of their own as they are loaded."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(f"{_SDK}."):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _not_installed() -> BadInput:
    return BadInput(
        "the platform azureml needs a library that is not installed",
        fix="pip install 'fleetcast[azure]'",
    )


@contextmanager
def asked(what: str) -> Iterator[None]:
    """Say what Azure's errors mean; nothing that could be a secret is repeated.

    Args:
        what: Was asked for, for the text of an error.

    Raises:
        NotThere: There is no such thing.
        Taken: There is another one, or somebody changes it at the moment.
        BadInput: Azure refuses: a right is missing, there is no quota left, or it cannot be as it was described.
        Unavailable: Azure does not answer, or not as it should.
    """
    from azure.ai.ml.exceptions import MlException
    from azure.core.exceptions import (
        AzureError,
        ClientAuthenticationError,
        HttpResponseError,
        ResourceNotFoundError,
    )

    try:
        yield
    except ResourceNotFoundError as error:
        raise NotThere(
            f"Azure knows no {what}", fix="`fleetcast setup azure` makes what a fleet needs"
        ) from error
    except ClientAuthenticationError as error:
        raise Unavailable(
            f"Azure does not let this identity ask for {what}: {_first_line(error)}",
            fix="run `az login`, or let the pipeline sign in anew: tokens of a pipeline end after some minutes",
        ) from error
    except HttpResponseError as error:
        raise _refused(what, error) from error
    except MlException as error:
        raise BadInput(
            f"{what} cannot be as it is: {_first_line(error)}", fix="see the text above"
        ) from error
    except AzureError as error:
        raise Unavailable(
            f"Azure does not answer about {what}: {_first_line(error)}",
            fix="see whether this machine reaches it (proxy, private endpoint), then repeat the command",
        ) from error


def _refused(what: str, error: Any) -> FleetcastError:
    code = str(getattr(error.error, "code", "") or "")
    if any(word in code or word in str(error.message or "") for word in _QUOTA):
        return BadInput(
            f"Azure has no machines left for {what}: {_first_line(error)}",
            fix="ask for quota, or choose other machines below azure: in fleetcast.yaml",
        )
    if error.status_code == 409:
        return Taken(
            f"Azure holds another {what}, or is busy with it: {_first_line(error)}", fix="repeat the command"
        )
    if error.status_code == 403:
        return BadInput(f"Azure refuses {what}: {_first_line(error)}", fix=_ROLE)
    if error.status_code is not None and 400 <= error.status_code < 500 and error.status_code != 429:
        return BadInput(
            f"Azure does not take {what} as it is: {_first_line(error)}", fix="see the text above"
        )
    return Unavailable(f"Azure failed with {what}: {_first_line(error)}", fix="repeat the command in a while")


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return first_line(lines[0])[:300] if lines else type(error).__name__
