"""The signing key in a Key Vault: read with this process's identity, never shown, and an error wherever it is none."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetcast.domain.errors import FleetcastError, Unavailable
from fleetcast.domain.settings import SIGNING_KEY_VARIABLE
from fleetcast.domain.signing_key import KeySource
from fleetcast.platforms.signing.key_files import UnusableKey
from fleetcast.platforms.signing.keys import open_keys
from tests.azure_emulator.emulator import AzureEmulator
from tests.azure_emulator.faults import Fault
from tests.azure_emulator.setup import Setup
from tests.azure_oracle.published import as_published
from tests.contracts.azure import led_to
from tests.signing import private, public

VAULT = "fleet-secrets"
KEY = b64encode(private(1).private_bytes_raw()).decode()


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[AzureEmulator]:
    setup = Setup(secrets={VAULT: {"signingKey": KEY, "other": "no key"}})
    with AzureEmulator(tmp_path / "azure", setup) as running, led_to(running):
        yield running
        as_published(running.exchanges())


def given(named: str) -> dict[str, str]:
    return {SIGNING_KEY_VARIABLE: named}


def test_a_key_that_is_named_in_a_vault_is_read_from_there(emulator: AzureEmulator) -> None:
    found = open_keys(given(f"keyvault:{VAULT}/signingKey"))
    assert found.own.public == public(1)
    assert (found.own.source, found.own.place) == (KeySource.VAULT, f"keyvault:{VAULT}/signingKey")
    asked = emulator.exchanges()[-1]
    assert (asked.host, asked.path) == (f"{VAULT}.vault.azure.net", "/secrets/signingKey")
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        (f"keyvault:{VAULT}/lost", "answers 404"),
        (f"keyvault:{VAULT}/other", "is neither PEM nor base64"),
        ("keyvault:elsewhere/signingKey", "answers 404"),
        ("keyvault:", "no Key Vault is named"),
        (f"keyvault:{VAULT}", "no Key Vault is named"),
        (f"keyvault:{VAULT}/a/b", "no Key Vault is named"),
        ("keyvault:evil.example/x", "no Key Vault is named"),
    ],
)
@pytest.mark.usefixtures("emulator")
def test_what_is_no_key_in_a_vault_is_one_error(named: str, says: str) -> None:
    with pytest.raises(UnusableKey, match=says) as caught:
        open_keys(given(named))
    assert "no key" not in f"{caught.value}".replace("no Key", "")


@pytest.mark.parametrize(("status", "kind"), [(403, UnusableKey), (503, Unavailable)])
def test_a_vault_that_refuses_or_fails_is_said_with_what_to_do(
    emulator: AzureEmulator, status: int, kind: type[FleetcastError]
) -> None:
    emulator.faults.add(Fault("refuse", "GET", "/secrets/", status=status, code="Forbidden"))
    with pytest.raises(kind) as caught:
        open_keys(given(f"keyvault:{VAULT}/signingKey"))
    assert caught.value.fix
