"""What a provider publishes about itself: where it is asked, and the keys that its tokens are signed with."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.settings import OidcSettings
from fleetcast.domain.settings.sign_in import checked_issuer
from fleetcast.domain.shown import plainly
from fleetcast.platforms.http.guarded import GuardedHttp
from fleetcast.ports.clock import Clock

Key = RSAKey | ECKey

KEPT = timedelta(hours=1)
"""For how long what was published is believed; a key that was withdrawn counts no longer than that."""
NOT_SOONER = timedelta(seconds=10)
"""Between two looks for a key that is not known: tokens with made-up keys do not make fleetcast hammer a provider."""
_MOST_KEYS = 100
_SHORTEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked for what."""

    authorization: str
    token: str
    keys: str
    device: str
    """Empty: it has no sign-in without a browser."""
    about_person: str
    """Of `userinfo`; empty: it has none."""
    names_issuer: bool
    """Whether its answers to a browser always say who sent them (RFC 9207)."""
    secret_in_form: bool
    """Whether it takes a client secret in the form alone."""


class Published:
    """Asks a provider for its own description and keys, and keeps both for a while."""

    def __init__(self, settings: OidcSettings, http: GuardedHttp, clock: Clock) -> None:
        self._settings, self._http, self._clock = settings, http, clock
        self._endpoints: tuple[datetime, Endpoints] | None = None
        self._keys: tuple[datetime, Mapping[str, Key]] | None = None
        self._looked_at: datetime | None = None
        self._looking = threading.Lock()

    def endpoints(self) -> Endpoints:
        """Where the provider is asked.

        Raises:
            Unavailable: It does not answer, answers nonsense, or describes another provider.
            BadInput: It may not be reached.
        """
        now = self._clock.now()
        if self._endpoints is None or not self._is_fresh(self._endpoints[0], now):
            issuer = self._settings.issuer.removesuffix("/")
            document = self._document(f"{issuer}/.well-known/openid-configuration", "description")
            self._endpoints = (now, _endpoints(document, self._settings))
        return self._endpoints[1]

    def key(self, kid: str | None) -> Key | None:
        """The key of this id; of no id the only key there is. One that is not known is looked for once more.

        Raises:
            Unavailable: The provider does not answer, or answers nonsense.
            BadInput: It may not be reached.
        """
        now = self._clock.now()
        if self._keys is None or not self._is_fresh(self._keys[0], now):
            self._keys = (now, self._keys_anew())
            self._looked_at = now
        found = _picked(self._keys[1], kid)
        if found is None and self._may_look(now):
            self._keys = (now, self._keys_anew())
            found = _picked(self._keys[1], kid)
        return found

    def _may_look(self, now: datetime) -> bool:
        """Whether to look for a key that is not known; of many who ask at once only one does."""
        with self._looking:
            earlier = self._looked_at
            if earlier is not None and timedelta() <= now - earlier < NOT_SOONER:
                return False
            self._looked_at = now
            return True

    @staticmethod
    def _is_fresh(since: datetime, now: datetime) -> bool:
        return timedelta() <= now - since < KEPT

    def _keys_anew(self) -> Mapping[str, Key]:
        listed = self._document(self.endpoints().keys, "keys").get("keys")
        if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
            raise _nonsense("keys", "there is no list of them, or a very long one")
        found: dict[str, Key] = {}
        for number, entry in enumerate(listed):
            if isinstance(entry, dict) and (key := _usable(entry)) is not None:
                kid = entry.get("kid")
                found[kid if isinstance(kid, str) else f" {number}"] = key
        if not found:
            raise _nonsense("keys", "none of them can be used")
        return found

    def _document(self, url: str, what: str) -> Mapping[str, Json]:
        answer = self._http.get(url)
        if not answer.is_good:
            raise _nonsense(what, f"it answered with status {answer.status}")
        found = answer.json()
        if found is None:
            raise _nonsense(what, "it is not JSON")
        return found


def _picked(keys: Mapping[str, Key], kid: str | None) -> Key | None:
    if kid is not None:
        return keys.get(kid)
    return next(iter(keys.values())) if len(keys) == 1 else None


def _usable(entry: dict[str, Json]) -> Key | None:
    """A public key for signatures that is long enough; None for all else, which a provider may list too."""
    if entry.get("kty") not in ("RSA", "EC") or entry.get("use", "sig") != "sig" or "d" in entry:
        return None
    texts: dict[str, str | list[str]] = {name: text for name, text in entry.items() if isinstance(text, str)}
    if entry["kty"] == "RSA" and len(str(entry.get("n"))) < _SHORTEST_RSA // 6:
        return None  # the library would take it, and warn
    try:
        key = import_key(texts)
    except (JoseError, ValueError, TypeError):
        return None
    if isinstance(key, RSAKey):
        return key if key.public_key.key_size >= _SHORTEST_RSA else None
    return key if isinstance(key, ECKey) else None


def _endpoints(document: Mapping[str, Json], settings: OidcSettings) -> Endpoints:
    said = document.get("issuer")
    if said != settings.issuer:
        raise Unavailable(
            f"{settings.issuer} describes itself as {plainly(said) or 'nobody'}",
            fix="write `sign_in.oidc.issuer` exactly as the provider does, or ask whoever keeps it",
        )
    methods = document.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(methods, list) or "S256" not in methods:
        raise _nonsense("description", "it does not offer PKCE with S256")
    ways = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Endpoints(
        authorization=_place(document, "authorization_endpoint", settings),
        token=_place(document, "token_endpoint", settings),
        keys=_place(document, "jwks_uri", settings),
        device=_place(document, "device_authorization_endpoint", settings, needed=False),
        about_person=_place(document, "userinfo_endpoint", settings, needed=False),
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        secret_in_form=isinstance(ways, list)
        and "client_secret_basic" not in ways
        and "client_secret_post" in ways,
    )


def _place(
    document: Mapping[str, Json],
    name: str,
    settings: OidcSettings,
    *,
    needed: bool = True,
) -> str:
    found = document.get(name)
    if found is None and not needed:
        return ""
    if not isinstance(found, str) or "#" in found or not found.isascii() or not found.isprintable():
        raise _nonsense("description", f"its `{name}` is no address")
    try:
        checked_issuer(found.partition("?")[0], settings.outgoing)
    except BadInput:
        raise _nonsense("description", f"its `{name}` is no address that begins with https://") from None
    return found


def _nonsense(what: str, why: str) -> Unavailable:
    return Unavailable(
        f"the {what} of the identity provider cannot be used: {why}",
        fix="see whether `sign_in.oidc.issuer` names it, and ask whoever keeps it",
    )
