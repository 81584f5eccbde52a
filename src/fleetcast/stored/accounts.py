"""Accounts, one-time links, sign-in sessions and counted attempts, as they are written down."""

from __future__ import annotations

from fleetcast.domain.account import Account
from fleetcast.domain.attempts import Attempts, Listed
from fleetcast.domain.link import Link
from fleetcast.domain.session import SignInSession
from fleetcast.stored.form import Stored

ACCOUNT = Stored(Account)
LINK = Stored(Link)
SIGN_IN_SESSION = Stored(
    SignInSession, number=2, earlier={1: lambda fields: fields | {"roles": [], "groups_left_out": False}}
)
ATTEMPTS = Stored(Attempts)
LISTED = Stored(Listed)
