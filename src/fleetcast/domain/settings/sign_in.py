"""Where people sign in, besides the accounts of this fleet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from fleetcast.domain.errors import BadInput
from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.role import Role

OIDC_SECRET_VARIABLE = "FLEETCAST_OIDC_CLIENT_SECRET"  # noqa: S105  # the name of a variable
"""Environment variable with the secret that fleetcast shows the identity provider, if it has one; never a setting."""
DEFAULT_SCOPES = ("openid", "profile", "email")
_ENTRA = "https://login.microsoftonline.com/{tenant}/v2.0"
_ENTRA_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "sts.windows.net",
    }
)
_LONGEST = 500
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """An identity provider that speaks OpenID Connect."""

    client_id: str
    """What the provider calls this fleet."""
    issuer: str = ""
    """The provider's name for itself; empty: Entra ID's for the tenant."""
    tenant: str = ""
    """Of Entra ID, in lower case: then people are known by tenant and object id. Empty: by issuer and subject."""
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    """What the provider's roles (`roles` in its tokens) give here."""
    groups: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    """What the provider's groups (`groups` in its tokens) give here."""
    outgoing: Outgoing = field(default_factory=Outgoing)

    def __post_init__(self) -> None:
        if not self.client_id or len(self.client_id) > _LONGEST or not _SCOPE.fullmatch(self.client_id):
            raise BadInput(
                "this is no client id", fix="write the one that the provider gave this fleet, without blanks"
            )
        if self.tenant:
            object.__setattr__(self, "tenant", tenant_of(self.tenant))
        if not self.issuer and not self.tenant:
            raise BadInput("the issuer is missing", fix="write `issuer`, or `tenant` for Entra ID")
        if not self.issuer:
            object.__setattr__(self, "issuer", _ENTRA.format(tenant=self.tenant))
        host = checked_issuer(self.issuer, self.outgoing).hostname or ""
        if host in _ENTRA_HOSTS and not self.tenant:
            raise BadInput(
                "the tenant of Entra ID is missing",
                fix="write `tenant`: without it anybody's tenant would be believed, and people have no object id",
            )
        _check_scopes(self.scopes)
        _check_names("role", self.roles)
        _check_names("group", self.groups)
        for name in self.outgoing.hosts:
            checked_host(name)
        if not self.outgoing.names(host):
            object.__setattr__(self, "outgoing", replace(self.outgoing, hosts=(*self.outgoing.hosts, host)))

    @property
    def shown_name(self) -> str:
        """What a page calls the provider."""
        return "Entra ID" if self.tenant else urlsplit(self.issuer).netloc


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """How people may sign in; accounts of this fleet are always there."""

    oidc: OidcSettings | None = None


def tenant_of(text: str) -> str:
    """Read a tenant's id.

    Raises:
        BadInput: It is none; `common` and its like mean every tenant there is.
    """
    try:
        return str(UUID(text))
    except ValueError:
        raise BadInput(
            f"{text[:60]!r} is no tenant", fix="write the tenant's id (a UUID), not its domain or `common`"
        ) from None


def checked_issuer(text: str, outgoing: Outgoing) -> SplitResult:
    """Take apart the address of a provider.

    Raises:
        BadInput: It is none, or one that everybody on the way can read.
    """
    try:
        parts = urlsplit(text)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_one = SplitResult("", "", "", "", ""), False
    fits = text.isascii() and text.isprintable() and " " not in text and len(text) <= _LONGEST
    more = parts.query or parts.fragment or "@" in parts.netloc or "?" in text or "#" in text
    if not fits or not port_is_one or not parts.hostname or more or parts.scheme not in ("https", "http"):
        raise BadInput(
            "this is no issuer", fix="write it as the provider does: https://login.example.com/fleet"
        )
    if parts.scheme == "http" and not outgoing.allows_loopback:
        raise BadInput(
            "the issuer is not reached by https",
            fix="write https://; http:// only for a provider on this machine, with its address, 127.0.0.1/32, "
            "below `allowed_networks`",
        )
    return parts


def checked_host(name: str) -> str:
    """Return a host's name.

    Raises:
        BadInput: It is none, but a URL, a pattern or empty.
    """
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise BadInput(f"{name[:60]!r} is no host", fix="write its name alone: login.example.com")
    return name


def _check_scopes(scopes: tuple[str, ...]) -> None:
    if "openid" not in scopes:
        raise BadInput("`openid` is missing from the scopes", fix="add it: nobody is identified without")
    for scope in scopes:
        if not _SCOPE.fullmatch(scope) or len(scope) > _LONGEST:
            raise BadInput(f"{scope[:60]!r} is no scope", fix="write each scope on its own, without blanks")


def _check_names(what: str, mapped: Mapping[str, Role]) -> None:
    for name in mapped:
        if not name or len(name) > _LONGEST or not name.isprintable():
            raise BadInput(f"{name[:60]!r} is no {what} of a provider", fix="write it as its tokens do")
