"""The way in: TLS for known hosts, a refusal for all others, and who may ask."""

from __future__ import annotations

import base64
import json
import signal
import ssl
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)

from tests.azure_emulator.emulator import AzureEmulator

ARM = "https://management.azure.com"
SCOPE = f"{ARM}/.default"
NOWHERE = f"{ARM}/subscriptions/1/nowhere"


def bearer(emulator: AzureEmulator) -> dict[str, str]:
    return {"Authorization": f"Bearer {emulator.identity.token(ARM)}"}


def test_an_unknown_route_is_refused_and_noted(emulator: AzureEmulator) -> None:
    answer = httpx.get(NOWHERE, headers=bearer(emulator))

    assert answer.status_code == 501
    assert "does not know GET management.azure.com/subscriptions/1/nowhere" in answer.text
    noted = emulator.exchanges()[-1]
    assert (noted.method, noted.path, noted.status, noted.known) == (
        "GET",
        "/subscriptions/1/nowhere",
        501,
        False,
    )


def test_an_unknown_host_is_refused_at_once_and_noted(emulator: AzureEmulator) -> None:
    with pytest.raises(httpx.ProxyError):
        httpx.get("https://elsewhere.example.com/", timeout=60)

    noted = emulator.exchanges()[-1]
    assert (noted.method, noted.host, noted.known) == ("CONNECT", "elsewhere.example.com", False)


def test_nonsense_is_answered_and_noted(emulator: AzureEmulator) -> None:
    setup = emulator.setup
    scope = f"/subscriptions/{setup.subscription}/resourceGroups/{setup.resource_group}"
    place = f"{ARM}{scope}/providers/Microsoft.MachineLearningServices/workspaces"
    wrong = {
        f"{place}/fleetcast/environments/e/versions/1": 400,
        f"{place}/another/environments/e/versions/1": 404,
        f"{place.replace(setup.subscription, 'other')}/fleetcast/environments/e/versions/1": 404,
        f"{place}/fleetcast/environments/../versions/1": 501,
        f"{place}/fleetcast/jobs/a.b": 400,
    }

    answers = {url: httpx.put(url, content=b"no json", headers=bearer(emulator)).status_code for url in wrong}

    assert answers == wrong


def test_the_next_emulator_is_trusted_like_the_first(tmp_path: Path, emulator: AzureEmulator) -> None:
    first = AzureEmulator(tmp_path).environment["SSL_CERT_FILE"]
    trusted = ssl.create_default_context(cafile=first)
    with AzureEmulator(tmp_path) as second:
        answer = httpx.get(NOWHERE, proxy=second.address, verify=trusted)

    assert answer.status_code == 501


def test_a_connection_serves_more_than_one_request(emulator: AzureEmulator) -> None:
    with httpx.Client(headers=bearer(emulator)) as client:
        answers = [client.get(NOWHERE) for _ in range(3)]

    streams = {id(answer.extensions["network_stream"]) for answer in answers}
    assert len(streams) == 1


def test_a_client_secret_gives_a_token_for_what_was_asked(emulator: AzureEmulator) -> None:
    principal = emulator.setup.principal
    with ClientSecretCredential(principal.tenant, principal.client, principal.secret) as credential:
        token = credential.get_token("https://ml.azure.com/.default").token

    middle = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert (claims["aud"], claims["tid"]) == ("https://ml.azure.com", principal.tenant)


def test_a_wrong_secret_gives_none(emulator: AzureEmulator) -> None:
    principal = emulator.setup.principal
    with (
        ClientSecretCredential(principal.tenant, principal.client, "wrong") as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(SCOPE)


def test_a_federated_assertion_gives_a_token_while_it_is_valid(emulator: AzureEmulator) -> None:
    principal = emulator.setup.principal
    for assertion, valid in ((emulator.identity.token("api://AzureADTokenExchange"), True), ("a.b.c", False)):
        with ClientAssertionCredential(principal.tenant, principal.client, lambda: assertion) as credential:  # noqa: B023
            if valid:
                assert credential.get_token(SCOPE).token.count(".") == 2
            else:
                with pytest.raises(ClientAuthenticationError, match="AADSTS700024"):
                    credential.get_token(SCOPE)


def test_a_managed_identity_gives_a_token(emulator: AzureEmulator) -> None:
    with ManagedIdentityCredential() as credential:
        assert credential.get_token(SCOPE).token.count(".") == 2


@pytest.mark.parametrize("token", [None, "not.a.token", "expired", "for something else"])
def test_without_a_good_token_nothing_is_answered(emulator: AzureEmulator, token: str | None) -> None:
    resource = "https://vault.azure.net" if token == "for something else" else ARM  # noqa: S105
    if token == "expired":  # noqa: S105
        emulator.faults.token_lifetime = timedelta(seconds=-1)
    made = token if token in {None, "not.a.token"} else emulator.identity.token(resource)
    scope = f"/subscriptions/{emulator.setup.subscription}/resourceGroups/{emulator.setup.resource_group}"
    known = (
        f"{ARM}{scope}/providers/Microsoft.MachineLearningServices/locations/x/mfeOperationsStatus/{'0' * 36}"
    )

    answer = httpx.get(known, headers={"Authorization": f"Bearer {made}"} if made else {})

    assert answer.status_code == 401


def test_the_command_says_what_to_set_and_runs_until_it_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.azure_emulator", "--state", str(tmp_path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said: dict[str, str] = {}
        while "IDENTITY_HEADER" not in said:
            name, _, value = process.stdout.readline().removeprefix("export ").strip().partition("=")
            said[name] = value.strip("'")
        fault = {"kind": "refuse", "status": 503, "path": "nowhere"}
        told = httpx.post(f"{said['HTTPS_PROXY']}/__faults", content=json.dumps(fault))
        wrong = httpx.post(f"{said['HTTPS_PROXY']}/__faults", content=json.dumps({"kind": "bad luck"}))
        process.send_signal(signal.SIGTERM)
        ended = process.wait(10)

    assert (told.status_code, wrong.status_code, ended) == (204, 400, 0)
    assert (tmp_path / "authority" / "authority.pem").stat().st_size > 0
