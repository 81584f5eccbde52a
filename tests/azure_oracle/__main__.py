"""Hold everything that a running emulator was asked against what Microsoft publishes.

    python -m tests.azure_oracle http://127.0.0.1:PORT

Prints a line for each operation and the counts; ends with 1 if anything is wrong that nothing explains, or unknown.
"""

from __future__ import annotations

import sys

import httpx

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.exchanges import Standing
from tests.azure_oracle.oracle import check
from tests.azure_oracle.pins import moved, pins_of
from tests.azure_oracle.report import Report
from tests.azure_oracle.specs import FOUND, MISSING


def main() -> int:
    said = httpx.get(f"{sys.argv[1]}/__exchanges", trust_env=False, timeout=60).json()
    exchanges = [Exchange(**one) for one in said]
    unknown = [one for one in exchanges if not one.known]
    for one in unknown:
        print(f"unknown: {one.method} {one.host}{one.path}")
    if not FOUND:
        print(f"{len(exchanges):,} requests, {len(unknown)} of unknown routes; {MISSING}")
        return int(bool(unknown))
    report = Report.of(exchanges, check)
    print(report.as_table())
    elsewhere = moved(pins_of(exchanges))
    for line in elsewhere:
        print(f"moved: {line}")
    described = report.count(Standing.DESCRIBED)
    deviating = sum(row.deviating for row in report.rows)
    print(
        f"{len(exchanges):,} requests: {described:,} held against a published description, "
        f"{deviating} deviate as is known, {len(report.failures)} otherwise, {len(unknown)} of unknown routes"
    )
    return int(bool(report.failures or unknown or elsewhere))


if __name__ == "__main__":
    sys.exit(main())
