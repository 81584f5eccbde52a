"""Signing in at a real provider: npm's oidc-provider, through its own pages."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from fleetcast.domain.audit import Means, Proof
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.role import Role
from fleetcast.domain.settings import OIDC_SECRET_VARIABLE, OidcSettings
from fleetcast.domain.shown import Shown, SignInRefused
from fleetcast.platforms.http.guarded import GuardedHttp
from fleetcast.platforms.oidc.id_token import IdTokens
from fleetcast.platforms.oidc.opening import open_identity_provider
from fleetcast.platforms.oidc.published import NOT_SOONER, Published
from fleetcast.ports.clock import Clock
from fleetcast.ports.identity_provider import DeviceAttempt, IdentityProvider
from tests.servers.oidc_provider import (
    CLIENT,
    MISSING,
    REDIRECT,
    TENANT,
    Browser,
    OidcServer,
    free_port,
    is_installed,
    new_keys,
    oidc_provider,
)

HERE = Outgoing(networks=(ip_network("127.0.0.1/32"),))


@dataclass(slots=True)
class ShiftedClock:
    """The machine's clock, and what was slept besides: nobody waits."""

    ahead: timedelta = timedelta()
    slept: list[timedelta] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, length: timedelta) -> None:
        self.slept.append(length)
        self.ahead += length


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


def settings(server: OidcServer) -> OidcSettings:
    return OidcSettings(CLIENT, server.issuer, outgoing=HERE)


def opened(declared: OidcSettings, clock: Clock, secret: str | None = None) -> IdentityProvider:
    environment = {} if secret is None else {OIDC_SECRET_VARIABLE: secret}
    return open_identity_provider(declared, environment, clock)


def entra(server: OidcServer) -> OidcSettings:
    return replace(settings(server), tenant=TENANT)


