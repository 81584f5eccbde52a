"""`sign_in:` in `fleetcast.yaml`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from pydantic import PlainValidator

from fleetcast.config import scalars
from fleetcast.config.scalars import Refused
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Text, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.outgoing import Outgoing, network_of
from fleetcast.domain.role import Role
from fleetcast.domain.settings import OIDC_SECRET_VARIABLE, OidcSettings, SignInSettings
from fleetcast.domain.settings.sign_in import DEFAULT_SCOPES, checked_host, tenant_of

_NETWORKS = "sign_in.oidc.allowed_networks"


def _no_secret(_value: object) -> None:
    raise Refused("is never written in a file", f"set the environment variable {OIDC_SECRET_VARIABLE}")


RoleWritten = Annotated[str, PlainValidator(scalars.one_of(*(role.value for role in Role)))]


class OidcWritten(Written):
    """`sign_in.oidc:`."""

    client_id: Text
    issuer: Text | None = None
    tenant: Annotated[Text, judged(tenant_of)] | None = None
    scopes: list[Text] | None = None
    allowed_hosts: list[Annotated[Text, judged(checked_host)]] | None = None
    allowed_networks: list[Annotated[Text, judged(network_of)]] | None = None
    roles: dict[str, RoleWritten] | None = None
    groups: dict[str, RoleWritten] | None = None
    client_secret: Annotated[None, PlainValidator(_no_secret)] = None


class SignInWritten(Written):
    """`sign_in:`."""

    oidc: OidcWritten | None = None


def read_sign_in(written: SignInWritten | None, file: SettingsFile) -> SignInSettings:
    """How people may sign in; with accounts of this fleet alone where nothing is written or could be read."""
    if written is None or written.oidc is None:
        return SignInSettings()
    oidc = written.oidc
    try:
        return SignInSettings(
            OidcSettings(
                client_id=oidc.client_id,
                issuer=oidc.issuer or "",
                tenant=oidc.tenant or "",
                scopes=tuple(oidc.scopes or DEFAULT_SCOPES),
                roles=MappingProxyType({name: Role(role) for name, role in (oidc.roles or {}).items()}),
                groups=MappingProxyType({name: Role(role) for name, role in (oidc.groups or {}).items()}),
                outgoing=Outgoing(
                    networks=tuple(network_of(network) for network in oidc.allowed_networks or ()),
                    hosts=tuple(oidc.allowed_hosts or ()),
                    setting=_NETWORKS,
                ),
            )
        )
    except BadInput as error:
        file.refuse(error, "sign_in", "oidc")
        return SignInSettings()
