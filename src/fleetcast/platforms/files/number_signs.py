"""Decimal commas, thousands separators and odd minus signs: where they are told or plain, and where they are not.

Read without them, `999` is a reading and `1.234,5` or `−5` is none: the large or the negative readings alone vanish.
So cells that look like numbers are read or asked about, and never only counted as unreadable.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fleetcast.domain.ingest import IngestOptions, Thousands

_COMMA_NUMBER = r"^[+-]?\d+,\d+([eE][+-]?\d+)?$"
_SIGNS = {
    Thousands.POINT: r"\.",
    Thousands.COMMA: ",",
    Thousands.SPACE: "[ \u00a0\u2009\u202f]",
    Thousands.APOSTROPHE: "['\u2019]",
}
_NAMES = {
    Thousands.POINT: "points",
    Thousands.COMMA: "commas",
    Thousands.SPACE: "blanks",
    Thousands.APOSTROPHE: "apostrophes",
}


@dataclass(frozen=True, slots=True)
class SignQuestion:
    """What a cell looks like, for the person who knows what it is."""

    cell: str
    question: str
    fix: str


def with_plain_minus(cells: pl.Series) -> pl.Series:
    """Cells with the minus in front, as a hyphen: `−5` and `5-` are what some programs write for `-5`."""
    in_front = cells.str.replace(r"^\s*[-\u2212\u2013]\s*([\d.,])", "-$1")
    return in_front.str.replace(r"^\s*(\d[\d.,]*)\s*[-\u2212\u2013]\s*$", "-$1")


def ungrouped(raw: pl.Series, options: IngestOptions) -> pl.Series:
    """Cells without the thousands separator that was told; where it does not group digits, it stays."""
    if options.thousands in (None, Thousands.NONE):
        return raw
    text = raw.str.strip_chars()
    grouped = text.str.contains(_grouped(options.thousands, options.decimal or "."))
    return text.str.replace_all(_SIGNS[options.thousands], "").zip_with(grouped.fill_null(value=False), text)


def question_about(cells: pl.Series, options: IngestOptions) -> SignQuestion | None:
    """What to ask about cells that are no numbers as the options say; None if they look like none at all."""
    if options.decimal is None:
        return (
            _grouping(cells, options, ",") or _decimal_comma(cells, options) or _grouping(cells, options, ".")
        )
    return _grouping(cells, options, options.decimal)


def _decimal_comma(cells: pl.Series, options: IngestOptions) -> SignQuestion | None:
    commas = _matching(cells, _COMMA_NUMBER)
    grouped = _matching(commas, _grouped(Thousands.COMMA, "."))
    if not len(commas) or (len(grouped) == len(commas) and options.thousands is None):
        return None
    only_decimal = commas.filter(~commas.is_in(grouped.to_list()))
    return SignQuestion(
        (only_decimal if len(only_decimal) else commas)[0],
        "a decimal comma?",
        "add --decimal , if it is (or --decimal . to store such cells as no reading)",
    )


def _grouping(cells: pl.Series, options: IngestOptions, decimal: str) -> SignQuestion | None:
    if options.thousands is not None:
        return None
    for sign, name in _NAMES.items():
        grouped = _matching(cells, _grouped(sign, decimal)) if sign.value != decimal else cells.clear()
        if not len(grouped):
            continue
        either = _matching(grouped, _COMMA_NUMBER) if options.decimal is None else cells.clear()
        certain = grouped.filter(~grouped.is_in(either.to_list()))
        if not len(certain):
            return SignQuestion(
                grouped[0],
                "does the comma group thousands, or is it a decimal comma?",
                "add --thousands , or --decimal , (or --decimal . --thousands none to store such cells as no reading)",
            )
        comma = decimal == "," and (sign is Thousands.POINT or "," in certain[0]) and options.decimal is None
        return SignQuestion(
            certain[0],
            f"thousands grouped by {name}?",
            f"add {'--decimal , ' if comma else ''}--thousands {sign.value} if they are "
            "(or --thousands none to store such cells as no reading)",
        )
    return None


def _grouped(sign: Thousands, decimal: str) -> str:
    """A number with at least one group; commas may group as in India, by two digits before the last three."""
    group = _SIGNS[sign]
    between = r"\d{2,3}" if sign is Thousands.COMMA else r"\d{3}"
    part = r"\." if decimal == "." else decimal
    return rf"^[+-]?[1-9]\d{{0,2}}(?:{group}{between})*{group}\d{{3}}(?:{part}\d*)?$"


def _matching(cells: pl.Series, pattern: str) -> pl.Series:
    return cells.filter(cells.str.strip_chars().str.contains(pattern).fill_null(value=False))
