"""How often somebody may try to sign in: a few times at once, then after pauses that grow, and never never again."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fleetcast.domain.identity import Digest
from fleetcast.domain.people import folded

FORGOTTEN_AFTER = timedelta(hours=1)
"""After so long without a failure it is as if there had been none."""
LISTED_A_MINUTE = 3
"""Refused sign-ins of one person that the audit log shows within a minute; further ones are counted."""
UNKNOWN = "unknown"
"""Where an attempt comes from whose address nobody knows."""
_MINUTE = timedelta(minutes=1)
_BUCKET_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Limit:
    """How many attempts are free, and how long the pauses after them are."""

    free: int
    first: timedelta
    longest: timedelta

    def pause(self, failures: int) -> timedelta:
        """How long to wait after so many failures."""
        beyond = failures - self.free
        if beyond < 0:
            return timedelta(0)
        return min(self.first * (1 << min(beyond, 30)), self.longest)


OF_A_NAME = Limit(5, timedelta(seconds=30), timedelta(minutes=15))
OF_AN_ADDRESS = Limit(20, timedelta(seconds=30), timedelta(minutes=15))
"""More: many people may share one."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is known of those who tried under one name, or from one address."""

    failures: int
    """Attempts that did not succeed, or of which nobody knows yet how they end."""
    last_at: datetime | None

    def wait(self, limit: Limit, now: datetime) -> timedelta:
        """How long until the next attempt; none while one is free. At most the longest pause, whatever happened."""
        if self.last_at is None:
            return timedelta(0)
        pause = limit.pause(self.failures)
        return max(timedelta(0), min(self.last_at + pause - now, pause))

    def begun(self, now: datetime) -> Attempts:
        """With one more, which counts as failed until it has succeeded: many at the same moment gain nothing."""
        before = 0 if self.last_at is None or now - self.last_at >= FORGOTTEN_AFTER else self.failures
        return Attempts(before + 1, now)

    def taken_back(self) -> Attempts:
        """Without the last one, which succeeded."""
        return replace(self, failures=max(0, self.failures - 1))


NO_ATTEMPTS = Attempts(0, None)
"""Of somebody who never tried, or has signed in since."""


@dataclass(frozen=True, slots=True)
class Listed:
    """How many refused sign-ins of one person the audit log shows since a moment."""

    since: datetime
    entries: int = 0
    unlisted: int = 0
    """Refused since the last entry."""

    def next(self, now: datetime) -> tuple[Listed, bool]:
        """After one more; and whether it gets an entry."""
        current = self if self.since <= now < self.since + _MINUTE else Listed(now, 0, self.unlisted)
        if current.entries >= LISTED_A_MINUTE:
            return replace(current, unlisted=current.unlisted + 1), False
        return replace(current, entries=current.entries + 1, unlisted=0), True


def key_of_name(name: str) -> str:
    """Under what attempts with a name are counted, the same whether anybody has that name.

    A few bits of a digest: made-up names cannot fill the table, and it does not hold what was typed, which now and
    then is a password in the wrong field.
    """
    return f"name {_bucket(folded(name))}"


def key_of_address(address: str) -> str | None:
    """Under what attempts from an address are counted: for IPv6 its network, as one machine has a whole one.

    None for what is no address: all who come from nowhere must not wait for each other.
    """
    network = network_of(address)
    return None if network == UNKNOWN else f"address {_bucket(network)}"


def limits_of(name: str, address: str) -> Mapping[str, Limit]:
    """What an attempt counts towards, by the keys of its name and address."""
    by_address = key_of_address(address)
    limits = {key_of_name(name): OF_A_NAME}
    return limits if by_address is None else limits | {by_address: OF_AN_ADDRESS}


def network_of(address: str) -> str:
    """An address as it is counted and shown; `unknown` for what is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found)


def _bucket(text: str) -> str:
    return Digest.of(text.encode(errors="replace")).hex[:_BUCKET_DIGITS]
