"""People, groups, roles and tokens as JSON and in words; never a secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fleetcast.domain.audit import Actor, Proof
from fleetcast.domain.canonical import Json
from fleetcast.domain.people import Directory, Grant, Person
from fleetcast.domain.token import Token
from fleetcast.views.moments import iso


def as_json(directory: Directory) -> dict[str, Json]:
    """Everybody on record, with the groups and what each was given."""
    return {
        "open": directory.is_open,
        "people": [
            {
                "name": person.name,
                "kind": person.kind.value,
                "full_name": person.full_name,
                "aliases": list(person.aliases),
                "disabled": person.disabled,
                "identities": [proof_as_json(proof) for proof in person.identities],
                "groups": groups_of(directory, person),
                "roles": [_grant(grant) for grant in own_grants(directory, person.id)],
            }
            for person in by_name(directory)
        ],
        "groups": [
            {
                "name": group.name,
                "members": sorted(person.name for person in directory.people if person.id in group.members),
                "roles": [_grant(grant) for grant in own_grants(directory, group.name)],
            }
            for group in directory.groups
        ],
    }


def actor_as_json(actor: Actor, roles: Sequence[Grant], *, on_record: bool) -> dict[str, Json]:
    """Who acts, how that is known, and what they were given."""
    return {
        "name": actor.name,
        "standing": actor.standing.value,
        "proof": None if actor.proof is None else proof_as_json(actor.proof),
        "on_record": on_record,
        "roles": [_grant(grant) for grant in roles],
    }


def tokens_as_json(tokens: Sequence[Token], directory: Directory, now: datetime) -> Json:
    """Tokens without their secrets."""
    return [token_as_json(token, directory, now) for token in tokens]


def token_as_json(token: Token, directory: Directory, now: datetime) -> dict[str, Json]:
    """A token without its secret."""
    person = directory.person(token.person)
    return {
        "token": token.number,
        "person": token.person if person is None else person.name,
        "purpose": token.purpose,
        "standing": token.standing.value,
        "only": sorted(right.value for right in token.only),
        "state": token.state(now).value,
        "made_by": token.made_by,
        "made_at": iso(token.made_at),
        "expires_at": iso(token.expires_at),
        "revoked_at": None if token.revoked_at is None else iso(token.revoked_at),
    }


def proof_as_json(proof: Proof) -> dict[str, Json]:
    """How somebody showed who they are."""
    return {"means": proof.means.value, "detail": proof.detail}


def by_name(directory: Directory) -> Sequence[Person]:
    """People in the order of their names."""
    return sorted(directory.people, key=lambda person: person.name)


def groups_of(directory: Directory, person: Person) -> list[str]:
    """The names of the groups that somebody is in."""
    return [group.name for group in directory.groups if person.id in group.members]


def own_grants(directory: Directory, to: str) -> Sequence[Grant]:
    """What a person or a group was given by its own name."""
    return sorted((grant for grant in directory.grants if grant.to == to), key=str)


def granted(directory: Directory, person: Person) -> Sequence[Grant]:
    """What somebody has, through groups too."""
    return sorted(directory.grants_of(person), key=str)


def _grant(grant: Grant) -> dict[str, Json]:
    scope = grant.scope
    return {
        "role": grant.role.value,
        "gate": None if scope.gate is None else scope.gate.value,
        "environment": None if scope.environment is None else scope.environment.value,
        "plant_id": scope.plant,
        "given_by": grant.origin.value,
    }
