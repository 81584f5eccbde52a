"""Which api-version Azure Machine Learning's SDK asks each kind of path with: a new SDK that moves one says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.exchanges import API_VERSION
from tests.azure_oracle.planes import PROVIDER, control_path

SDK = "azure-ai-ml 1.35.2"
_ASSETS = "2023-04-01-preview"
_REGISTRY = "2021-10-01-dataplanepreview"

PINNED: Mapping[str, frozenset[str]] = {
    shape: frozenset(versions.split())
    for shape, versions in {
        # Getting a workspace, and getting it within `share`.
        "workspaces/{}": "2024-10-01-preview 2023-08-01-preview",
        "workspaces/{}/datastores": "2024-10-01-preview",
        "workspaces/{}/datastores/{}": "2024-10-01-preview",
        "workspaces/{}/datastores/{}/listsecrets": "2024-10-01-preview",
        "workspaces/{}/computes/{}": "2023-08-01-preview",
        "locations/{}/usages": "2023-08-01-preview",
        "locations/{}/vmsizes": "2023-08-01-preview",
        "workspaces/{}/environments": _ASSETS,
        "workspaces/{}/environments/{}/versions": _ASSETS,
        "workspaces/{}/environments/{}/versions/{}": _ASSETS,
        "workspaces/{}/data/{}": _ASSETS,
        "workspaces/{}/data/{}/versions": _ASSETS,
        "workspaces/{}/data/{}/versions/{}": _ASSETS,
        "workspaces/{}/codes/{}/versions": "2023-04-01",
        "workspaces/{}/codes/{}/versions/{}": "2023-04-01",
        "workspaces/{}/codes/{}/versions/{}/startpendingupload": "2023-04-01",
        "workspaces/{}/components/{}": "2024-01-01-preview",
        "workspaces/{}/components/{}/versions": "2024-01-01-preview",
        "workspaces/{}/components/{}/versions/{}": "2024-01-01-preview",
        "workspaces/{}/jobs": "2024-01-01-preview",
        # A command job is put with the later one.
        "workspaces/{}/jobs/{}": "2024-01-01-preview 2025-01-01-preview",
        "workspaces/{}/jobs/{}/cancel": "2023-04-01-preview",
        "workspaces/{}/models/{}/versions": "2023-08-01-preview",
        "workspaces/{}/models/{}/versions/{}": "2023-08-01-preview",
        "workspaces/{}/onlineendpoints": "2022-02-01-preview",
        # The later one is of a deployment, before it is put.
        "workspaces/{}/onlineendpoints/{}": "2022-02-01-preview 2023-04-01-preview",
        # The earlier one is of getting an endpoint.
        "workspaces/{}/onlineendpoints/{}/deployments": "2022-02-01-preview 2023-04-01-preview",
        "workspaces/{}/onlineendpoints/{}/deployments/{}": "2023-04-01-preview",
        "workspaces/{}/onlineendpoints/{}/deployments/{}/getlogs": "2023-04-01-preview",
        "workspaces/{}/onlineendpoints/{}/listkeys": "2022-02-01-preview",
        "workspaces/{}/onlineendpoints/{}/regeneratekeys": "2022-02-01-preview",
        "workspaces/{}/onlineendpoints/{}/token": "2022-02-01-preview",
        "workspaces/{}/batchendpoints": "2023-10-01",
        "workspaces/{}/batchendpoints/{}": "2023-10-01 2024-01-01-preview",
        # The earlier one is of invoking an endpoint, before it is.
        "workspaces/{}/batchendpoints/{}/deployments": "2024-01-01-preview 2023-10-01",
        # Of a model, and of a pipeline component.
        "workspaces/{}/batchendpoints/{}/deployments/{}": "2024-01-01-preview 2023-02-01-preview",
        # Of the jobs that it has begun.
        "workspaces/{}/batchendpoints/{}/deployments/{}/jobs": "2020-09-01-dataplanepreview",
        "workspaces/{}/schedules": "2023-06-01-preview",
        "workspaces/{}/schedules/{}": "2023-06-01-preview",
        "registries/{}/codes/{}/versions/{}": _REGISTRY,
        "registries/{}/environments": _REGISTRY,
        "registries/{}/environments/{}/versions": _REGISTRY,
        "registries/{}/environments/{}/versions/{}": _REGISTRY,
        "registries/{}/components/{}/versions/{}": _REGISTRY,
        "registries/{}/models": _REGISTRY,
        "registries/{}/models/{}/versions": _REGISTRY,
        "registries/{}/models/{}/versions/{}": _REGISTRY,
        "registries/{}/tempdatarefs/{}/versions/{}": _REGISTRY,
        "registries/{}/import": _REGISTRY,
        "registrymanagement/v1.0/registries/{}/discovery": "v1.0",
    }.items()
}


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One kind of path, asked with one api-version."""

    shape: str
    """In small letters, after the provider's name; every other part is `{}`."""
    version: str


def shape_of(exchange: Exchange) -> str | None:
    """The kind of a path; None: it has no api-version that could move."""
    path = control_path(exchange)
    if path is not None:
        parts = path.casefold().partition(PROVIDER)[2].strip("/").split("/")
        return "/".join("{}" if index % 2 else part for index, part in enumerate(parts))
    parts = exchange.path.casefold().strip("/").split("/")
    if parts[0] == "registrymanagement" and len(parts) > 3:
        return "/".join([*parts[:3], "{}", *parts[4:]])
    return None


def pins_of(exchanges: Iterable[Exchange]) -> frozenset[Pin]:
    """What was asked with which api-version; polls are left out, for the service says their addresses."""
    return frozenset(
        Pin(shape, exchange.query.get(API_VERSION, ""))
        for exchange in exchanges
        if (shape := shape_of(exchange)) is not None and "mfeoperation" not in shape
    )


def moved(pins: Iterable[Pin], pinned: Mapping[str, frozenset[str]] = PINNED) -> tuple[str, ...]:
    """One line for each that is not as it was pinned; empty: nothing moved."""
    lines = []
    for pin in sorted(pins):
        known = pinned.get(pin.shape)
        if known is None:
            lines.append(f"{pin.shape} is new: asked with {pin.version or 'no api-version'}, pinned nowhere")
        elif pin.version not in known:
            was = " or ".join(sorted(known))
            lines.append(f"{pin.shape} moved from {was} to {pin.version or 'no api-version'} (was {SDK})")
    return tuple(lines)


def unasked(pins: Iterable[Pin], pinned: Mapping[str, frozenset[str]] = PINNED) -> tuple[Pin, ...]:
    """What is pinned but was not asked: after a whole run, the SDK has stopped to."""
    everything = {Pin(shape, version) for shape, versions in pinned.items() for version in versions}
    return tuple(sorted(everything - set(pins)))
