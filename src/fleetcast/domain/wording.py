"""Words for people."""

from __future__ import annotations

from collections.abc import Iterable


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 circuit`, `2 batches`, `10,000 circuits`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def some_of(names: Iterable[object], most: int = 5) -> str:
    """The first of some names, each once, and how many more there are: `a, b and 3 more`."""
    every = list(dict.fromkeys(map(str, names)))
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def impact_in_words(impact: float) -> str:
    """How much forecasts suffer, as a share of their error; as a multiple of it from twice as much on."""
    if impact <= 0:
        return "none that can be told"
    return (
        f"{100 * impact:.0f} % of the forecast's error"
        if impact < 2
        else f"{impact:,.0f} × the forecast's error"
    )
