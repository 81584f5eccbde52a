"""Signing in at somebody else's: an identity provider says who a person is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from fleetcast.domain.shown import Shown

LONGEST_ATTEMPT = timedelta(minutes=10)
"""For how long somebody may take at the provider's pages."""
SLOWER = timedelta(seconds=5)
"""By how much a provider that says *slow down* is asked less often (RFC 8628)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in with a browser that has begun: kept for that browser alone, used once, then thrown away.

    Whoever holds it on a browser's behalf must neither show it to another browser nor take it from one.
    """

    url: str
    """Where the browser goes."""
    redirect_uri: str
    """Where the provider sends it back."""
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    """Of PKCE: shows that who redeems the code is who asked for it."""
    began_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceAttempt:
    """One sign-in from a program without a browser: a person types its code at the provider's page."""

    page: str
    """Where."""
    user_code: str
    """What they type."""
    page_with_code: str
    """The same page with the code filled in; empty where the provider has none."""
    device_code: str = field(repr=False)
    ends_at: datetime
    interval: timedelta
    ask_from: datetime
    """When the provider may be asked next."""

    def asked(self, now: datetime) -> DeviceAttempt:
        """After the provider said that the person is not done yet."""
        return replace(self, ask_from=now + self.interval)

    def slower(self, now: datetime) -> DeviceAttempt:
        """After the provider said *slow down*."""
        return replace(self, interval=self.interval + SLOWER).asked(now)

    def unanswered(self, now: datetime) -> DeviceAttempt:
        """After the provider did not answer: half as often."""
        return replace(self, interval=2 * self.interval).asked(now)


class IdentityProvider(Protocol):
    """Says who a person is. Every call may ask the provider; none keeps anything about a person.

    All of them raise `Unavailable` where the provider does not answer or answers nonsense, and `BadInput` where it
    may not be reached; then nothing has happened and the same can be tried again.
    """

    def begin(self, redirect_uri: str) -> Attempt:
        """Begin a sign-in with a browser.

        Args:
            redirect_uri: Registered at the provider; it gets back to `finish` what the browser brings there.
        """
        ...

    def finish(self, attempt: Attempt, brought: Mapping[str, str]) -> Shown:
        """End a sign-in with what the browser brought back from the provider.

        Args:
            attempt: What was kept for this very browser.
            brought: The query of the address it came back to: `code`, `state`, `iss`, or `error`.

        Raises:
            SignInRefused: Another sign-in's answer, a refusal, or a token that proves nothing. The attempt is over.
        """
        ...

    def begin_device(self) -> DeviceAttempt:
        """Begin a sign-in without a browser.

        Raises:
            SignInRefused: The provider does not offer that to this application.
        """
        ...

    def poll(self, attempt: DeviceAttempt) -> Shown | DeviceAttempt:
        """Ask once whether the person is done; the attempt as it goes on if not.

        Before `ask_from` the provider is not asked.

        Raises:
            SignInRefused: The person refused, or took too long.
        """
        ...

    def wait(self, attempt: DeviceAttempt) -> Shown:
        """Ask until the person is done, sleeping in between.

        Raises:
            SignInRefused: The person refused, or took too long.
        """
        ...
