"""Who somebody is by the word of an identity provider, read from the claims of a token that was checked."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fleetcast.domain.audit import Means, Proof
from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.role import Role
from fleetcast.domain.settings import OidcSettings

_LONGEST_SUBJECT = 255
_LONGEST_NAME = 200
_NOT_OVER = (None, False, "false")


class SignInRefused(FleetcastError):
    """An identity provider, or what it sent, did not prove who somebody is."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an identity provider says of somebody who signed in there."""

    proof: Proof
    """The same at each sign-in, and never another person's: what people on record are found by."""
    name: str = ""
    """What the provider calls them; proves nothing."""
    email: str = ""
    """Proves nothing."""
    roles: frozenset[Role] = frozenset()
    """What the settings give for their roles and groups there, at this sign-in."""
    groups_left_out: bool = False
    """Whether the token left out groups that roles depend on, as they were too many: none of `roles` is a group's."""


def shown_by(claims: Mapping[str, Json], settings: OidcSettings) -> Shown:
    """Read the claims of an ID token whose signature, issuer and audience were checked.

    Raises:
        SignInRefused: They do not name one person of the tenant, or roles cannot be read from them.
    """
    proof = _of_tenant(claims, settings.tenant) if settings.tenant else _of_issuer(claims)
    if _is_left_out(claims, "roles", settings.roles):
        raise left_out("roles")
    without_groups = _is_left_out(claims, "groups", settings.groups)
    roles = _given(claims, "roles", settings.roles)
    if not without_groups:
        roles |= _given(claims, "groups", settings.groups)
    name = plainly(claims.get("name")) or plainly(claims.get("preferred_username"))
    return Shown(proof, name, plainly(claims.get("email")), roles, without_groups)


def left_out(what: str) -> SignInRefused:
    """The error about somebody whose roles or groups are too many for a token, and who may do nothing without them."""
    return SignInRefused(
        f"the identity provider left out the {what} of this person, as they are too many for a token",
        fix="in Entra ID, let the token hold only groups that are assigned to this application, "
        "or use its roles in place of groups",
    )


def at_issuer(issuer: str, subject: str) -> Proof:
    """The identity of whom an issuer knows by a subject."""
    return Proof(Means.OIDC, f"issuer {issuer} subject {subject}")


def in_tenant(tenant: UUID, object_id: UUID) -> Proof:
    """The identity of an object of an Entra ID tenant."""
    return Proof(Means.OIDC, f"tenant {tenant} object {object_id}")


def plainly(value: object) -> str:
    """A text from outside as it may be shown on one line: printable and short; empty for anything else."""
    if not isinstance(value, str):
        return ""
    normal = unicodedata.normalize("NFKC", value[: 4 * _LONGEST_NAME])
    words = "".join(sign if sign.isprintable() else " " for sign in normal).split()
    return " ".join(words)[:_LONGEST_NAME]


def _of_issuer(claims: Mapping[str, Json]) -> Proof:
    subject = claims.get("sub")
    fits = isinstance(subject, str) and 0 < len(subject) <= _LONGEST_SUBJECT
    if not isinstance(subject, str) or not fits or not subject.isascii() or not subject.isprintable():
        raise _wrong("its subject is not a text of at most 255 ASCII characters")
    return at_issuer(str(claims.get("iss")), subject)


def _of_tenant(claims: Mapping[str, Json], tenant: str) -> Proof:
    found, person = (_uuid(claims.get(name)) for name in ("tid", "oid"))
    if found is None or str(found) != tenant:
        raise SignInRefused(
            f"the identity provider says that this is somebody of {f'tenant {found}' if found else 'no tenant'}",
            fix=f"sign in with an account of tenant {tenant}",
        )
    if person is None:
        raise _wrong("it names no object id")
    return in_tenant(found, person)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_left_out(claims: Mapping[str, Json], name: str, mapped: Mapping[str, Role]) -> bool:
    """Whether a claim that roles depend on is not in the token, but said to be elsewhere."""
    if not mapped:
        return False
    elsewhere = claims.get("_claim_names", {})
    if not isinstance(elsewhere, Mapping):
        raise _wrong("its `_claim_names` is not a mapping")
    return name in elsewhere or (name == "groups" and claims.get("hasgroups") not in _NOT_OVER)


def _given(claims: Mapping[str, Json], name: str, mapped: Mapping[str, Role]) -> frozenset[Role]:
    """What the names in a claim give; nothing where none do, whatever is in it."""
    found = claims.get(name, []) if mapped else []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise _wrong(f"its `{name}` is not a list of texts")
    return frozenset(mapped[each] for each in found if isinstance(each, str) and each in mapped)


def _wrong(what: str) -> SignInRefused:
    return SignInRefused(
        f"the identity provider's token cannot be used: {what}",
        fix="ask whoever keeps the provider to correct what it puts into the tokens of this application",
    )
