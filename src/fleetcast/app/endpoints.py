"""What one platform alone has of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetcast.domain.errors import BadInput

if TYPE_CHECKING:
    from fleetcast.ports.endpoints import EndpointKeys, Endpoints


def keys_of(endpoints: Endpoints) -> EndpointKeys:
    """Where keys of endpoints are kept.

    Raises:
        BadInput: The platform makes them itself.
    """
    from fleetcast.platforms.local.endpoints import LocalEndpointKeys, LocalEndpoints

    if not isinstance(endpoints, LocalEndpoints):
        raise BadInput("this platform makes the keys of its endpoints itself", fix="look for them there")
    return LocalEndpointKeys(endpoints.session)
