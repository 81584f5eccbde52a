"""A damaged, cut or absent artifact is neither registered, shared nor crowned, and is named before a forecast."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.found.story import Fleet, Story

LONG = "it trains, damages and trains again in each of seven ways"


def tell(story: Story) -> None:
    """Damage before registering, before the decision and after it; then of a champion."""
    fleet = story.fleet(circuits=2)
    first = Path(shutil.copytree(fleet.folder, story.folder / "first"))

    fleet.type("train", "--circuits", "PLANT001/CIRCUIT01", code=3)
    request = next(str(one["request_id"]) for one in fleet.requests() if one["kind"] == "environment")
    fleet.type("approve", request, code=0)
    _damage("a byte of the weights flipped, before the decision", fleet, _flip)
    waiting = [str(one["request_id"]) for one in fleet.requests()]
    fleet.type("approve", *waiting)
    shared = fleet.type("train", "--circuits", "PLANT001/CIRCUIT01")
    story.expect("an approved model that is damaged is not shared", holds=shared.code == 1, saw=shared.code)
    story.says(shared, "cannot be loaded")
    models = fleet.type("models", "list", "--format", "json").json
    story.expect("nobody is champion", holds=all(row["champion_version"] is None for row in models))

    fleet = Fleet(story, first)
    fleet.type("stage", "RegisterEnvironment", code=0)
    for name in ("RegisterComponents", "RegisterData", "SubmitTraining", "MonitorTraining"):
        fleet.type("stage", name, "--run", "run-0001", code=0)
    _damage("one folder deleted, before it is registered", fleet, shutil.rmtree)
    registered = fleet.type("stage", "RegisterModels", "--run", "run-0001")
    story.expect("a model without files is not registered", holds=registered.code == 1, saw=registered.code)
    story.says(registered, "1 registered", "1 cannot be loaded")
    fleet.promote()
    story.expect("its job was done again", holds=len(_folders(fleet)) == 2, saw=len(_folders(fleet)))

    for what, spoil in (("weights cut", _cut), ("folder deleted", shutil.rmtree)):
        kept = shutil.copytree(fleet.state / "artifacts", story.folder / what)
        _damage(f"{what}, of a champion", fleet, spoil)
        planned = fleet.type("plan")
        story.says(planned, "the champion, cannot be loaded")
        story.says(fleet.type("status"), "damaged")
        verified = fleet.type("models", "verify")
        story.expect("models verify finds it", holds=verified.code == 1, saw=verified.code)
        shutil.rmtree(fleet.state / "artifacts")
        shutil.copytree(kept, fleet.state / "artifacts")
    _damage("a byte of the weights flipped, of a champion", fleet, _flip)
    verified = fleet.type("models", "verify")
    story.expect("models verify reads every byte", holds=verified.code == 1, saw=verified.code)


def _folders(fleet: Fleet) -> list[Path]:
    return sorted(path.parent for path in (fleet.state / "artifacts").rglob("MLmodel"))


def _damage(what: str, fleet: Fleet, spoil: Callable[[Path], object]) -> None:
    print(f"\nin the artifacts: {what}")
    spoil(_folders(fleet)[0])


def _flip(folder: Path) -> None:
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _cut(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
