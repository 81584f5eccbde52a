"""Amounts of money: exact, with their currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from fleetcast.domain.errors import BadInput

_WRITTEN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s+([A-Z]{3})")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    amount: Decimal
    currency: str
    """ISO 4217, three capitals."""

    @classmethod
    def parse(cls, text: str) -> Money:
        """What somebody wrote, such as `0.35 EUR`.

        Raises:
            BadInput: It is no amount with a currency.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise BadInput(f"{text[:40]!r} is no amount of money", fix="write it as 0.35 EUR")
        return cls(Decimal(found[1]), found[2])

    def times(self, factor: Decimal) -> Money:
        """So many times as much, to the hundredth."""
        return Money((self.amount * factor).quantize(Decimal("0.01"), ROUND_HALF_UP), self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