def test_somebody_signs_in_with_a_browser(oidc: OidcServer, clock: ShiftedClock, browser: Browser) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin(REDIRECT)
    asked = {name: value for name, (value,) in parse_qs(urlsplit(attempt.url).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["state"] == attempt.state
    assert attempt.verifier not in attempt.url
    assert provider.finish(attempt, browser.sign_in(attempt.url, "ada")) == Shown(
        Proof(Means.OIDC, f"issuer {oidc.issuer} subject ada"), "Name of ada", "ada@example.com"
    )


def test_no_two_attempts_are_alike_and_none_shows_its_secrets(oidc: OidcServer, clock: ShiftedClock) -> None:
    provider = opened(settings(oidc), clock)
    one, other = provider.begin(REDIRECT), provider.begin(REDIRECT)
    secrets = {one.state, one.nonce, one.verifier, other.state, other.nonce, other.verifier}
    assert len(secrets) == 6
    for secret in secrets:
        assert secret not in repr(replace(one, url="")) + repr(replace(other, url=""))


def test_an_application_with_a_secret_shows_it(
    oidc: OidcServer, clock: ShiftedClock, browser: Browser
) -> None:
    declared = replace(settings(oidc), client_id="secretive")
    provider = opened(declared, clock, "sesame+/ sesame")
    attempt = provider.begin(REDIRECT)
    assert provider.finish(attempt, browser.sign_in(attempt.url, "ada")).proof.detail.endswith("subject ada")
    wrong = opened(declared, clock, "abracadabra")
    attempt = wrong.begin(REDIRECT)
    with pytest.raises(SignInRefused, match="does not take this application: invalid_client") as error:
        wrong.finish(attempt, browser.sign_in(attempt.url, "ada"))
    assert "abracadabra" not in str(error.value) + error.value.fix + repr(wrong)


def test_a_secret_that_is_set_and_empty_is_not_taken_for_none(oidc: OidcServer, clock: ShiftedClock) -> None:
    with pytest.raises(BadInput, match="is set and empty"):
        opened(settings(oidc), clock, " ")


def test_a_wrong_verifier_is_refused_by_the_provider(
    oidc: OidcServer, clock: ShiftedClock, browser: Browser
) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin(REDIRECT)
    brought = browser.sign_in(attempt.url, "ada")
    with pytest.raises(SignInRefused, match="invalid_grant"):
        provider.finish(replace(attempt, verifier=provider.begin(REDIRECT).verifier), brought)


def test_nothing_secret_is_logged(
    oidc: OidcServer, clock: ShiftedClock, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    declared = replace(settings(oidc), client_id="secretive")
    provider = opened(declared, clock, "sesame+/ sesame")
    attempt = provider.begin(REDIRECT)
    brought = browser.sign_in(attempt.url, "ada")
    caplog.clear()
    provider.finish(attempt, brought)
    device = opened(settings(oidc), clock).begin_device()
    assert caplog.text
    for secret in (attempt.state, attempt.nonce, attempt.verifier, brought["code"], device.device_code):
        assert secret not in caplog.text
    assert not re.search("sesame|eyJ|Basic|Bearer", caplog.text)


def test_a_code_counts_once(oidc: OidcServer, clock: ShiftedClock, browser: Browser) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin(REDIRECT)
    brought = browser.sign_in(attempt.url, "ada")
    provider.finish(attempt, brought)
    with pytest.raises(SignInRefused, match="invalid_grant"):
        provider.finish(attempt, brought)


def test_what_another_browser_brought_is_refused(
    oidc: OidcServer, clock: ShiftedClock, browser: Browser
) -> None:
    provider = opened(settings(oidc), clock)
    mine, hers = provider.begin(REDIRECT), provider.begin(REDIRECT)
    brought = browser.sign_in(hers.url, "mallory")
    with pytest.raises(SignInRefused, match="belongs to another sign-in"):
        provider.finish(mine, brought)
    with pytest.raises(SignInRefused, match="belongs to another sign-in"):
        provider.finish(mine, {name: value for name, value in brought.items() if name != "state"})
    with pytest.raises(SignInRefused, match="belongs to another sign-in"):
        provider.finish(hers, {**brought, "state": "\ud800"})
    with pytest.raises(SignInRefused, match="belongs to another sign-in"):
        provider.finish(replace(hers, nonce=mine.nonce), brought)


def test_an_attempt_ends(oidc: OidcServer, clock: ShiftedClock, browser: Browser) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin(REDIRECT)
    brought = browser.sign_in(attempt.url, "ada")
    clock.ahead += timedelta(minutes=11)
    with pytest.raises(SignInRefused, match="took too long"):
        provider.finish(attempt, brought)


def test_somebody_who_gives_up_is_told(oidc: OidcServer, clock: ShiftedClock, browser: Browser) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin(REDIRECT)
    with pytest.raises(SignInRefused, match="was refused at the identity provider"):
        provider.finish(attempt, browser.abort(attempt.url))


def test_what_a_provider_gives_as_its_reason_cannot_imitate_other_lines(
    oidc: OidcServer, clock: ShiftedClock
) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin(REDIRECT)
    said = {
        "state": attempt.state,
        "iss": oidc.issuer,
        "error": "a\nb\x1b[2J",
        "error_description": "c" * 9_999,
    }
    with pytest.raises(SignInRefused) as error:
        provider.finish(attempt, said)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600


def test_an_answer_of_another_provider_is_refused(
    oidc: OidcServer, clock: ShiftedClock, browser: Browser
) -> None:
    with oidc_provider() as other:
        asked, honest = opened(settings(oidc), clock), opened(settings(other), clock)
        attempt, elsewhere = asked.begin(REDIRECT), honest.begin(REDIRECT)
        brought = dict(browser.sign_in(elsewhere.url, "ada"))
        with pytest.raises(SignInRefused, match="another identity provider"):
            asked.finish(attempt, {**brought, "state": attempt.state})
        del brought["iss"]
        with pytest.raises(SignInRefused, match="another identity provider"):
            asked.finish(attempt, {**brought, "state": attempt.state})


def test_a_provider_that_describes_itself_as_another_is_refused(
    oidc: OidcServer, clock: ShiftedClock
) -> None:
    networks = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    declared = OidcSettings(CLIENT, f"http://localhost:{oidc.port}", outgoing=Outgoing(networks=networks))
    with pytest.raises(Unavailable, match=f"describes itself as {oidc.issuer}"):
        opened(declared, clock).begin(REDIRECT)


def test_a_provider_that_is_not_there(clock: ShiftedClock) -> None:
    declared = OidcSettings(CLIENT, f"http://127.0.0.1:{free_port()}", outgoing=HERE)
    with pytest.raises(Unavailable, match="cannot be asked"):
        opened(declared, clock).begin(REDIRECT)


def test_a_provider_on_this_machine_is_not_asked_unless_settings_say_so(
    oidc: OidcServer, clock: ShiftedClock
) -> None:
    with pytest.raises(BadInput, match="not reached by https"):
        OidcSettings(CLIENT, oidc.issuer)
    with pytest.raises(BadInput, match=r"127\.0\.0\.1 is loopback"):
        opened(OidcSettings(CLIENT, f"https://127.0.0.1:{oidc.port}"), clock).begin(REDIRECT)


# Entra ID's claims, from the same provider.


def shown_to(declared: OidcSettings, clock: Clock, browser: Browser, login: str) -> Shown:
    provider = opened(declared, clock)
    attempt = provider.begin(REDIRECT)
    return provider.finish(attempt, browser.sign_in(attempt.url, login))


def test_people_of_entra_are_known_by_tenant_and_object(
    oidc: OidcServer, clock: ShiftedClock, browser: Browser
) -> None:
    declared = replace(entra(oidc), roles={"Fleet.Approver": Role.APPROVER, "Fleet.Admin": Role.ADMIN})
    shown = shown_to(declared, clock, browser, "entra")
    assert shown.proof == Proof(Means.OIDC, f"tenant {TENANT} object aaaaaaaa-0000-0000-0000-000000000001")
    assert shown.roles == {Role.APPROVER}


@pytest.mark.parametrize(
    ("login", "says"),
    [("elsewhere", "somebody of tenant 99999999"), ("ada", "somebody of no tenant")],
)
def test_people_of_other_tenants_are_refused(
    login: str, says: str, oidc: OidcServer, clock: ShiftedClock, browser: Browser
) -> None:
    with pytest.raises(SignInRefused, match=says):
        shown_to(entra(oidc), clock, browser, login)


@pytest.mark.parametrize("login", ["hasgroups", "overage"])
def test_groups_that_are_too_many_for_a_token_give_nothing_where_roles_depend_on_them(
    login: str, oidc: OidcServer, clock: ShiftedClock, browser: Browser
) -> None:
    mapped = replace(entra(oidc), groups={"leads": Role.APPROVER})
    assert shown_to(mapped, clock, browser, "grouped").roles == {Role.APPROVER}
    with Browser() as theirs:
        shown = shown_to(mapped, clock, theirs, login)
        assert (shown.roles, shown.groups_left_out) == (frozenset(), True)
    with Browser() as theirs:
        shown = shown_to(entra(oidc), clock, theirs, login)
        assert (shown.roles, shown.groups_left_out) == (frozenset(), False)


def test_a_name_from_outside_is_one_printable_line(
    oidc: OidcServer, clock: ShiftedClock, browser: Browser
) -> None:
    assert shown_to(settings(oidc), clock, browser, "unnamed").name == "line one"


# Without a browser.


def test_somebody_signs_in_without_a_browser(oidc: OidcServer, clock: ShiftedClock, browser: Browser) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin_device()
    assert provider.poll(attempt) == attempt
    waiting = after_its_interval(provider, attempt, clock)
    assert isinstance(waiting, DeviceAttempt)
    assert "successful" in browser.confirm_device(attempt.page, attempt.user_code, "ada")
    assert provider.wait(waiting).proof == Proof(Means.OIDC, f"issuer {oidc.issuer} subject ada")
    assert attempt.device_code not in repr(attempt)


def test_waiting_sleeps_as_long_as_the_provider_asks_for(oidc: OidcServer, clock: ShiftedClock) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin_device()
    with pytest.raises(SignInRefused, match="not typed in time"):
        provider.wait(attempt)
    assert len(clock.slept) > 20
    assert all(timedelta(seconds=4) < length <= timedelta(seconds=5) for length in clock.slept)


def test_a_provider_that_is_gone_is_asked_less_and_less_often(clock: ShiftedClock) -> None:
    if not is_installed():
        pytest.skip(MISSING)
    with oidc_provider() as server:
        provider = opened(settings(server), clock)
        attempt = provider.begin_device()
    later = after_its_interval(provider, attempt, clock)
    assert isinstance(later, DeviceAttempt)
    assert later.interval == 2 * attempt.interval


def test_slow_down_adds_five_seconds_for_good(oidc: OidcServer, clock: ShiftedClock) -> None:
    attempt = opened(settings(oidc), clock).begin_device()
    now = clock.now()
    slower = attempt.slower(now)
    assert slower.interval == attempt.interval + timedelta(seconds=5)
    assert slower.ask_from == now + slower.interval
    assert slower.asked(now).interval == slower.interval


def test_a_device_that_is_refused(oidc: OidcServer, clock: ShiftedClock, browser: Browser) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin_device()
    browser.refuse_device(attempt.page, attempt.user_code)
    with pytest.raises(SignInRefused, match="was refused at the identity provider"):
        provider.wait(attempt)


def test_a_code_that_expired_at_the_provider(clock: ShiftedClock) -> None:
    if not is_installed():
        pytest.skip(MISSING)
    with oidc_provider(device_seconds=1) as server:
        provider = opened(settings(server), clock)
        attempt = replace(provider.begin_device(), ends_at=clock.now() + timedelta(days=1))
        with pytest.raises(SignInRefused, match="not typed in time"):
            asked_until_refused(provider, attempt, clock)


def after_its_interval(
    provider: IdentityProvider, attempt: DeviceAttempt, clock: ShiftedClock
) -> Shown | DeviceAttempt:
    clock.sleep(max(timedelta(), attempt.ask_from - clock.now()))
    return provider.poll(attempt)


def asked_until_refused(provider: IdentityProvider, attempt: DeviceAttempt, clock: ShiftedClock) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = after_its_interval(provider, attempt, clock)
        assert isinstance(found, DeviceAttempt)
        attempt = found


# Tokens.


@dataclass(frozen=True, slots=True)
class Forger:
    """Makes tokens as the provider would, with changes."""

    server: OidcServer
    tokens: IdTokens

    def claims(self, **changed: object) -> dict[str, object]:
        now = int(time.time())
        plain: dict[str, object] = {
            "iss": self.server.issuer,
            "aud": CLIENT,
            "sub": "ada",
            "nonce": "n",
            "iat": now,
            "exp": now + 600,
        }
        changed_too = {**plain, **changed}
        return {name: value for name, value in changed_too.items() if value is not None}

    def token(self, header: dict[str, object] | None = None, key: object = None, **changed: object) -> str:
        own = next(iter(self.server.keys))
        said = {"alg": "RS256", "kid": own.kid, **(header or {})}
        content = json.dumps(self.claims(**changed))
        signing = own if key is None else key
        return jws.serialize_compact(said, content, signing, algorithms=[str(said["alg"])])  # type: ignore[arg-type]


@pytest.fixture
def forger(oidc: OidcServer, clock: ShiftedClock) -> Forger:
    declared = settings(oidc)
    return Forger(oidc, IdTokens(declared, Published(declared, GuardedHttp(HERE), clock), clock))


def test_a_token_of_the_provider_counts(forger: Forger) -> None:
    assert forger.tokens.checked(forger.token(), "n")["sub"] == "ada"
    assert forger.tokens.checked(forger.token(aud=[CLIENT, "b"], azp=CLIENT), "n")["sub"] == "ada"
    assert forger.tokens.checked(forger.token(nonce=None), None)["sub"] == "ada"


def test_clocks_may_differ_by_a_minute(forger: Forger) -> None:
    now = int(time.time())
    assert forger.tokens.checked(forger.token(exp=now - 30, iat=now + 30, nbf=now + 30), "n")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"iss": "https://login.example.com"}, "another provider made it"),
        ({"iss": None}, "another provider made it|does not say"),
        ({"aud": "else"}, "made for another application"),
        ({"aud": [CLIENT, "else"]}, "made for another application"),
        ({"azp": "else"}, "made for another application"),
        ({"aud": None}, "made for another application|does not say"),
        ({"exp": 1_000}, "has expired"),
        ({"exp": None}, "does not say when it ends"),
        ({"exp": "tomorrow"}, "does not say when it ends"),
        ({"exp": float("nan")}, "does not say when it ends"),
        ({"iat": 9_999_999_999}, "made in the future"),
        ({"nbf": 9_999_999_999}, "not valid yet"),
        ({"nonce": "other"}, "belongs to another sign-in"),
        ({"nonce": None}, "belongs to another sign-in"),
        ({"nonce": ["n"]}, "belongs to another sign-in"),
        ({"nonce": "\ud800"}, "belongs to another sign-in"),
        ({"sub": None}, "names nobody"),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    changed: dict[str, object], says: str, forger: Forger
) -> None:
    with pytest.raises(SignInRefused, match=says):
        forger.tokens.checked(forger.token(None, None, **changed), "n")


