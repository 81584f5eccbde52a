"""Opens the identity provider that a fleet declares; what that needs is an extra."""

from __future__ import annotations

from collections.abc import Mapping

from fleetcast.domain.errors import BadInput
from fleetcast.domain.settings import OIDC_SECRET_VARIABLE, OidcSettings
from fleetcast.ports.clock import Clock
from fleetcast.ports.identity_provider import IdentityProvider


def open_identity_provider(
    settings: OidcSettings, environment: Mapping[str, str], clock: Clock
) -> IdentityProvider:
    """Open the identity provider; it is not asked yet. One serves every sign-in of a process, from any thread.

    Args:
        settings: `sign_in.oidc` in fleetcast.yaml.
        environment: Variables by name.
        clock: Tells when tokens end and when to ask again.

    Raises:
        BadInput: A library is not installed, or the client secret is empty.
    """
    try:
        from fleetcast.platforms.http.guarded import GuardedHttp
        from fleetcast.platforms.oidc.provider import OidcProvider
    except ModuleNotFoundError as error:
        raise BadInput(
            "signing in at an identity provider needs a library that is not installed",
            fix="pip install 'fleetcast[web]'",
        ) from error
    secret = environment.get(OIDC_SECRET_VARIABLE)
    if secret is not None and not secret.strip():
        raise BadInput(
            f"{OIDC_SECRET_VARIABLE} is set and empty",
            fix="give it the client secret, or unset it if the provider gave none",
        )
    return OidcProvider(
        settings, GuardedHttp(settings.outgoing), clock, secret=secret.strip() if secret else None
    )
