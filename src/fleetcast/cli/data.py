"""`fleetcast ingest`, `fleetcast simulate` and `fleetcast data show|quality|versions`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetcast.cli.options import (
    DryRunOption,
    FleetOption,
    PatternsOption,
    View,
    ViewOption,
    WideOption,
    duration_of,
    moment,
)
from fleetcast.cli.output import console, say, show_json
from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import (
    Ambiguous,
    BadRows,
    IngestOptions,
    Nonexistent,
    OnConflict,
    Rename,
    Sentinel,
    Thousands,
    UnevenRows,
)
from fleetcast.domain.quality import SensorLimits

if TYPE_CHECKING:
    from fleetcast.domain.circuit import Circuit
    from fleetcast.domain.identity import CircuitKey

data_app = typer.Typer(no_args_is_help=True, help="Look at the readings that models are trained on.")

SourceOption = Annotated[
    str | None, typer.Option("--source", help="Data source of the fleet; needed if it has several.")
]
VersionOption = Annotated[int | None, typer.Option("--delta-version", help="Default: the newest.")]
CircuitsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[PLANT/CIRCUIT]...", help="With * and ?; default: all.")
]


def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, gzipped CSV or Parquet.")],
    plant: Annotated[str | None, typer.Option(help="Plant of all rows.")] = None,
    circuit: Annotated[str | None, typer.Option(help="Circuit of all rows.")] = None,
    plant_column: Annotated[str | None, typer.Option(help="Column that names the plant.")] = None,
    circuit_column: Annotated[str | None, typer.Option(help="Column that names the circuit.")] = None,
    timestamp_column: Annotated[
        list[str] | None, typer.Option(help="Column of the time; give date and time of day in this order.")
    ] = None,
    timestamp_format: Annotated[
        str | None, typer.Option(help="strptime directives, unix, unix_ms or unix_us. Default: ISO 8601.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times without offset, or whose CST: Europe/Paris, +01:00.")
    ] = None,
    ambiguous: Annotated[Ambiguous, typer.Option(help="Local times that occurred twice.")] = Ambiguous.ERROR,
    nonexistent: Annotated[
        Nonexistent, typer.Option(help="Local times that never were.")
    ] = Nonexistent.ERROR,
    separator: Annotated[str | None, typer.Option(help="One character, or tab. Default: found.")] = None,
    decimal: Annotated[str | None, typer.Option(help="Decimal sign, . or ,")] = None,
    thousands: Annotated[
        Thousands | None, typer.Option(help="What groups the digits of large numbers. Default: asked for.")
    ] = None,
    rename: Annotated[list[str] | None, typer.Option(metavar="OLD=NEW", help="Sensor name to store.")] = None,
    sentinel: Annotated[
        list[str] | None, typer.Option(metavar="[COLUMN=]NUMBER", help="Number that means: no reading.")
    ] = None,
    take: Annotated[list[str] | None, typer.Option(help="Sensor column to store; default: all.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Column to leave out.")] = None,
    skip_bad_rows: Annotated[  # noqa: FBT002
        bool, typer.Option("--skip-bad-rows", help="Leave out and count rows whose time cannot be read.")
    ] = False,
    uneven_rows: Annotated[
        UnevenRows,
        typer.Option(help="Rows with fewer or more cells than the header has names; pad: only empty ones."),
    ] = UnevenRows.REFUSE,
    on_conflict: Annotated[
        OnConflict,
        typer.Option(
            help="Which reading stands where rows of one circuit and time differ, sensor by sensor."
        ),
    ] = OnConflict.LAST,
    fleet: FleetOption = Path(),
    source: SourceOption = None,
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Store files of readings in the fleet's table.

    All files become one commit, or none does. Rows are merged by circuit and time, so doing it again, or
    with late rows, is safe. Options name columns as the file does. Where rows differ about a reading, the last in file
    order wins, also over what is stored; with --on-conflict mean, drop or refuse the order makes no difference, and
    what is stored may not differ. A file may hold 1 GiB of text, unpacked, and 100 million cells, and a line 1 MiB.

    For example:

    fleetcast ingest valve1/*.csv --plant SKAB --circuit valve1 --timezone UTC

    fleetcast ingest scada.csv.gz --plant LHB --circuit-column Wind_turbine_name

    fleetcast ingest log.csv --plant A --circuit B --timezone +01:00 --decimal ,

    fleetcast ingest log.csv --plant A --circuit B --sentinel -9999 --drop label
    """
    options = IngestOptions(
        plant=plant,
        circuit=circuit,
        plant_column=plant_column,
        circuit_column=circuit_column,
        timestamp_columns=tuple(timestamp_column or ()),
        timestamp_format=timestamp_format,
        timezone=timezone,
        ambiguous=ambiguous,
        nonexistent=nonexistent,
        separator="\t" if separator in ("tab", "\\t") else separator,
        decimal=decimal,
        thousands=thousands,
        renames=tuple(Rename.parse(text) for text in rename or ()),
        sentinels=tuple(Sentinel.parse(text) for text in sentinel or ()),
        take=tuple(take or ()),
        drop=tuple(drop or ()),
        bad_rows=BadRows.SKIP if skip_bad_rows else BadRows.REFUSE,
        uneven_rows=uneven_rows,
        on_conflict=on_conflict,
    )
    from fleetcast.app import open_own_readings
    from fleetcast.cli.data_views import print_ingest
    from fleetcast.views.data import ingest_as_json

    report = open_own_readings(fleet, source).ingesting(files, options)
    if view is View.JSON:
        show_json(ingest_as_json(report))
    else:
        print_ingest(report, console(wide=wide))