def test_a_token_that_another_key_signed_is_refused(forger: Forger) -> None:
    stranger = RSAKey.generate_key(2048, auto_kid=True)
    with pytest.raises(SignInRefused, match="its signature is wrong"):
        forger.tokens.checked(forger.token(key=stranger), "n")
    with pytest.raises(SignInRefused, match="does not publish"):
        forger.tokens.checked(forger.token({"kid": "made-up"}, stranger), "n")
    own_kid = next(iter(forger.server.keys)).kid
    elliptic = ECKey.generate_key("P-256")
    with pytest.raises(SignInRefused):
        forger.tokens.checked(forger.token({"alg": "ES256", "kid": own_kid}, elliptic), "n")


def test_a_token_that_a_shared_secret_or_nobody_signed_is_refused(forger: Forger) -> None:
    own = next(iter(forger.server.keys))
    public = own.as_pem(private=False)  # type: ignore[union-attr]
    _header, payload, _signature = forger.token().split(".")
    start = f"{packed({'alg': 'HS256', 'kid': own.kid})}.{payload}"
    mac = hmac.digest(public, start.encode(), "sha256")
    shared = f"{start}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(SignInRefused, match="not signed in a way that is accepted"):
        forger.tokens.checked(shared, "n")
    nobody = f"{packed({'alg': 'none'})}.{payload}."
    with pytest.raises(SignInRefused, match="not signed in a way that is accepted"):
        forger.tokens.checked(nobody, "n")


