"""Access tokens of Microsoft Entra ID in the place of PostgreSQL passwords."""

from __future__ import annotations

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.foreseen import why

SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
"""What a token for Azure Database for PostgreSQL is asked for."""


class EntraTokens:
    """Gives a token for each new connection: of a managed identity, a service principal or the Azure CLI.

    The library keeps a token until shortly before it ends; a connection that is open outlives its token.
    """

    def __init__(self) -> None:
        try:
            from azure.identity import DefaultAzureCredential
        except ModuleNotFoundError as error:
            raise BadInput(
                "auth=entra needs a library that is not installed", fix="pip install 'fleetcast[azure]'"
            ) from error
        self._credential = DefaultAzureCredential(exclude_interactive_browser_credential=True)

    def __call__(self) -> str:
        """A token that is valid now.

        Raises:
            Unavailable: No identity was found, or it was refused.
        """
        from azure.core.exceptions import ClientAuthenticationError

        try:
            return str(self._credential.get_token(SCOPE).token)
        except ClientAuthenticationError as error:
            raise Unavailable(
                f"no Entra token for the control database: {why(error)}",
                fix="give this machine a managed identity, or sign in with `az login`",
            ) from error