def simulate(
    plants: Annotated[int, typer.Option(help="How many plants.")] = 3,
    circuits: Annotated[int, typer.Option(help="How many circuits each plant has.")] = 4,
    length: Annotated[str, typer.Option(help="How long, such as 365d.")] = "365d",
    frequency: Annotated[str, typer.Option(help="Time between readings.")] = "1h",
    start: Annotated[str, typer.Option(help="Date or instant of the first reading.")] = "2025-01-01",
    seed: Annotated[int, typer.Option(help="The same seed makes the same readings.")] = 7,
    gaps: Annotated[int, typer.Option(help="Gaps of 6 to 72 steps in each circuit.")] = 0,
    duplicates: Annotated[int, typer.Option(help="Rows of each circuit that occur twice.")] = 0,
    late_rows: Annotated[int, typer.Option(help="Rows of each circuit that arrive in a second commit.")] = 0,
    stuck: Annotated[int, typer.Option(help="Stretches of 30 to 200 steps with one sensor stuck.")] = 0,
    fleet: FleetOption = Path(),
    source: SourceOption = None,
    view: ViewOption = View.TEXT,
) -> None:
    """Make up a fleet's readings and store them in the fleet's table.

    Six sensors for each circuit: temperature (°C), pressure (bar), vibration (mm/s), current (A), voltage
    (V), flow_rate (l/min). A circuit's readings depend on the seed and its name alone.

    For example:

    fleetcast simulate --plants 3 --circuits 4

    fleetcast simulate --plants 10 --circuits 20 --gaps 3 --late-rows 20
    """
    from fleetcast.app import open_own_readings
    from fleetcast.cli.data_views import print_simulation
    from fleetcast.forecasting.simulation import Defects
    from fleetcast.views.data import simulation_as_json
    from fleetcast.workflows.simulate import SimulatedFleet

    wanted = SimulatedFleet(
        plants=plants,
        circuits=circuits,
        length=duration_of(length),
        frequency=duration_of(frequency),
        start=moment(start),
        seed=seed,
        defects=Defects(gaps=gaps, duplicates=duplicates, late_rows=late_rows, stuck=stuck),
    )
    report = open_own_readings(fleet, source).simulating(wanted)
    if view is View.JSON:
        show_json(simulation_as_json(report))
    else:
        print_simulation(report, console())


