"""What is at the provider's address and is no provider: nothing of it is believed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from fleetcast.domain.audit import Means, Proof
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.settings import OidcSettings
from fleetcast.domain.shown import Shown, SignInRefused
from fleetcast.platforms.http.guarded import GuardedHttp
from fleetcast.platforms.oidc.opening import open_identity_provider
from fleetcast.platforms.oidc.published import KEPT, Published
from fleetcast.ports.identity_provider import DeviceAttempt, IdentityProvider
from tests.clocks import FixedClock

HERE = Outgoing(networks=(ip_network("127.0.0.1/32"),))


@dataclass(slots=True)
class Files:
    """What lies at each path of a web server; with a status in front where that is not 200."""

    issuer: str
    at: dict[str, object] = field(default_factory=dict)

    def describe(self, **changed: object) -> None:
        plain = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        self.at["/.well-known/openid-configuration"] = {**plain, **changed}


@pytest.fixture
def files() -> Iterator[Files]:
    found = Files("")

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = found.at.get(self.path)
            status = 404 if content is None else 200
            if isinstance(content, tuple):
                status, content = content
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content if isinstance(content, bytes) else json.dumps(content).encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    found.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def published(files: Files, clock: FixedClock | None = None) -> Published:
    declared = OidcSettings("fleetcast", files.issuer, outgoing=HERE)
    return Published(declared, GuardedHttp(HERE), clock or FixedClock())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"issuer": "https://login.example.com"}, "describes itself as https://login.example.com"),
        ({"issuer": None}, "describes itself as nobody"),
        ({"issuer": ["a"]}, "describes itself as nobody"),
        ({"token_endpoint": None}, "its `token_endpoint` is no address"),
        ({"token_endpoint": 7}, "its `token_endpoint` is no address"),
        ({"token_endpoint": "javascript:alert(1)"}, "its `token_endpoint` is no address"),
        ({"authorization_endpoint": "https://u:p@a.example/"}, "its `authorization_endpoint` is no address"),
        ({"authorization_endpoint": "https://a.example/#b"}, "its `authorization_endpoint` is no address"),
        ({"authorization_endpoint": "https://a.example/\r\nb"}, "its `authorization_endpoint` is no address"),
        ({"device_authorization_endpoint": ""}, "its `device_authorization_endpoint` is no address"),
        ({"code_challenge_methods_supported": ["plain"]}, "does not offer PKCE"),
        ({"code_challenge_methods_supported": "S256"}, "does not offer PKCE"),
    ],
)
def test_a_description_that_cannot_be_used(changed: dict[str, object], says: str, files: Files) -> None:
    files.describe(**changed)
    with pytest.raises(Unavailable, match=says) as error:
        published(files).endpoints()
    assert "u:p" not in str(error.value)
    assert error.value.fix


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null", b"\xff", b"[" * 100_000, None])
def test_what_is_no_description(content: bytes | None, files: Files) -> None:
    files.at["/.well-known/openid-configuration"] = content
    with pytest.raises(Unavailable, match="description of the identity provider cannot be used"):
        published(files).endpoints()


def test_endpoints_inside_are_not_asked(files: Files) -> None:
    files.describe(jwks_uri="https://169.254.169.254/latest/meta-data")
    with pytest.raises(BadInput, match=r"169\.254\.169\.254 is link-local"):
        published(files).key("a")


def test_only_public_keys_for_signatures_that_are_long_enough_count(files: Files) -> None:
    files.describe()
    good = RSAKey.generate_key(2048)
    short = {"kty": "RSA", "kid": "short", "n": "x" + "A" * 170, "e": "AQAB"}
    elliptic, shared = ECKey.generate_key("P-256"), OctKey.generate_key(256)
    files.at["/keys"] = {
        "keys": [
            good.as_dict(private=False, kid="good"),
            elliptic.as_dict(private=False, kid="elliptic"),
            short,
            shared.as_dict(private=True, kid="shared"),
            elliptic.as_dict(private=True, kid="private"),
            good.as_dict(private=False, kid="sealing", use="enc"),
            {"kty": "RSA", "kid": "torn", "n": "!", "e": "AQAB"},
            {"kty": "EC", "kid": "gone"},
            {"kty": ["RSA"], "kid": "odd"},
            "no key",
        ]
    }
    found = published(files)
    assert found.key("good") is not None
    assert found.key("elliptic") is not None
    for kid in ("short", "shared", "private", "sealing", "torn", "gone", "odd", "0", None):
        assert found.key(kid) is None, kid


def test_a_token_without_a_key_s_name_is_held_against_the_only_key(files: Files) -> None:
    files.describe()
    one, other = (ECKey.generate_key("P-256").as_dict(private=False) for _ in range(2))
    files.at["/keys"] = {"keys": [one]}
    assert published(files).key(None) is not None
    files.at["/keys"] = {"keys": [one, other]}
    assert published(files).key(None) is None


@pytest.mark.parametrize(
    "content", [{}, {"keys": {}}, {"keys": []}, {"keys": [{}]}, {"keys": [{}] * 101}, None]
)
def test_what_are_no_keys(content: object, files: Files) -> None:
    files.describe()
    files.at["/keys"] = content
    with pytest.raises(Unavailable, match="keys of the identity provider cannot be used"):
        published(files).key("a")


def test_a_key_that_was_withdrawn_ends_within_the_hour(files: Files) -> None:
    files.describe()
    clock = FixedClock()
    found = published(files, clock)
    files.at["/keys"] = {"keys": [ECKey.generate_key("P-256").as_dict(private=False, kid="old")]}
    assert found.key("old") is not None
    files.at["/keys"] = {"keys": [ECKey.generate_key("P-256").as_dict(private=False, kid="new")]}
    assert found.key("old") is not None
    clock.moment += KEPT
    assert found.key("old") is None
    clock.moment -= timedelta(days=1)
    assert found.key("new") is not None


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"device_code": "d", "user_code": "A\nB", "verification_uri": "https://a.example", "expires_in": 60},
        {"device_code": "d", "user_code": "AB", "verification_uri": "javascript:a", "expires_in": 60},
        {"device_code": "d", "user_code": "AB", "verification_uri": "https://a.example", "expires_in": "x"},
        {"device_code": "d", "user_code": "AB", "verification_uri": "https://a.example", "expires_in": -1},
        {"device_code": 1, "user_code": "AB", "verification_uri": "https://a.example", "expires_in": 60},
        b"<html>",
    ],
)
def test_a_device_code_that_cannot_be_shown(said: object, files: Files) -> None:
    files.describe(device_authorization_endpoint=f"{files.issuer}/device")
    files.at["/device"] = said
    declared = OidcSettings("fleetcast", files.issuer, outgoing=HERE)
    with pytest.raises(Unavailable, match="answer cannot be used"):
        open_identity_provider(declared, {}, FixedClock()).begin_device()


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (400, {"error": "authorization_pending"}, 5),
        (400, {"error": "slow_down"}, 10),
        (503, b"<html>", 10),
        (429, b"", 10),
    ],
)
def test_how_often_a_provider_is_asked_is_its_say(
    status: int, said: object, seconds: int, files: Files
) -> None:
    clock = FixedClock()
    provider, attempt = waiting(files, clock)
    files.at["/token"] = (status, said)
    later = provider.poll(attempt)
    assert isinstance(later, DeviceAttempt)
    assert later.interval == timedelta(seconds=seconds)
    assert later.ask_from == clock.now() + later.interval


def test_a_provider_that_wants_to_be_asked_too_seldom_is_not_waited_for(files: Files) -> None:
    clock = FixedClock()
    provider, attempt = waiting(files, clock)
    with pytest.raises(SignInRefused, match="not typed in time"):
        provider.wait(replace(attempt, ask_from=clock.now() + timedelta(days=1)))
    assert clock.now() == attempt.ends_at


def test_names_are_taken_of_the_same_person_only_and_are_not_needed(files: Files) -> None:
    clock = FixedClock()
    provider, attempt = waiting(files, clock)
    key, now = ECKey.generate_key("P-256"), int(clock.now().timestamp())
    files.at["/keys"] = {"keys": [key.as_dict(private=False)]}
    claims = {"iss": files.issuer, "aud": "fleetcast", "sub": "ada", "iat": now, "exp": now + 60}
    token = jws.serialize_compact({"alg": "ES256"}, json.dumps(claims), key)
    files.at["/token"] = {"id_token": token, "access_token": "t"}
    hers = Shown(Proof(Means.OIDC, f"issuer {files.issuer} subject ada"))
    for nothing in (None, b"<html>", (500, {"sub": "ada", "name": "Ada"})):
        files.at["/person"] = nothing
        assert provider.poll(attempt) == hers
    files.at["/person"] = {"sub": "ada", "name": "Ada", "email": "a@b.example"}
    assert provider.poll(attempt) == replace(hers, name="Ada", email="a@b.example")
    files.at["/person"] = {"sub": "bob", "name": "Bob"}
    with pytest.raises(SignInRefused, match="another person"):
        provider.poll(attempt)


def waiting(files: Files, clock: FixedClock) -> tuple[IdentityProvider, DeviceAttempt]:
    """A sign-in without a browser that may be asked for now."""
    files.describe(
        device_authorization_endpoint=f"{files.issuer}/device", userinfo_endpoint=f"{files.issuer}/person"
    )
    files.at["/device"] = {
        "device_code": "d",
        "user_code": "AB-CD",
        "verification_uri": "https://a.example/device",
        "expires_in": 600,
    }
    declared = OidcSettings("fleetcast", files.issuer, outgoing=HERE)
    provider = open_identity_provider(declared, {}, clock)
    attempt = provider.begin_device()
    clock.sleep(attempt.interval)
    return provider, attempt
