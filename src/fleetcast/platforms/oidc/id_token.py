"""ID tokens: what a provider signed about a person who signed in."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.registry import Header

from fleetcast.domain.canonical import Json
from fleetcast.domain.settings import OidcSettings
from fleetcast.domain.shown import SignInRefused, plainly
from fleetcast.platforms.oidc.published import Key, Published
from fleetcast.ports.clock import Clock

ALGORITHMS = tuple(f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512))
"""What a token may be signed with: nothing without a key pair, so neither `none` nor a shared secret."""
TOLERANCE = timedelta(seconds=60)
"""By how much the provider's clock may differ from this one."""
_LONGEST = 64_000
_RULES = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
"""Signed headers that nobody knows are no fault; none of them is read."""


@dataclass(frozen=True, slots=True)
class IdTokens:
    """Checks ID tokens of one provider for one application."""

    settings: OidcSettings
    published: Published
    clock: Clock

    def checked(self, token: object, nonce: str | None) -> Mapping[str, Json]:
        """The claims of a token that this provider signed for this application, and that is valid now.

        Args:
            token: As it came.
            nonce: Of the attempt that it must belong to; None where a sign-in has none (without a browser).

        Raises:
            SignInRefused: It is not that.
            Unavailable: The provider does not give its keys.
        """
        if not isinstance(token, str) or not token.isascii() or len(token) > _LONGEST:
            raise _refused("there is none")
        try:
            key = self._key(jws.extract_compact(token.encode()).headers())
            found = jwt.decode(token, key, registry=_RULES)
        except JoseError as error:
            raise _refused(_FAULTS.get(type(error).__name__, "it is not signed by the provider")) from None
        except (ValueError, TypeError, RecursionError):
            raise _refused("it is no token") from None
        self._check(found.claims, nonce)
        return found.claims

    def _key(self, header: Header) -> Key:
        if header.get("alg") not in ALGORITHMS:
            raise _refused("it is not signed in a way that is accepted")
        if header.get("typ", "JWT") != "JWT" or "crit" in header:
            raise _refused("it is another kind of token")
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise _refused("its key has no name")
        key = self.published.key(kid)
        if key is None:
            raise _refused("it is signed with a key that the provider does not publish")
        return key

    def _check(self, claims: Mapping[str, Json], nonce: str | None) -> None:
        client = self.settings.client_id
        rules = jwt.JWTClaimsRegistry(
            now=int(self.clock.now().timestamp()),
            leeway=int(TOLERANCE.total_seconds()),
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": client},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            rules.validate(dict(claims))
        except ExpiredTokenError:
            raise _refused("it has expired") from None
        except (InvalidClaimError, MissingClaimError) as error:
            raise _refused(_CLAIMS.get(error.claim, "it does not say what it should")) from None
        audience = claims.get("aud")
        shared = isinstance(audience, list) and len(audience) > 1
        if (shared or "azp" in claims) and claims.get("azp") != client:
            raise _refused("it was made for another application")
        if nonce is not None and not is_same(claims.get("nonce"), nonce):
            raise _refused("it belongs to another sign-in")


_FAULTS = {
    "BadSignatureError": "its signature is wrong",
    "DecodeError": "it is no token",
    "InvalidPayloadError": "it is no token",
    "ExceededSizeError": "it is too long",
}
_CLAIMS = {
    "iss": "another provider made it",
    "aud": "it was made for another application",
    "sub": "it names nobody",
    "nbf": "it is not valid yet",
    "iat": "it was made in the future",
    "exp": "it does not say when it ends",
}


def is_same(brought: object, expected: str) -> bool:
    """Whether a text from outside is a secret, in a time that does not tell how much of it."""
    if not isinstance(brought, str):
        return False
    return hmac.compare_digest(brought.encode(errors="backslashreplace"), expected.encode())


def _refused(why: str) -> SignInRefused:
    return SignInRefused(
        f"the identity provider's token proves nothing: {plainly(why)}",
        fix="sign in again; if that does not help, ask an admin of this fleet",
    )
