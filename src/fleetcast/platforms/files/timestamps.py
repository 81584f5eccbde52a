"""Time cells into UTC: ISO 8601 or a given format, offsets, zones, and the two odd hours a year."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from fleetcast.domain.duration import EARLIEST, LATEST
from fleetcast.domain.errors import BadInput
from fleetcast.domain.ingest import UNIX_FORMATS, Ambiguous, BadRows, IngestOptions, Nonexistent
from fleetcast.domain.zone_names import EASTERNMOST, WESTERNMOST, fixed_offset
from fleetcast.platforms.files.named_zones import (
    DIRECTIVE,
    NamedZones,
    unclear_zone,
    zone_offsets,
)
from fleetcast.platforms.files.raw_file import ROW, RawFile

_ISO = (
    r"^\s*(?P<day>\d{4}-\d{2}-\d{2})(?:[T ](?P<minute>\d{2}:\d{2})(?P<second>:\d{2}(?:[.,]\d{1,9})?)?)?"
    r"\s*(?P<offset>Z|z|[+-]\d{2}(?::?\d{2})?)?\s*$"
)
_UTC = pl.Datetime("us", "UTC")
_LEAP_SECOND = r":\d{2}:60"
"""The parser takes it for the second after, whose own reading it would replace."""
_FIRST, _LAST = pl.lit(EARLIEST.replace(tzinfo=None)), pl.lit(LATEST.replace(tzinfo=None))
"""Times outside are slips, most often milliseconds taken for seconds."""
_FIRST_COUNTED = pl.datetime(1971, 1, 1)
"""Numbers since 1970 that fall into it are seconds taken for milliseconds, days of a spreadsheet, or a clock that was
never set."""
_OF_A_SECOND = frozenset("STrXc+")
_OF_A_DATE = frozenset("YCymbBhdeaAwuUWGgVjDFvxnt%")
"""Directives that say nothing of the time of day."""


@dataclass(frozen=True, slots=True)
class Times:
    """The time of each row, aware UTC in microseconds; null where the row is to be left out, and why."""

    values: pl.Series
    unread: int
    skipped: int


def times_of(file: RawFile, columns: tuple[str, ...], options: IngestOptions) -> Times:
    """Read the time of every row.

    Raises:
        BadInput: A time cannot be read, carries no zone although none was given, or fell in an hour that the
            clock showed twice or never, and the options do not say what to do then.
    """
    first = _FIRST_COUNTED if options.timestamp_format in UNIX_FORMATS else _FIRST
    believable = pl.when(pl.col("naive").is_between(first, _LAST)).then(pl.col("naive"))
    parsed = _parsed(file, columns, options).with_columns(believable.alias("naive"))
    unread = parsed["naive"].is_null()
    if unread.any() and options.bad_rows is BadRows.REFUSE:
        _refuse_unread(file, columns, unread, 1971 if options.timestamp_format in UNIX_FORMATS else 1900)
    local = (parsed["offset"].is_null() & ~unread).alias("local")
    if local.any():
        return _with_zone(file, columns, options, parsed.with_columns(local))
    return Times(_utc(parsed), int(unread.sum()), 0)


def _utc(parsed: pl.DataFrame) -> pl.Series:
    utc = pl.col("naive") - pl.duration(minutes=pl.col("offset").fill_null(0))
    return parsed.select(utc.dt.replace_time_zone("UTC").cast(_UTC).alias("timestamp")).to_series()


def _parsed(file: RawFile, columns: tuple[str, ...], options: IngestOptions) -> pl.DataFrame:
    """Columns `naive` (as the clock showed it) and `offset` (minutes east of UTC, null if not said)."""
    fmt = options.timestamp_format
    dtype = file.frame[columns[0]].dtype
    if len(columns) == 1 and isinstance(dtype, pl.Datetime):
        naive = pl.col(columns[0]).cast(pl.Datetime("us", dtype.time_zone))
        if dtype.time_zone is None:
            return file.frame.select(naive=naive, offset=pl.lit(None, pl.Int64))
        return file.frame.select(
            naive=naive.dt.convert_time_zone("UTC").dt.replace_time_zone(None), offset=pl.lit(0)
        )
    if fmt in UNIX_FORMATS:
        return _since_1970(file, columns, UNIX_FORMATS[fmt])
    if len(columns) == 1 and dtype.is_numeric():
        raise BadInput(
            f"{file.path}: the times in {columns[0]!r} are numbers",
            fix=f"say what they count: --timestamp-format {'|'.join(UNIX_FORMATS)}",
        )
    text = file.frame.select(
        text=pl.concat_str(
            [pl.col(name).cast(pl.String).str.strip_chars() for name in columns], separator=" "
        )
    )
    if fmt is None:
        return _iso(text)
    named = NamedZones.of(fmt)
    return _formatted(text, fmt) if named is None else _in_named_zones(file, columns, text, named, options)


def _since_1970(file: RawFile, columns: tuple[str, ...], unit: int) -> pl.DataFrame:
    if len(columns) != 1:
        raise BadInput(
            f"{file.path}: a number since 1970 is one column, not {len(columns)}",
            fix="give one --timestamp-column",
        )
    number = pl.col(columns[0])
    if file.frame[columns[0]].dtype == pl.String:
        number = number.str.strip_chars()
        # 1.7357E+09 is what a spreadsheet leaves of a time: which of ten thousand seconds it was is lost.
        number = pl.when(~number.str.contains("[eE]")).then(number)
    whole = number.cast(pl.Int64, strict=False) * unit
    broken = (number.cast(pl.Float64, strict=False) * unit).round().cast(pl.Int64, strict=False)
    return file.frame.select(naive=pl.coalesce(whole, broken).cast(pl.Datetime("us")), offset=pl.lit(0))


def _iso(text: pl.DataFrame) -> pl.DataFrame:
    plain = text.select(
        naive=pl.col("text").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us"),
        offset=pl.lit(None, pl.Int64),
    )
    if not plain["naive"].null_count() and not text["text"].str.contains(_LEAP_SECOND).any():
        return plain
    parts = text.select(pl.col("text").str.extract_groups(_ISO)).unnest("text")
    clock = (
        pl.col("day")
        + " "
        + pl.col("minute").fill_null("00:00")
        + pl.col("second").fill_null(":00").str.replace(",", ".", literal=True)
    )
    offset = pl.col("offset").str.replace(":", "", literal=True)
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    minutes = offset.str.slice(1, 2).cast(pl.Int64, strict=False) * 60 + offset.str.slice(3, 2).cast(
        pl.Int64, strict=False
    ).fill_null(0)
    clock = pl.when(~clock.str.contains(_LEAP_SECOND)).then(clock)
    said = pl.when(offset.str.to_uppercase() == "Z").then(0).otherwise(sign * minutes)
    no_clock = ~said.is_between(WESTERNMOST, EASTERNMOST) | (
        offset.str.slice(3, 2).cast(pl.Int64, strict=False) > 59
    )
    clock = pl.when(~no_clock.fill_null(value=False)).then(clock)
    return parts.select(
        naive=clock.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"), offset=said
    )


def _formatted(text: pl.DataFrame, fmt: str) -> pl.DataFrame:
    if "%" not in fmt:
        raise BadInput(
            f"timestamp format {fmt!r} has no directive",
            fix=f"write strptime directives such as '%d/%m/%Y %H:%M', or one of {', '.join(UNIX_FORMATS)}",
        )
    directives = {found[-1] for found in DIRECTIVE.findall(fmt)}
    if "s" in directives:
        raise BadInput(
            f"timestamp format {fmt!r} counts seconds since 1970 UTC, whatever the zone",
            fix="give the column of the number alone, and --timestamp-format unix",
        )
    # The parser counts nanoseconds for %f, so that a half second would be 5 of them; %.f is what is meant.
    fmt = fmt.replace(".%f", "%.f")
    if "%f" in fmt:
        raise BadInput(
            f"timestamp format {fmt!r} does not say how many digits a fraction has",
            fix="write %.f for .5 or .500, or %3f, %6f, %9f for so many digits without a point",
        )
    try:
        if directives <= _OF_A_DATE:
            parsed = text["text"].str.to_date(fmt, strict=False).cast(pl.Datetime("us"))
        else:
            parsed = text["text"].str.to_datetime(fmt, strict=False, time_unit="us")
    except pl.exceptions.PolarsError as error:
        raise BadInput(
            f"timestamp format {fmt!r} is not understood", fix="write strptime directives: '%d/%m/%Y %H:%M'"
        ) from error
    aware = isinstance(parsed.dtype, pl.Datetime) and parsed.dtype.time_zone is not None
    naive = parsed.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if aware else parsed
    if directives & _OF_A_SECOND:
        naive = naive.set(_leap_seconds(text["text"], parsed, fmt), None)
    return pl.DataFrame({"naive": naive}).with_columns(offset=pl.lit(0 if aware else None, pl.Int64))


def _leap_seconds(text: pl.Series, parsed: pl.Series, fmt: str) -> pl.Series:
    """Which of the times were written with a second 60: written again, they show one 60 less."""
    suspect = (text.str.contains("60") & (parsed.dt.second() == 0)).fill_null(value=False)
    if not suspect.any():
        return suspect
    again = parsed.set(~suspect, None).dt.strftime(fmt)
    return (text.str.count_matches("60") > again.str.count_matches("60")).fill_null(value=False)


def _in_named_zones(
    file: RawFile, columns: tuple[str, ...], text: pl.DataFrame, named: NamedZones, options: IngestOptions
) -> pl.DataFrame:
    """Times with a zone's name: its offset, and null where only `--timezone` can say which of several it is."""
    parts = named.split(text["text"])
    parsed = _formatted(parts.select("text"), named.format)
    if named.beside_offset:
        return parsed
    offsets = zone_offsets(parts["zone"].drop_nulls().unique().sort().to_list(), options.timezone)
    unknown = parts["zone"].is_not_null() & ~parts["zone"].is_in(list(offsets))
    if unknown.any() and options.bad_rows is BadRows.REFUSE:
        row, example = _first(file, columns, unknown)
        name = parts["zone"].filter(unknown)[0]
        raise unclear_zone(f"{file.path}, row {row}: {example!r}", name, options.timezone)
    return parsed.select(
        naive=pl.when(~unknown).then(pl.col("naive")),
        offset=parts["zone"].replace_strict(offsets, default=None, return_dtype=pl.Int64),
    )


