"""The control database as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from fleetcast.domain.canonical import Json


def as_json(address: str, *, schema: str | None, newest_schema: str, holders: Mapping[str, str]) -> Json:
    """Where it is, its schema (null: none yet) and the one this program knows, and who holds which lease."""
    return {
        "address": address,
        "schema": schema,
        "newest_schema": newest_schema,
        "leases": [{"name": name, "holder": holder} for name, holder in holders.items()],
    }
