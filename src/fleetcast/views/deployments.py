"""Deployments in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from fleetcast.domain.canonical import Json
from fleetcast.domain.deployment import Deployment, PlantRollout
from fleetcast.domain.rollout import Phase
from fleetcast.domain.settings import PlatformKind, Settings
from fleetcast.domain.traffic import Override, Traffic
from fleetcast.domain.wording import counted, some_of
from fleetcast.views.moments import iso, iso_or_null, shown

if TYPE_CHECKING:
    from fleetcast.workflows.deploy import Deployed
    from fleetcast.workflows.inspect_deployments import DeploymentStatus


def deployed_as_json(made: Deployed, deployment: Deployment | None) -> Json:
    """What came of deploying, for programs; `deployment` is null where there was nothing to do."""
    return {
        "deployment": None if deployment is None else deployment_as_json(deployment),
        "kept_circuits": [
            {
                "plant_id": circuit.partition("/")[0],
                "circuit_id": circuit.partition("/")[2],
                "reason": why.value,
            }
            for circuit, why in made.kept.items()
        ],
    }


def status_as_json(status: DeploymentStatus) -> Json:
    """How everything stands, for programs."""
    return {
        "deployments": [deployment_as_json(one) for one in status.deployments],
        "endpoints": [_endpoint(one) for one in status.traffic],
        "rollouts": [_rollout(one) for one in status.rollouts],
        "blocked_versions": list(status.blocked),
    }


def deployed_in_words(
    made: Deployed, deployment: Deployment | None, rollouts: Sequence[PlantRollout] = ()
) -> Iterator[str]:
    """What came of deploying, a line each.

    Args:
        made: What was asked for.
        deployment: How it stands now.
        rollouts: How its plants stand, where they were waited for.
    """
    if deployment is None:
        yield f"nothing to deploy: {counted(len(made.plants), 'plant')} as declared, as far as may be"
    else:
        plants = ", ".join(release.plant for release in deployment.plan.releases)
        yield f"{deployment}: {deployment.state.value} ({plants})"
        if deployment.request is not None and not deployment.state.is_over:
            yield f"  request {deployment.request}: see `fleetcast approvals show {deployment.request}`"
    for one in rollouts:
        yield f"  {one.endpoint}: {rollout_in_words(one)}"
    for circuit, why in made.kept.items():
        yield f"  {circuit} is not served as declared: {why.value}"


def serving_in_words(status: DeploymentStatus) -> Iterator[str]:
    """What clients are answered by, and what is on its way to them; a line for each environment and exception."""
    for environment, some in groupby(status.traffic, lambda one: one.endpoint.environment):
        plants = list(some)
        yield f"{environment}: {counted(sum(one.blue is not None for one in plants), 'plant')} served"
        for rollout in status.rollouts:
            if rollout.endpoint.environment is environment and not rollout.rollout.phase.is_over:
                yield f"  {rollout.endpoint.plant}: {rollout_in_words(rollout)}"
        for one in plants:
            for override in one.overrides:
                yield f"  {one.endpoint.plant}/{override_in_words(override)}"
    if status.blocked:
        yield f"{counted(len(status.blocked), 'version')} blocked after a rollback: {some_of(status.blocked)}"


def rollout_in_words(one: PlantRollout) -> str:
    """How a plant's rollout stands, in one line."""
    rollout = one.rollout
    match rollout.phase:
        case Phase.STARTING:
            return "green is starting"
        case Phase.RAMPING if rollout.share == 0:
            return f"green gets copies of requests, {counted(rollout.passed, 'window')} passed"
        case Phase.RAMPING:
            return f"green answers {rollout.share} %, {counted(rollout.passed, 'window')} passed"
        case Phase.ROLLED_BACK:
            return f"rolled back: {one.says or (rollout.cause.value if rollout.cause else 'nobody said why')}"
        case _:
            return rollout.phase.value


def override_in_words(override: Override) -> str:
    """What a circuit is forecast by in place of what its release says."""
    by = "the seasonal naive forecast" if override.model is None else str(override.model)
    until = "" if override.until is None else f" until {shown(override.until)}"
    return f"{override.circuit} by {by}{until} ({override.why})"


def deployment_as_json(one: Deployment) -> dict[str, Json]:
    """One deployment, for programs."""
    return {
        "environment": one.plan.environment.value,
        "deployment": one.number,
        "state": one.state.value,
        "plan": one.plan.digest.hex,
        "request_id": one.request,
        "commit": one.commit,
        "opened_by": one.opened_by,
        "opened_at": iso(one.opened_at),
        "waves": [list(wave) for wave in one.plan.waves],
        "releases": [
            {"plant_id": release.plant, "release": release.number, "digest": release.release.hex}
            for release in one.plan.releases
        ],
        "ramp": {
            "shares": list(one.plan.ramp.shares),
            "soak_seconds": one.plan.ramp.soak.total_seconds(),
            "window_seconds": one.plan.ramp.window.total_seconds(),
        },
    }


def _rollout(one: PlantRollout) -> Json:
    return {
        "environment": one.endpoint.environment.value,
        "plant_id": one.endpoint.plant,
        "deployment": one.deployment,
        "phase": one.rollout.phase.value,
        "share": one.rollout.share,
        "windows_passed": one.rollout.passed,
        "cause": None if one.rollout.cause is None else one.rollout.cause.value,
        "says": one.says or None,
    }


def _endpoint(one: Traffic) -> Json:
    return {
        "environment": one.endpoint.environment.value,
        "plant_id": one.endpoint.plant,
        "blue": None if one.blue is None else one.blue.hex,
        "green": None if one.green is None else one.green.hex,
        "green_share": one.share,
        "overrides": [
            {
                "circuit_id": override.circuit,
                "use": None if override.model is None else str(override.model),
                "reason": override.why.value,
                "until": iso_or_null(override.until),
            }
            for override in one.overrides
        ],
    }


def silence_in_words(endpoints: Sequence[str], settings: Settings) -> str:
    """Of endpoints nobody has said anything yet: what to start, or what to wait for."""
    names, environment = ", ".join(endpoints), endpoints[0].partition("/")[0]
    if settings.platform.kind is PlatformKind.AZUREML:
        return f"no container has said anything of {names} yet: Azure takes some minutes to start one"
    return f"no server has said anything of {names} yet: is `fleetcast serve {environment}` running?"