def _with_zone(
    file: RawFile, columns: tuple[str, ...], options: IngestOptions, parsed: pl.DataFrame
) -> Times:
    if options.timezone is None:
        row, example = _first(file, columns, parsed["local"])
        raise BadInput(
            f"{file.path}, row {row}: {example!r} is a naive local time without a zone",
            fix="say which clock it was: --timezone Europe/Paris, --timezone +01:00 or --timezone UTC",
        )
    minutes = fixed_offset(options.timezone)
    if minutes is not None:
        utc = _utc(parsed.with_columns(pl.col("offset").fill_null(minutes)))
        return Times(utc, int(parsed["naive"].null_count()), 0)
    _check_zone(options.timezone)
    found = parsed.select(
        "local",
        strict=_local(options.timezone, "null"),
        earliest=_local(options.timezone, "earliest"),
        latest=_local(options.timezone, "latest"),
    )
    twice = (found["local"] & found["strict"].is_null() & found["earliest"].is_not_null()).alias("twice")
    never = (found["local"] & found["earliest"].is_null()).alias("never")
    _refuse_odd_hours(file, columns, options, twice, never)
    shifted = (pl.col("naive") + pl.duration(hours=1)).alias("naive")
    later = parsed.with_columns(shifted).select(_local(options.timezone, "earliest")).to_series()
    chosen = {Ambiguous.EARLIEST: found["earliest"], Ambiguous.LATEST: found["latest"]}.get(options.ambiguous)
    local = found["strict"].zip_with(~twice, chosen if chosen is not None else found["strict"])
    if options.nonexistent is Nonexistent.SHIFT:
        local = local.zip_with(~never, later)
    values = local.zip_with(found["local"], _utc(parsed)).alias("timestamp")
    unread = int(parsed["naive"].null_count())
    return Times(values, unread, int(values.null_count()) - unread)


