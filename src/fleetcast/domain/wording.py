"""Words for people."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 circuit`, `2 batches`, `10,000 circuits`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
