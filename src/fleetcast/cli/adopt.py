"""`fleetcast adopt`: take over circuits, data sources and models that a team has already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import View, ViewOption
from fleetcast.cli.output import show_json, show_text

if TYPE_CHECKING:
    from fleetcast.config.layout import Layout
    from fleetcast.config.yaml_nodes import Block


def adopt(
    source: Annotated[Path, typer.Argument(metavar="SOURCE.yaml", help="Circuits in another layout.")],
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Fleet repository to write, or to add to. Default: the one that you are in."
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="How the source is laid out. Default: as the public predecessor's."
        ),
    ] = None,
    data_source: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML with the data source the circuits read: {historian: {…}}."),
    ] = None,
    models: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="MLflow models, by name or by models.yaml.")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option(metavar="URI", help="MLflow registry: sqlite:///FILE, http://…, a folder.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,  # noqa: FBT002
    view: ViewOption = View.TEXT,
) -> None:
    """Take over circuits of another layout, and register their models as version 1 champions.

    The first plan trains nothing for circuits whose model was adopted. The source is only read; the same command
    again does what is missing. See docs/ADOPTION.md.

    For example:

    fleetcast adopt circuits.yaml --into my-fleet --mlflow sqlite:///mlflow.db --dry-run

    fleetcast adopt circuits.yaml --into my-fleet --models exported/ --data-source historian.yaml

    fleetcast adopt loops.yaml --into my-fleet --mapping loops-mapping.yaml
    """
    from fleetcast.app import open_adoption
    from fleetcast.app.new_fleet import check_not_inside_another
    from fleetcast.config.find_fleet import is_fleet
    from fleetcast.config.layout import built_in
    from fleetcast.config.other_layout import NotAdopted
    from fleetcast.domain.errors import InvalidFleet
    from fleetcast.views.adoption import as_json, as_text
    from fleetcast.workflows.adopt import ToAdopt

    directory = _asked() if into is None else into
    if not is_fleet(directory):
        check_not_inside_another(directory)
    try:
        layout = _layout(mapping) if mapping else built_in()
        request = ToAdopt(source, layout, directory, _sources(data_source, layout))
        done = open_adoption(models, mlflow)(request, dry_run=dry_run)
    except InvalidFleet as invalid:
        raise NotAdopted(invalid.complaints) from invalid
    if view is View.JSON:
        show_json(as_json(done))
    else:
        show_text(as_text(done, source))


def _asked() -> Path:
    from fleetcast.cli.in_fleet import fleet_needed
    from fleetcast.config.find_fleet import NoFleet

    try:
        return fleet_needed()
    except NoFleet as error:
        raise NoFleet(
            str(error), fix="go to one, or name the folder of one, new or not: --into fleet"
        ) from error


def _layout(mapping: Path) -> Layout:
    from fleetcast.config.layout import read_layout

    return read_layout(mapping)


def _sources(file: Path | None, layout: Layout) -> tuple[str, Block] | None:
    """The data sources of the option, else those of the mapping."""
    from fleetcast.config.layout import read_sources

    if file is not None:
        return str(file), read_sources(file)
    return (layout.file, layout.data_sources) if layout.data_sources else None