def _local(zone: str, ambiguous: str) -> pl.Expr:
    choice: pl.Expr = pl.lit(ambiguous)
    return (
        pl.col("naive")
        .dt.replace_time_zone(zone, ambiguous=choice, non_existent="null")
        .dt.convert_time_zone("UTC")
        .cast(_UTC)
    )


def _check_zone(zone: str) -> None:
    try:
        pl.select(pl.datetime(2000, 1, 1).dt.replace_time_zone(zone))
    except pl.exceptions.PolarsError as error:
        raise BadInput(
            f"time zone {zone!r} is not known",
            fix="write an IANA name such as Europe/Paris, or an offset such as +01:00",
        ) from error


def _refuse_odd_hours(
    file: RawFile, columns: tuple[str, ...], options: IngestOptions, twice: pl.Series, never: pl.Series
) -> None:
    if twice.any() and options.ambiguous is Ambiguous.ERROR:
        raise BadInput(
            f"{file.path}: {int(twice.sum())} times occurred twice in {options.timezone}, as the clock went "
            f"back: {_rows(file, columns, twice)}",
            fix="choose: --ambiguous earliest|latest|skip (or --timezone +01:00 if the clock never moved)",
        )
    if never.any() and options.nonexistent is Nonexistent.ERROR:
        raise BadInput(
            f"{file.path}: {int(never.sum())} times never occurred in {options.timezone}, as the clock went "
            f"forward: {_rows(file, columns, never)}",
            fix="choose: --nonexistent shift|skip (or --timezone +01:00 if the clock never moved)",
        )