@data_app.command()
def show(
    circuits: CircuitsArgument = None,
    version: VersionOption = None,
    fleet: FleetOption = Path(),
    source: SourceOption = None,
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """List the circuits that have readings: rows, first and last time, sensors.

    For example:

    fleetcast data show

    fleetcast data show 'PLANT001/*' --delta-version 3 --format json
    """
    from fleetcast.app import open_readings
    from fleetcast.cli.data_views import print_holdings
    from fleetcast.views.data import holdings_as_json

    holdings = open_readings(fleet, source).holdings(circuits or (), version)
    if view is View.JSON:
        show_json(holdings_as_json(holdings))
    else:
        print_holdings(holdings, console(wide=wide))


@data_app.command()
def quality(
    circuits: CircuitsArgument = None,
    frequency: Annotated[
        str | None, typer.Option(help="Grid to measure on; default: the usual time between readings.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="SENSOR=MIN..MAX", help="Physical range; either end may be left out."),
    ] = None,
    needed_steps: Annotated[int, typer.Option(help="Unbroken steps that training needs.")] = 1,
    version: VersionOption = None,
    fleet: FleetOption = Path(),
    source: SourceOption = None,
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """Measure the readings: missing, gaps, stuck, impossible, spikes, mixed frequency, too short.

    A circuit that the fleet declares is judged as training judges it: its window, frequency, limits and cleaning
    rules. With --frequency or --limit, and for other circuits, all readings are measured.

    For example:

    fleetcast data quality

    fleetcast data quality 'LHB/*' --frequency 10min --limit Ot_avg=-50..60
    """
    from fleetcast.app import open_readings
    from fleetcast.cli.data_views import print_quality
    from fleetcast.views.data import quality_as_json
    from fleetcast.workflows.inspect_data import QualityCheck, checked_as_declared

    readings = open_readings(fleet, source)
    held = readings.holdings(circuits or (), version)
    step = None if frequency is None else duration_of(frequency)
    limits = dict(_limits(text) for text in limit or ())
    declared = {} if step or limits else _declared(fleet)
    checks = [
        checked_as_declared(declared[one.key])
        if one.key in declared
        else QualityCheck(one.key, tuple(one.readings), step, limits, needed_steps=needed_steps)
        for one in held.circuits
    ]
    checked = readings.quality(checks, held.version)
    if view is View.JSON:
        show_json(quality_as_json(checked, held.version))
    else:
        print_quality(checked, held.version, console(wide=wide))


@data_app.command()
def versions(
    fleet: FleetOption = Path(),
    source: SourceOption = None,
    view: ViewOption = View.TEXT,
    wide: WideOption = False,  # noqa: FBT002
) -> None:
    """List the versions of the readings table, newest first: the numbers that `delta_version` may name.

    For example:

    fleetcast data versions
    """
    from fleetcast.app import open_readings
    from fleetcast.cli.data_views import print_versions
    from fleetcast.views.data import versions_as_json

    known = open_readings(fleet, source).versions()
    if view is View.JSON:
        show_json(versions_as_json(known))
    else:
        print_versions(known, console(wide=wide))


def _declared(fleet: Path) -> Mapping[CircuitKey, Circuit]:
    """The circuits of the fleet repository."""
    from fleetcast.config.reader import load_fleet

    return {circuit.key: circuit for circuit in load_fleet(fleet, now=datetime.now(UTC)).circuits}


def _limits(text: str) -> tuple[str, SensorLimits]:
    sensor, equals, span = text.partition("=")
    low, dots, high = span.partition("..")
    try:
        if equals and dots:
            return sensor, SensorLimits(float(low) if low else None, float(high) if high else None)
    except ValueError:
        pass
    raise BadInput(
        f"limit {text!r} is not a range", fix="write --limit SENSOR=MIN..MAX, such as Ot_avg=-50..60"
    )


@data_app.command()
def pin(
    patterns: PatternsOption = None,
    dry_run: DryRunOption = False,  # noqa: FBT002
    fleet: FleetOption = Path(),
    source: SourceOption = None,
    view: ViewOption = View.TEXT,
) -> None:
    """Write the version that each table of readings has now into the circuits, as `delta_version`.

    Rows that arrive later count after the next pin. Comments stay, and no other line changes.

    For example:

    fleetcast data pin --circuits 'PLANT001/*'
    """
    from fleetcast.app import open_fleet
    from fleetcast.cli.circuits import report_edit

    opened = open_fleet(fleet)
    edited = opened.pinning(dry_run=dry_run)(opened.fleet.circuits, patterns or (), source)
    report_edit(edited, dry_run, view, "pinned")


@data_app.command()
def vacuum(
    keep: Annotated[list[int] | None, typer.Option("--keep", help="A version to keep besides.")] = None,
    older_than: Annotated[
        str, typer.Option(metavar="DURATION", help="Spare what was replaced more recently than this.")
    ] = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,  # noqa: FBT002
    fleet: FleetOption = Path(),
    source: SourceOption = None,
    view: ViewOption = View.TEXT,
) -> None:
    """Remove files of the fleet's own table that nobody needs any more, to free space.

    The newest version stays readable, and so do all that a circuit names or a model was trained on, as long as
    retention keeps its files.

    For example:

    fleetcast data vacuum --dry-run
    """
    from fleetcast.app import open_fleet
    from fleetcast.views.data import vacuum_as_json

    opened = open_fleet(fleet)
    cleaning = opened.vacuuming(source)
    done = cleaning(opened.fleet, keep=keep or (), older_than=duration_of(older_than), dry_run=dry_run)
    if view is View.JSON:
        show_json(vacuum_as_json(cleaning.source, done, removed=not dry_run))
        return
    say(f"{done.files} files {'would be ' if dry_run else ''}removed from {cleaning.source!r}")
    say(f"readable: the newest version and {', '.join(map(str, done.kept)) or 'no other'}")
