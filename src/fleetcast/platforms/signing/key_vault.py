"""A secret of an Azure Key Vault, read with the identity of this process and kept in memory alone."""

from __future__ import annotations

import re

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.signing_key import VAULT
from fleetcast.platforms.signing.key_files import UnusableKey

_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9])/([A-Za-z0-9-]{1,127})")
_SCOPE = "https://vault.azure.net/.default"
_VERSION = "7.4"
_SECONDS = 30.0


def secret_in_vault(named: str) -> str:
    """The present value of a secret.

    Args:
        named: `keyvault:VAULT/SECRET`.

    Raises:
        UnusableKey: It names no secret, the vault holds none of that name, or does not let this identity read it.
        BadInput: A library is not installed.
        Unavailable: The vault does not answer, or this identity gets no token.
    """
    found = _NAMED.fullmatch(named.removeprefix(VAULT))
    if found is None:
        raise UnusableKey("no Key Vault is named", fix=f"write {VAULT}NAME-OF-THE-VAULT/NAME-OF-THE-SECRET")
    vault, secret = found.groups()
    place = f"{VAULT}{vault}/{secret}"
    try:
        import httpx
        from azure.core.exceptions import AzureError
        from azure.identity import DefaultAzureCredential
    except ModuleNotFoundError as error:
        raise BadInput(
            f"{place} needs a library that is not installed", fix="pip install 'fleetcast[azure]'"
        ) from error
    try:
        token = DefaultAzureCredential(exclude_interactive_browser_credential=True).get_token(_SCOPE).token
        answer = httpx.get(
            f"https://{vault}.vault.azure.net/secrets/{secret}",
            params={"api-version": _VERSION},
            headers={"authorization": f"Bearer {token}"},
            timeout=_SECONDS,
        )
    except (AzureError, httpx.HTTPError) as error:
        raise Unavailable(
            f"{place} cannot be asked: {type(error).__name__}",
            fix="see whether this identity signs in, and whether this machine reaches the vault",
        ) from error
    if answer.status_code == httpx.codes.OK:
        return str(answer.json()["value"])
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Unavailable(f"{place} answers {answer.status_code}", fix="repeat the command in a while")
    raise UnusableKey(
        f"{place} answers {answer.status_code}",
        fix="put the key there, and give this identity the role Key Vault Secrets User on the vault",
    )
