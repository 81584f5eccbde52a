"""Who asks: the token service of a tenant, a managed identity, and whether a token is good."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs

from fleetcast.ports.clock import Clock
from tests.azure_emulator.faults import Faults
from tests.azure_emulator.messages import HERE, Answer, Refused, Request, Route, Value, answered

LOGIN = "login.microsoftonline.com"
MANAGED = "/msi/token"
ISSUER = "https://login.microsoftonline.com/{tenant}/v2.0"
RESOURCES = ("https://management.azure.com", "https://management.core.windows.net", "https://ml.azure.com")
"""For whom a token has to be, to be good for the control plane."""
SECRETS = ("https://vault.azure.net",)
"""The same for Key Vaults."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The one application that may ask, and what it shows."""

    tenant: str = "22222222-2222-2222-2222-222222222222"
    client: str = "33333333-3333-3333-3333-333333333333"
    secret: str = "the secret of the emulator's own client"  # noqa: S105
    header: str = "the header of the emulator's own managed identity"
    """What a managed identity shows: `IDENTITY_HEADER`."""


class Identity:
    """Gives tokens and looks at them."""

    def __init__(self, principal: Principal, faults: Faults, clock: Clock) -> None:
        self._principal = principal
        self._faults = faults
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        tenant = "/(?P<tenant>[^/]+)"
        discovery = rf"{tenant}(?:/v2\.0)?/\.well-known/openid-configuration"
        return (
            Route("GET", LOGIN, discovery, self._discovery, open=True),
            Route("GET", LOGIN, r"/common/discovery/instance", self._instances, open=True),
            Route("POST", LOGIN, rf"{tenant}/oauth2/v2\.0/token", self._token, open=True),
            Route("GET", HERE, MANAGED, self._managed, open=True),
        )

    def check(self, request: Request) -> None:
        """Let a request pass whose token is good.

        Raises:
            Refused: It has none, or one that has expired, or one for something else.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "AuthenticationFailed", "the 'Authorization' header is missing")
        try:
            middle = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
            good_until = datetime.fromtimestamp(int(claims["exp"]), UTC)
            audience = str(claims["aud"]).rstrip("/")
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise Refused(401, "InvalidAuthenticationToken", "the access token cannot be read") from error
        if good_until <= self._clock.now():
            raise Refused(401, "ExpiredAuthenticationToken", "the access token has expired")
        if audience not in (SECRETS if request.host.endswith(".vault.azure.net") else RESOURCES):
            raise Refused(401, "InvalidAuthenticationTokenAudience", f"the access token is for {audience}")

    def _discovery(self, _: Request, found: Mapping[str, str]) -> Answer:
        tenant = found["tenant"]
        base = f"https://{LOGIN}/{tenant}"
        return answered(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token"],
                "scopes_supported": ["openid", "profile", "offline_access"],
                "issuer": ISSUER.format(tenant=tenant),
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
            }
        )

    def _instances(self, _: Request, __: Mapping[str, str]) -> Answer:
        tenant = self._principal.tenant
        return answered(
            {
                "tenant_discovery_endpoint": (
                    f"https://{LOGIN}/{tenant}/v2.0/.well-known/openid-configuration"
                ),
                "api-version": "1.1",
                "metadata": [
                    {
                        "preferred_network": LOGIN,
                        "preferred_cache": "login.windows.net",
                        "aliases": [LOGIN, "login.windows.net", "sts.windows.net"],
                    }
                ],
            }
        )

    def _token(self, request: Request, found: Mapping[str, str]) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if found["tenant"].lower() != self._principal.tenant:
            return _denied("invalid_request", "AADSTS90002: tenant not found")
        if form.get("grant_type") != "client_credentials" or form.get("client_id") != self._principal.client:
            return _denied("unauthorized_client", "AADSTS700016: application not found in the tenant")
        if "client_assertion" in form:
            if not self._believable(form["client_assertion"]):
                return _denied(
                    "invalid_client", "AADSTS700024: client assertion is not within its valid time range"
                )
        elif form.get("client_secret") != self._principal.secret:
            return _denied("invalid_client", "AADSTS7000215: invalid client secret provided")
        scope = form.get("scope", "").split()
        resource = next((one.removesuffix("/.default").rstrip("/") for one in scope if "://" in one), "")
        seconds = int(self._faults.token_lifetime.total_seconds())
        return answered(
            {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": self.token(resource),
            }
        )

    def _managed(self, request: Request, _: Mapping[str, str]) -> Answer:
        if request.headers.get("x-identity-header") != self._principal.header:
            return answered({"statusCode": 401, "message": "the identity header is missing or wrong"}, 401)
        resource = (request.asked("resource") or "").rstrip("/")
        if not resource:
            return answered({"statusCode": 400, "message": "the resource is missing"}, 400)
        return answered(
            {
                "access_token": self.token(resource),
                "expires_on": str(int((self._clock.now() + self._faults.token_lifetime).timestamp())),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": self._principal.client,
            }
        )

    def token(self, resource: str) -> str:
        """A token for a resource, good for as long as the faults let it be."""
        now = self._clock.now()
        claims: Value = {
            "aud": resource,
            "iss": ISSUER.format(tenant=self._principal.tenant),
            "tid": self._principal.tenant,
            "appid": self._principal.client,
            "oid": self._principal.client,
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + self._faults.token_lifetime).timestamp()),
        }
        parts = [json.dumps({"alg": "none", "typ": "JWT"}), json.dumps(claims), "signature"]
        return ".".join(base64.urlsafe_b64encode(one.encode()).rstrip(b"=").decode() for one in parts)

    def _believable(self, assertion: str) -> bool:
        """Whether a federated token is well-formed and still valid; who signed it is not asked."""
        try:
            middle = assertion.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
            return datetime.fromtimestamp(int(claims["exp"]), UTC) > self._clock.now()
        except (ValueError, KeyError, IndexError, TypeError):
            return False


def _denied(error: str, description: str) -> Answer:
    return answered(
        {"error": error, "error_description": description}, 400 if error != "invalid_client" else 401
    )
