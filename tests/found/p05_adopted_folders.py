"""Adopting models never leaves the folder that was named: not by names, links, paths or hard links."""

from __future__ import annotations

import os
from pathlib import Path

from tests.foreign_models import save_foreign
from tests.found.story import Story

CIRCUITS = """\
circuits:
  - plant_id: PLANT001
    circuit_id: CIRCUIT01
    features: [temperature]
    cutoff_date: "2025-02-20"
    delta_version: 0
    training_days: 40
    forecast_horizon: 12h
"""
MLMODEL = "flavors:\n  python_function: {loader_module: mlflow.sklearn, data: weights}\n"
NAME = "plant001-circuit01"


def tell(story: Story) -> None:
    """One circuit, and one folder of models for each way out."""
    (story.folder / "circuits.yaml").write_text(CIRCUITS)
    _model(story.folder / "private")

    own = save_foreign(story.folder / "own" / NAME, targets=("temperature",))
    story.expect("a model in its folder is found", holds=_found(story, own.parent))

    (_models(story, "name") / "MLmodel").write_text(MLMODEL)
    (story.folder / "mapping.yaml").write_text("layout: predecessor\nregistered_as: '..'\n")
    inner = _models(story, "name/inner")
    _refused(
        story,
        "the name `..` leads nowhere",
        inner,
        "is not the name of one folder",
        "--mapping",
        "mapping.yaml",
    )

    above = _models(story, "above")
    (above / NAME).symlink_to(story.folder / "deep")
    _model(story.folder / "deep" / "1")
    _refused(story, "a link above the model is not followed", above, "is a link to")

    index = _models(story, "index")
    (index / "linked").symlink_to(story.folder)
    (index / "models.yaml").write_text("models:\n  PLANT001/CIRCUIT01: {path: linked/private}\n")
    _refused(story, "nor one in a path of the index", index, "models.yaml:2: ")

    hard = _models(story, "hard")
    (story.folder / "secret").write_text("hush")
    os.link(story.folder / "secret", _model(hard / NAME) / "weights.bin")
    _refused(story, "a file that has a second name elsewhere is not copied", hard, "is a hard link")


def _model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "weights").write_text("1")
    return folder


def _models(story: Story, name: str) -> Path:
    folder = story.folder / name
    folder.mkdir()
    return folder


def _found(story: Story, models: Path) -> bool:
    said = story.fleetcast("adopt", "circuits.yaml", "--into", "fleet", "--models", str(models), "--dry-run")
    return said.code == 0 and "would adopt" in said.text


def _refused(story: Story, what: str, models: Path, why: str, *more: str) -> None:
    said = story.fleetcast(
        "adopt", "circuits.yaml", "--into", "fleet", "--models", str(models), "--dry-run", *more
    )
    story.expect(what, holds=said.code == 1 and why in said.text, saw=said.code)
