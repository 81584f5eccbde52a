"""Signing in at a provider that speaks OpenID Connect, with a browser (code and PKCE) or without (device code)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote_plus, urlencode

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.settings import OidcSettings
from fleetcast.domain.shown import Shown, SignInRefused, plainly, shown_by
from fleetcast.platforms.http.guarded import Answer, GuardedHttp
from fleetcast.platforms.oidc.id_token import IdTokens, is_same
from fleetcast.platforms.oidc.published import Endpoints, Published
from fleetcast.ports.clock import Clock
from fleetcast.ports.identity_provider import LONGEST_ATTEMPT, Attempt, DeviceAttempt

_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_LONGEST_CODE = 4_096
_LONGEST_DEVICE_ATTEMPT = timedelta(minutes=30)
_INTERVAL = 5
_TROUBLED = frozenset({429, *range(500, 600)})
"""Answers of a server that cannot answer now."""
_AGAIN = "sign in again with `fleetcast login`, or at the sign-in page"


class OidcProvider:
    """An identity provider that speaks OpenID Connect; its secrets are not shown."""

    def __init__(
        self, settings: OidcSettings, http: GuardedHttp, clock: Clock, *, secret: str | None = None
    ) -> None:
        self._settings, self._http, self._clock, self._secret = settings, http, clock, secret
        self._published = Published(settings, http, clock)
        self._tokens = IdTokens(settings, self._published, clock)

    def begin(self, redirect_uri: str) -> Attempt:
        """Begin a sign-in with a browser.

        Raises:
            Unavailable: The provider does not answer, or answers nonsense.
            BadInput: It may not be reached.
        """
        endpoint = self._published.endpoints().authorization
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"
        return Attempt(url, redirect_uri, state, nonce, verifier, self._clock.now())

    def finish(self, attempt: Attempt, brought: Mapping[str, str]) -> Shown:
        """End a sign-in with what the browser brought back.

        Raises:
            SignInRefused: Another sign-in's answer, a refusal, or a token that proves nothing.
            Unavailable: The provider does not answer, or answers nonsense.
            BadInput: It may not be reached.
        """
        if not is_same(brought.get("state"), attempt.state):
            raise SignInRefused("this answer belongs to another sign-in", fix=_AGAIN)
        if not timedelta() <= self._clock.now() - attempt.began_at <= LONGEST_ATTEMPT:
            raise SignInRefused("this sign-in took too long", fix=_AGAIN)
        endpoints = self._published.endpoints()
        issuer = brought.get("iss")
        if (issuer is None and endpoints.names_issuer) or issuer not in (None, self._settings.issuer):
            raise SignInRefused("this answer comes from another identity provider than was asked", fix=_AGAIN)
        if "error" in brought:
            raise _refusal(brought["error"], brought.get("error_description"))
        code = brought.get("code", "")
        if not code or len(code) > _LONGEST_CODE:
            raise SignInRefused("the identity provider sent no code", fix=_AGAIN)
        said = self._redeemed(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": attempt.redirect_uri,
                "code_verifier": attempt.verifier,
            }
        )
        return self._shown(said, attempt.nonce)

    def begin_device(self) -> DeviceAttempt:
        """Begin a sign-in without a browser.

        Raises:
            SignInRefused: The provider does not offer that to this application.
            Unavailable: The provider does not answer, or answers nonsense.
            BadInput: It may not be reached.
        """
        endpoints = self._published.endpoints()
        if not endpoints.device:
            raise SignInRefused(
                "the identity provider has no sign-in without a browser", fix="sign in with a browser"
            )
        answer = self._post(endpoints.device, {"scope": " ".join(self._settings.scopes)}, endpoints)
        said = _mapping(answer)
        if not answer.is_good:
            raise _refusal(said.get("error"), said.get("error_description"))
        return self._begun(said)

    def poll(self, attempt: DeviceAttempt) -> Shown | DeviceAttempt:
        """Ask once whether the person is done; the attempt as it goes on if not.

        Raises:
            SignInRefused: The person refused, or took too long.
            Unavailable: The provider answers nonsense.
            BadInput: It may not be reached.
        """
        now = self._clock.now()
        if now >= attempt.ends_at:
            raise _expired()
        if now < attempt.ask_from:
            return attempt
        endpoints = self._published.endpoints()
        form = {"grant_type": _DEVICE, "device_code": attempt.device_code}
        try:
            answer = self._post(endpoints.token, form, endpoints)
        except Unavailable:
            return attempt.unanswered(now)
        if answer.status in _TROUBLED:
            return attempt.unanswered(now)
        said = _mapping(answer)
        if answer.is_good:
            return self._shown(said, None)
        match said.get("error"):
            case "authorization_pending":
                return attempt.asked(now)
            case "slow_down":
                return attempt.slower(now)
            case "expired_token":
                raise _expired()
            case error:
                raise _refusal(error, said.get("error_description"))

    def wait(self, attempt: DeviceAttempt) -> Shown:
        """Ask until the person is done, sleeping in between.

        Raises:
            SignInRefused: The person refused, or took too long.
            Unavailable: The provider answers nonsense.
            BadInput: It may not be reached.
        """
        while True:
            moment = min(attempt.ask_from, attempt.ends_at)
            self._clock.sleep(max(timedelta(), moment - self._clock.now()))
            found = self.poll(attempt)
            if isinstance(found, Shown):
                return found
            attempt = found

    def _begun(self, said: Mapping[str, Json]) -> DeviceAttempt:
        code, shown, page = (said.get(name) for name in ("device_code", "user_code", "verification_uri"))
        lasts, interval = _seconds(said.get("expires_in")), _seconds(said.get("interval", _INTERVAL))
        if not isinstance(code, str) or not isinstance(shown, str) or not isinstance(page, str):
            raise _nonsense("it gives no code for a person to type")
        if not self._is_page(page) or not shown or plainly(shown) != shown or len(code) > _LONGEST_CODE:
            raise _nonsense("the code or its page cannot be shown")
        if lasts is None or interval is None:
            raise _nonsense("it does not say how long a code is good for")
        now, every = self._clock.now(), max(timedelta(seconds=1), interval)
        with_code = said.get("verification_uri_complete")
        return DeviceAttempt(
            page=page,
            user_code=shown,
            page_with_code=with_code if isinstance(with_code, str) and self._is_page(with_code) else "",
            device_code=code,
            ends_at=now + min(lasts, _LONGEST_DEVICE_ATTEMPT),
            interval=every,
            ask_from=now + every,
        )

    def _is_page(self, url: str) -> bool:
        """Whether people can be sent to an address."""
        fits = len(url) <= 2_000 and url.isascii() and url.isprintable() and " " not in url
        plain_too = self._settings.outgoing.allows_loopback
        return fits and url.startswith(("https://", "http://") if plain_too else "https://")

    def _redeemed(self, form: Mapping[str, str]) -> Mapping[str, Json]:
        endpoints = self._published.endpoints()
        answer = self._post(endpoints.token, form, endpoints)
        said = _mapping(answer)
        if not answer.is_good:
            raise _refusal(said.get("error"), said.get("error_description"))
        return said

    def _shown(self, said: Mapping[str, Json], nonce: str | None) -> Shown:
        claims = self._tokens.checked(said.get("id_token"), nonce)
        shown = shown_by(claims, self._settings)
        return shown if shown.name else self._with_names(shown, claims, said)

    def _with_names(self, shown: Shown, claims: Mapping[str, Json], said: Mapping[str, Json]) -> Shown:
        """With the name and email that a provider gives at another place than in its tokens; never more."""
        endpoint, token = self._published.endpoints().about_person, said.get("access_token")
        if not endpoint or not isinstance(token, str) or not token.isascii() or not token.isprintable():
            return shown
        try:
            answer = self._http.get(endpoint, headers={"Authorization": f"Bearer {token}"})
        except (Unavailable, BadInput):
            # A person without a name is still that person.
            return shown
        more = answer.json() if answer.is_good else None
        if more is None:
            return shown
        if more.get("sub") != claims.get("sub"):
            raise SignInRefused("the identity provider speaks of another person than signed in", fix=_AGAIN)
        name = plainly(more.get("name")) or plainly(more.get("preferred_username"))
        return replace(shown, name=shown.name or name, email=shown.email or plainly(more.get("email")))

    def _post(self, url: str, form: Mapping[str, str], endpoints: Endpoints) -> Answer:
        client, headers = {"client_id": self._settings.client_id}, {}
        if self._secret is not None and endpoints.secret_in_form:
            client["client_secret"] = self._secret
        elif self._secret is not None:
            pair = f"{quote_plus(self._settings.client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return self._http.post(url, {**form, **client}, headers=headers)


def _challenge(verifier: str) -> str:
    """What PKCE shows of a secret beforehand."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _seconds(value: object) -> timedelta | None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10**6:
        return None
    return timedelta(seconds=value)


def _mapping(answer: Answer) -> Mapping[str, Json]:
    said = answer.json()
    if said is None:
        raise _nonsense(f"it answered with status {answer.status} and no JSON")
    return said


def _refusal(error: object, description: object) -> SignInRefused:
    """What a provider gave as its reason, as far as it can be shown."""
    said = ": ".join(part for part in (plainly(error), plainly(description)) if part)
    if error == "access_denied":
        return SignInRefused("the sign-in was refused at the identity provider", fix=_AGAIN)
    if error in ("invalid_client", "unauthorized_client", "invalid_scope"):
        return SignInRefused(
            f"the identity provider does not take this application: {said}",
            fix="see `sign_in.oidc` in fleetcast.yaml, the client secret, and what the provider registered",
        )
    return SignInRefused(f"the identity provider refused: {said or 'it gave no reason'}", fix=_AGAIN)


def _expired() -> SignInRefused:
    return SignInRefused("the code was not typed in time", fix="run `fleetcast login` again")


def _nonsense(why: str) -> Unavailable:
    return Unavailable(
        f"the identity provider's answer cannot be used: {why}",
        fix="try again; if that does not help, ask whoever keeps the provider",
    )
