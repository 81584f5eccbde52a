"""What tests of the platform hold all that went over the wire against."""

from __future__ import annotations

from collections.abc import Sequence

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.devops import check_devops
from tests.azure_oracle.exchanges import Standing
from tests.azure_oracle.oracle import check
from tests.azure_oracle.pins import moved, pins_of
from tests.azure_oracle.report import Report
from tests.azure_oracle.specs import FOUND


def as_published(exchanges: Sequence[Exchange]) -> None:
    """Nothing was asked that Azure does not know, and where the descriptions are at hand, all is as they say.

    Where they are not, the tests of this package are skipped, and say what is missing.
    """
    assert [f"{one.method} {one.host}{one.path}" for one in exchanges if not one.known] == []
    assert moved(pins_of(exchanges)) == ()
    if FOUND:
        assert Report.of(exchanges, check).failures == ()


_NOT_PUBLISHED = "/_apis/git/repositories/"
"""What gives the id of a repository; its Swagger is in another folder of Microsoft's, which is not at hand."""


def as_published_of_devops(exchanges: Sequence[Exchange]) -> None:
    """The same for Azure DevOps; an answer that a test has planted, and what asks for no such thing, says so itself."""
    if FOUND:
        checked = [check_devops(one) for one in exchanges if _NOT_PUBLISHED not in one.path and one.known]
        found = [f"{one.name}: {finding}" for one in checked for finding in one.findings]
        found += [f"{one.name}: {one.why}" for one in checked if one.standing is Standing.UNKNOWN]
        assert found == []
