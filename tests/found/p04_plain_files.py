"""An artifact holds plain files and nothing else, when it is kept and when it is opened."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.found.story import Fleet, Story

LONG = "it makes a fleet for each kind of thing that is no plain file"
COMPONENT = "components/training-pipeline-component.yaml"


def tell(story: Story) -> None:
    """A step that leaves a link in its model, then a champion that gets a link, a FIFO and an empty folder."""
    linked = story.fleet("linked")
    script = linked.folder / "fit.sh"
    fit = f'{sys.executable} -m fleetcast.cli.main fit --task "$1" --data "$2" --output "$3"\n'
    script.write_text(fit + 'ln -s /etc/hostname "$3/more"\n')
    linked.edit(
        COMPONENT,
        "fleetcast fit --task ${{inputs.task}} --data ${{inputs.data}} --output ${{outputs.model}}",
        f"sh {script} ${{{{inputs.task}}}} ${{{{inputs.data}}}} ${{{{outputs.model}}}}",
    )
    linked.edit(COMPONENT, "max_retries: 2", "max_retries: 0")
    refused = linked.type("train")
    story.expect("a model with a link fails its job", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "more is a symbolic link")

    fleet = story.fleet()
    fleet.promote()
    model = next(path.parent for path in (fleet.state / "artifacts").rglob("MLmodel"))
    story.expect("the champion forecasts", holds=_forecasts(fleet))
    for kind, spoil in (("a link", _link), ("a FIFO", _fifo), ("an empty folder", _folder)):
        spoil(model / "extra")
        print(f"\nin the champion's artifact: {kind} called extra")
        story.expect(f"with {kind} in its artifact the champion is refused", holds=not _forecasts(fleet))
        _remove(model / "extra")
    shutil.move(model / "weights.safetensors", story.folder / "weights")
    (model / "weights.safetensors").symlink_to(story.folder / "weights")
    print("\nin the champion's artifact: a link in the place of its weights, to the same bytes")
    story.expect("weights behind a link are refused", holds=not _forecasts(fleet))


def _forecasts(fleet: Fleet) -> bool:
    return fleet.type("forecast", "PLANT001/CIRCUIT01", "--format", "json").code == 0


def _link(path: Path) -> None:
    path.symlink_to(path.parent / "MLmodel")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink()
