"""Money is exact, and has a currency."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.money import Money


def test_an_amount_is_read_as_it_is_written_and_multiplied_to_the_hundredth() -> None:
    price = Money.parse("0.35 EUR")
    assert str(price) == "0.35 EUR"
    assert price.times(Decimal("0.1")) == Money(Decimal("0.04"), "EUR")
    assert price.times(Decimal(3)) == Money(Decimal("1.05"), "EUR")


@pytest.mark.parametrize(
    "text", ["", "0.35", "EUR 0.35", "0,35 EUR", "-1 EUR", "1 eur", "1 EURO", "1e3 EUR", "nan EUR"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no amount of money"):
        Money.parse(text)
