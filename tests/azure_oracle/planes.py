"""What Azure Machine Learning's client asks of whom, and for what of it no description is published."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.azure_emulator.exchange import Exchange

RESOURCE_MANAGER = "management.azure.com"
PROVIDER = "/providers/microsoft.machinelearningservices/"
_REGIONAL = re.compile(r"(.+\.)?api\.azureml\.ms|cert-[a-z0-9]+\.experiments\.azureml\.net")
_REGISTRY_ROOT = "/mferp/managementfrontend/"


@dataclass(frozen=True, slots=True)
class Plane:
    """Requests that are no operation of the control plane, by host and path."""

    name: str
    host: str
    path: str
    methods: str = "GET"

    def holds(self, exchange: Exchange) -> bool:
        return (
            re.fullmatch(self.host, exchange.host) is not None
            and re.fullmatch(self.path, exchange.path, re.IGNORECASE) is not None
            and exchange.method in self.methods.split()
        )


_ML = r"(.+\.)?api\.azureml\.ms|cert-[a-z0-9]+\.experiments\.azureml\.net"
PLANES = (
    Plane("tokens", r"login\.microsoftonline\.com", r"/.+", "GET POST"),
    Plane("blobs", r"[a-z0-9]+\.blob\.core\.windows\.net", r"/.*", "DELETE GET HEAD POST PUT"),
    # What has its address from a variable: a managed identity, and blobs over an endpoint of their own.
    Plane("this machine", r"127\.0\.0\.1|localhost", r"/.*", "DELETE GET HEAD POST PUT"),
    Plane("scoring", r"[a-z0-9-]+\.[a-z0-9]+\.inference\.ml\.azure\.com", r"/score", "POST"),
    # What begins a job of a batch endpoint: the SDK posts to the address that the endpoint says.
    Plane("batch scoring", r"[a-z0-9-]+\.[a-z0-9]+\.inference\.ml\.azure\.com", r"/jobs", "POST"),
    Plane("secrets", r"[a-z0-9-]+\.vault\.azure\.net", r"/secrets/[A-Za-z0-9-]+"),
    Plane("registry discovery", _ML, r"/registrymanagement/v1\.0/registries/[^/]+/discovery"),
    Plane("service discovery", _ML, r"/discovery(/.*)?"),
    Plane("run history", _ML, r"/history/v1\.0/.+", "GET POST"),
    Plane("data versions", _ML, r"/data/v1\.0/.+", "POST"),
    Plane("the MLTable schema", r"azuremlschemas\.azureedge\.net", r"/.+"),
)
"""The descriptions of these are either of another kind or not at hand; nothing is said of their bodies."""


@dataclass(frozen=True, slots=True)
class Undescribed:
    """An operation of the control plane that Microsoft publishes nowhere."""

    method: str
    path: str
    """After the provider's name; `{}` is one part."""
    why: str

    @property
    def name(self) -> str:
        return f"{self.method} …/{self.path}"

    def holds(self, method: str, path: str) -> bool:
        pattern = r"[^/]+".join(re.escape(part) for part in self.path.split("{}"))
        tail = path.casefold().partition(PROVIDER)[2]
        return method == self.method and re.fullmatch(pattern, tail, re.IGNORECASE) is not None


_ONLY_THE_CLIENT = "no published version has it: the SDK itself is the only oracle"
UNDESCRIBED = (
    Undescribed("POST", "registries/{}/import", _ONLY_THE_CLIENT),
    Undescribed("PUT", "registries/{}/tempdatarefs/{}/versions/{}", _ONLY_THE_CLIENT),
    Undescribed("GET", "workspaces/{}/batchEndpoints/{}/deployments/{}/jobs", _ONLY_THE_CLIENT),
    *(
        Undescribed("GET", f"{under}{kind}/{{}}", _ONLY_THE_CLIENT)
        for under in ("locations/{}/", "workspaces/{}/", "registries/{}/")
        for kind in ("mfeOperationsStatus", "mfeOperationResults")
    ),
)

NEIGHBOURS = {
    "2024-10-01-preview": (
        "2024-04-01-preview",
        "the newest published before it; only its resource bodies are at hand, as the ARM schema",
    ),
    "2025-01-01-preview": (
        "2024-04-01-preview",
        "the newest published before it; only its resource bodies are at hand, as the ARM schema",
    ),
    "2021-10-01-dataplanepreview": (
        "2023-08-01-preview",
        "never published; the first published version that has the same paths below registries",
    ),
}
"""Which published version stands for one that is not, and why."""


def control_path(exchange: Exchange) -> str | None:
    """The path as the control plane's descriptions begin it; None: the exchange is with something else."""
    path = exchange.path
    if PROVIDER not in f"{path}/".casefold():
        return None
    if exchange.host == RESOURCE_MANAGER:
        return path
    if _REGIONAL.fullmatch(exchange.host) and path.casefold().startswith(_REGISTRY_ROOT):
        return path[len(_REGISTRY_ROOT) - 1 :]
    return None
