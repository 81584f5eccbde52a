"""People, groups, roles and tokens, as they are written down."""

from __future__ import annotations

from fleetcast.domain.people import Grant, Group, Origin, Person
from fleetcast.domain.token import Token
from fleetcast.stored.form import Stored

PERSON = Stored(Person)
GROUP = Stored(Group)
GRANT = Stored(Grant, number=2, earlier={1: lambda fields: fields | {"origin": Origin.FLEET.value}})
TOKEN = Stored(Token, remembered=500)
