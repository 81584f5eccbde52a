"""A plan in words, as JSON and as Markdown; and as a file that can be applied later."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import Digest
from fleetcast.domain.plan import (
    FORMAT,
    AssetAction,
    CircuitAction,
    Plan,
    Removed,
    Reuse,
    SavedPlan,
    Train,
    UpToDate,
)
from fleetcast.domain.quota import CoresAllowed, NotKnown, QuotaUse
from fleetcast.domain.since import Since
from fleetcast.domain.wording import counted
from fleetcast.stored.durable import write_durably
from fleetcast.stored.named_file import NotAFile, TooLarge, read_named
from fleetcast.views.markdown import in_cell
from fleetcast.views.names import asset_names, changes_as_json, circuit_ids, snake_case
from fleetcast.views.unloadable import unloadable_as_json, unloadable_in_words

_ORDER = ("train", "reuse", "up to date", "blocked", "removed")
_MANY = 12
"""More model promotions than this are shown as one line."""


def summary(plan: Plan) -> str:
    """One line: how many circuits get which action, and how long training will take."""
    counts = [f"{plan.count(action)} {_worded(action)}" for action in _ORDER if plan.count(action)]
    if counts and plan.has_changes and not plan.to_train:
        counts.append("0 to train")
    text = "Plan: " + (", ".join(counts) or "no circuits")
    if not plan.has_changes:
        text += ". Nothing to do."
    elif plan.estimated is not None:
        text += f". About {max(1, round(plan.estimated.total_seconds()))} s of training"
        if plan.cost is not None:
            text += f" in {counted(plan.cost.jobs, 'job')}, about {plan.cost.money}"
        text += ", from past runs."
    else:
        text += "."
    return text


def as_json(plan: Plan, since: Since | None = None) -> Mapping[str, Json]:
    """A plan for programs; `since` is null unless it was asked what differs from a commit."""
    return {
        "format": FORMAT,
        "digest": plan.digest.hex,
        "fleet_digest": plan.fleet.hex,
        "has_changes": plan.has_changes,
        "summary": {snake_case(action): plan.count(action) for action in _ORDER},
        "estimated_seconds": None if plan.estimated is None else plan.estimated.total_seconds(),
        "estimated_cost": None
        if plan.cost is None
        else {
            "amount": str(plan.cost.money.amount),
            "currency": plan.cost.money.currency,
            "jobs": plan.cost.jobs,
        },
        "quota": None if plan.quota is None else _quota(plan.quota),
        "warnings": list(plan.warnings),
        "unloadable_models": [unloadable_as_json(model) for model in plan.unloadable],
        "circuits": [_circuit(action) for action in plan.circuits],
        "assets": [
            {
                "action": asset.verb,
                **asset_names(asset.kind, asset.name, asset.version),
                "note": asset.note or None,
            }
            for asset in plan.assets
        ],
        "since": None if since is None else _since(since),
    }


def warnings_in_words(plan: Plan) -> list[str]:
    """What may not be possible later, and the models that cannot be loaded."""
    shown = plan.unloadable[:_MANY]
    lines = [*plan.warnings, *(f"{model.key}: {unloadable_in_words(model)}" for model in shown)]
    if more := len(plan.unloadable) - len(shown):
        lines.append(
            f"and {counted(more, 'more model')} that cannot be loaded: `fleetcast models verify` names them"
        )
    return lines


def as_markdown(plan: Plan, since: Since | None = None) -> str:
    """A plan for a pull-request comment."""
    lines = [f"**{summary(plan)}**", ""]
    lines += [f"> **Warning:** {in_cell(warning)}\n" for warning in warnings_in_words(plan)]
    if since is not None:
        lines += [*map(in_cell, differences_in_words(since)), ""]
    changed = [action for action in plan.circuits if not isinstance(action, UpToDate)]
    if changed:
        lines += ["| circuit | action | why |", "|---|---|---|"]
        lines += [f"| `{action.key}` | {action.action} | {in_cell(action.why)} |" for action in changed]
        lines.append("")
    lines += [f"- {in_cell(line)}" for line in assets_in_words(plan.assets)]
    if unchecked := unchecked_in_words(plan):
        lines += ["", unchecked]
    if quota := quota_in_words(plan):
        lines += ["", in_cell(quota)]
    return "\n".join(lines).rstrip()


def save(plan: Plan, path: Path) -> None:
    """Write a plan to a file.

    Raises:
        Unavailable: The file cannot be written.
    """
    try:
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, f"there is no folder {path.parent}")
        write_durably(path, (json.dumps(as_json(plan), indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}", fix="choose another file") from error


def read_saved(path: Path) -> SavedPlan:
    """What a file says of a plan that was saved to it, in this format or an earlier one.

    Raises:
        BadInput: The file cannot be read, or is not a saved plan.
    """
    hint = "save one with `fleetcast plan --out FILE`"
    try:
        saved = json.loads(read_named(path))
        found = SavedPlan(int(saved["format"]), Digest(saved["digest"]))
    except (NotAFile, TooLarge):
        raise
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}", fix=hint) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, BadInput) as error:
        raise BadInput(f"{path} is not a saved plan", fix=hint) from error
    if not 1 <= found.format <= FORMAT:
        raise BadInput(
            f"{path} has format {found.format}, this fleetcast knows none newer than {FORMAT}",
            fix="use the fleetcast version that saved it, or save the plan again",
        )
    return found


def differences_in_words(since: Since) -> list[str]:
    """What the repository declares differently, a line for each circuit."""
    files = ", ".join(since.files) or "no file"
    lines = [
        f"Since {since.base}: {files} changed, {counted(len(since.circuits), 'circuit')} declared differently"
    ]
    lines += [f"- {circuit}" for circuit in since.circuits[:_MANY]]
    if len(since.circuits) > _MANY:
        lines.append(f"- and {len(since.circuits) - _MANY} more")
    return lines


def assets_in_words(assets: Sequence[AssetAction]) -> list[str]:
    """One line for each asset action, but one for all models when they are many."""
    models = [asset for asset in assets if asset.kind == "model"]
    single = [asset for asset in assets if asset.kind != "model" or len(models) <= _MANY]
    lines = [
        f"{asset.verb} {asset.kind} {asset.name}:{asset.version}" + (f" ({asset.note})" if asset.note else "")
        for asset in single
    ]
    if len(models) > _MANY:
        waiting = sum(1 for asset in models if asset.waiting)
        lines.append(f"promote {len(models)} models" + (f" ({waiting} await approval)" if waiting else ""))
    return lines


def unchecked_in_words(plan: Plan) -> str:
    """What is not known yet of the data to train on; empty if all of it was checked."""
    number = sum(1 for action in plan.to_train if not action.data_checked)
    return (
        f"data of {counted(number, 'circuit')} unchecked: training begins with checking it" if number else ""
    )


def quota_in_words(plan: Plan) -> str:
    """What training uses of what may be used; empty where nobody limits it, or there is nothing to train."""
    use = plan.quota
    if use is None:
        return ""
    nodes, cores = counted(use.nodes, "node"), use.cores
    if isinstance(cores, NotKnown):
        return f"quota: {nodes} at the same time; what may be used is not known: {cores.why}"
    text = f"quota: {nodes} × {counted(cores.cores_each, 'core')} = {use.needed}"
    of = f"{cores.family}, {cores.location}"
    if cores.limit < 0:
        return f"{text}, without a limit ({of})"
    text += f" of {cores.free} that are free; {cores.used} of {cores.limit} are used ({of})"
    if not use.fits:
        text += f". Only {use.nodes_that_fit} at the same time: the others wait, or ask for quota"
    return text


def _quota(use: QuotaUse) -> Json:
    cores = use.cores
    known: dict[str, Json] = dict.fromkeys(
        ("location", "family", "cores_per_node", "cores_limit", "cores_used")
    )
    if isinstance(cores, CoresAllowed):
        known = {
            "location": cores.location,
            "family": cores.family,
            "cores_per_node": cores.cores_each,
            "cores_limit": None if cores.limit < 0 else cores.limit,
            "cores_used": cores.used,
        }
    return {
        "nodes": use.nodes,
        "is_known": isinstance(cores, CoresAllowed),
        "why_not_known": cores.why if isinstance(cores, NotKnown) else None,
        **known,
        "cores_needed": use.needed,
        "fits": use.fits,
    }


def _since(since: Since) -> Json:
    return {
        "commit": since.base,
        "files": list(since.files),
        "circuits": [
            {
                **circuit_ids(circuit.key),
                "difference": circuit.note or "changed",
                "changes": changes_as_json(circuit.changes),
            }
            for circuit in since.circuits
        ],
    }


def _circuit(action: CircuitAction) -> Json:
    return {
        **circuit_ids(action.key),
        "model_name": action.model,
        "action": action.action,
        "why": action.why,
        "version": action.version if isinstance(action, Reuse | UpToDate | Removed) else None,
        "training_hash": None if isinstance(action, Removed) else action.training_hash.hex,
        "data_checked": action.data_checked if isinstance(action, Train) else None,
        "changes": changes_as_json(action.changes if isinstance(action, Train) else ()),
    }


def _worded(action: str) -> str:
    return {"train": "to train", "reuse": "to reuse"}.get(action, action)