def packed(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("token", [None, "", "a.b", "a.b.c", "é.b.c", 7, "e30.e30.e30", "." * 70_000])
def test_what_is_no_token_is_refused(token: object, forger: Forger) -> None:
    with pytest.raises(SignInRefused) as error:
        forger.tokens.checked(token, "n")
    assert str(token) not in str(error.value) or token in (None, "", 7)


def test_a_changed_token_is_refused_and_not_shown(forger: Forger) -> None:
    header, payload, signature = forger.token().split(".")
    _, other, _ = forger.token(sub="bob").split(".")
    with pytest.raises(SignInRefused, match="its signature is wrong") as error:
        forger.tokens.checked(f"{header}.{other}.{signature}", "n")
    assert payload not in str(error.value)
    assert error.value.__cause__ is None


def test_a_key_that_is_new_at_the_provider_is_looked_for(clock: ShiftedClock, browser: Browser) -> None:
    if not is_installed():
        pytest.skip(MISSING)
    port = free_port()
    with oidc_provider(port=port, keys=new_keys()) as server:
        provider = opened(settings(server), clock)
        attempt = provider.begin(REDIRECT)
        provider.finish(attempt, browser.sign_in(attempt.url, "ada"))
    with oidc_provider(port=port, keys=new_keys()), Browser() as again:
        attempt = provider.begin(REDIRECT)
        brought = again.sign_in(attempt.url, "ada")
        clock.ahead += NOT_SOONER
        assert provider.finish(attempt, brought).proof.detail.endswith("subject ada")


def test_tokens_with_made_up_keys_do_not_make_it_ask_again_and_again(
    forger: Forger, oidc: OidcServer
) -> None:
    asked = []

    def counting(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    clock = ShiftedClock()
    published = Published(settings(oidc), GuardedHttp(HERE, resolve=counting), clock)
    for number in range(20):
        assert published.key(f"made-up-{number}") is None
    assert len(asked) == 2
    clock.ahead += NOT_SOONER
    assert published.key("made-up") is None
    assert len(asked) == 3


def test_every_error_says_what_to_do(oidc: OidcServer, clock: ShiftedClock) -> None:
    provider = opened(settings(oidc), clock)
    attempt = provider.begin(REDIRECT)
    for brought in ({}, {"state": attempt.state}, {"state": attempt.state, "iss": oidc.issuer}):
        with pytest.raises(FleetcastError) as error:
            provider.finish(attempt, brought)
        assert error.value.fix


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['httpx'] = None\n"
        "from fleetcast.domain.settings import OidcSettings\n"
        "from fleetcast.platforms.oidc.opening import open_identity_provider\n"
        "from fleetcast.ports.clock import SystemClock\n"
        "try: open_identity_provider(OidcSettings('a', 'https://a.example'), {}, SystemClock())\n"
        "except Exception as error: print(type(error).__name__, error.fix)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "BadInput pip install 'fleetcast[web]'\n"
