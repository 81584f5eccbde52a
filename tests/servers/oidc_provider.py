"""An OpenID Connect provider of the tests' own (npm's oidc-provider), and a browser for its pages."""

from __future__ import annotations

import html
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from joserfc.jwk import KeySet, RSAKey

FOLDER = Path(__file__).parent / "oidc"
MISSING = "oidc-provider is not installed: `make test` installs it where npm is, or `make oidc-provider`"
CLIENT = "fleetcast"
REDIRECT = "http://127.0.0.1:9/sign-in/done"
"""Nothing listens there: the browser of the tests stops in front of it."""
TENANT = "11111111-2222-3333-4444-555555555555"
_FORM = re.compile(r"<form\b[^>]*\baction=\"([^\"]+)\"[^>]*>(.*?)</form>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([a-z_]+)=\"([^\"]*)\"")
_FIELD = re.compile(r"<input\b[^>]*>", re.DOTALL)

Landed = Mapping[str, str] | str
"""What a browser brings back to the redirect address, or the text of a page."""


def is_installed() -> bool:
    """Whether the provider can be started."""
    return shutil.which("node") is not None and (FOLDER / "node_modules" / "oidc-provider").is_dir()


@dataclass(frozen=True, slots=True)
class OidcServer:
    """A provider on a port of this machine."""

    port: int
    keys: KeySet = field(repr=False)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def new_keys() -> KeySet:
    """Keys that a provider signs with."""
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    return KeySet([key])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def oidc_provider(
    *, port: int | None = None, keys: KeySet | None = None, device_seconds: int = 600
) -> Iterator[OidcServer]:
    server = OidcServer(port or free_port(), keys or new_keys())
    told = {
        "port": server.port,
        "keys": server.keys.as_dict(private=True),
        "deviceSeconds": device_seconds,
    }
    command = ["node", "provider.mjs", json.dumps(told)]
    with subprocess.Popen(
        command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("listening at"):
                break
        assert process.poll() is None, "".join(said)
        try:
            yield server
        finally:
            process.kill()


class Browser:
    """Goes through a provider's pages as a person would: follows redirects, keeps cookies, fills in forms."""

    def __init__(self, stops_at: str = REDIRECT) -> None:
        self._stops_at = stops_at
        self._client = httpx.Client(follow_redirects=False, timeout=20)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def sign_in(self, url: str, login: str) -> Mapping[str, str]:
        """What is brought back to the redirect address, after signing in and agreeing."""
        landed = self._through(self._follow(self._client.get(url)), login)
        assert not isinstance(landed, str), landed
        return landed

    def abort(self, url: str) -> Mapping[str, str]:
        """What is brought back after leaving the sign-in page by its *cancel*."""
        text = self._follow(self._client.get(url))
        assert isinstance(text, str)
        link = re.search(r"href=\"([^\"]+/abort)\"", text)
        assert link is not None, text
        landed = self._follow(self._client.get(urljoin(url, link[1])))
        assert not isinstance(landed, str)
        return landed

    def confirm_device(self, page: str, code: str, login: str) -> str:
        """Type a device's code, sign in, agree; the last page."""
        text = self._through(self._follow(self._client.get(page)), login, code)
        assert isinstance(text, str)
        return text

    def refuse_device(self, page: str, code: str) -> None:
        """Type a device's code, and refuse."""
        text = self._follow(self._client.get(page))
        assert isinstance(text, str)
        asked = self._submit(text, {"user_code": code})
        assert isinstance(asked, str)
        self._submit(asked, {"abort": "yes"})

    def _through(self, landed: Landed, login: str, code: str = "") -> Landed:
        """Fill in form after form, until there is none."""
        while isinstance(landed, str) and _FORM.search(landed):
            landed = self._submit(landed, {"login": login, "password": "any", "user_code": code})
        return landed

    def _submit(self, page: str, known: Mapping[str, str]) -> Landed:
        form = _FORM.search(page)
        assert form is not None, page
        fields = {}
        for shown in _FIELD.findall(form[2]):
            said = dict(_ATTRIBUTE.findall(shown))
            fields[said["name"]] = html.unescape(said.get("value", "")) or known.get(said["name"], "")
        if "abort" in known:
            fields = {**fields, "abort": known["abort"]}
        return self._follow(self._client.post(html.unescape(form[1]), data=fields))

    def _follow(self, answer: httpx.Response) -> Landed:
        while answer.is_redirect:
            target = urljoin(str(answer.url), answer.headers["Location"])
            if target.startswith(self._stops_at):
                return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
            answer = self._client.get(target)
        return answer.text