def _refuse_unread(file: RawFile, columns: tuple[str, ...], unread: pl.Series, since: int) -> None:
    row, example = _first(file, columns, unread)
    count = int(unread.sum())
    formats = f"'%d/%m/%Y %H:%M', {', '.join(UNIX_FORMATS)}"
    hint = f"give the right --timestamp-format ({formats})" if count == len(unread) else "fix it"
    if re.search(_LEAP_SECOND, example):
        raise BadInput(
            f"{file.path}, row {row}: {example!r} is a leap second, which no clock here shows",
            fix="write it as the second before or after, or leave such rows out: --skip-bad-rows",
        )
    raise BadInput(
        f"{file.path}, row {row}: {example!r} is no time from {since} to 2200 ({count} of {len(unread)} rows)",
        fix=f"{hint}, or leave such rows out: --skip-bad-rows",
    )


def _first(file: RawFile, columns: tuple[str, ...], wrong: pl.Series) -> tuple[int, str]:
    at = file.frame.filter(wrong).select(ROW, *columns).row(0)
    return int(at[0]), " ".join("" if cell is None else str(cell) for cell in at[1:])[:60]


def _rows(file: RawFile, columns: tuple[str, ...], wrong: pl.Series) -> str:
    shown = file.frame.filter(wrong).select(ROW, *columns).head(3).rows()
    text = ", ".join(f"row {row[0]} ({' '.join(str(cell) for cell in row[1:])})" for row in shown)
    return text + (" …" if int(wrong.sum()) > len(shown) else "")
