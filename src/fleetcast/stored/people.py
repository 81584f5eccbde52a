"""People, groups, roles and tokens, as they are written down."""

from __future__ import annotations

from fleetcast.domain.people import Grant, Group, Person
from fleetcast.domain.token import Token
from fleetcast.stored.form import Stored

PERSON = Stored(Person, remembered=2_000)
GROUP = Stored(Group, remembered=200)
GRANT = Stored(Grant, remembered=2_000)
TOKEN = Stored(Token, remembered=500)
