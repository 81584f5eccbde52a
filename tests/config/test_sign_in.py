"""`sign_in:` in `fleetcast.yaml`."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from fleetcast.domain.role import Role
from fleetcast.domain.settings import SignInSettings
from tests.config.conftest import Repository

TENANT = "11111111-2222-3333-4444-555555555555"
START = "sign_in:\n  oidc:\n    client_id: fleetcast\n"
ISSUER = "    issuer: https://login.example.com\n"


def test_nobody_signs_in_elsewhere_unless_it_is_written(repository: Repository) -> None:
    for content in ("", "sign_in: {}\n"):
        repository.write("fleetcast.yaml", content)
        assert repository.load().settings.sign_in == SignInSettings()


def test_a_provider_with_what_it_gives(repository: Repository) -> None:
    repository.write(
        "fleetcast.yaml",
        f"{START}{ISSUER}"
        "    scopes: [openid, email]\n"
        "    roles: {Fleet.Approver: approver}\n"
        "    groups: {leads: engineer}\n"
        "    allowed_hosts: [keys.example.com]\n"
        "    allowed_networks: [10.20.0.0/16, 'fd00::/8']\n",
    )
    oidc = repository.load().settings.sign_in.oidc
    assert oidc is not None
    assert (oidc.client_id, oidc.issuer, oidc.tenant) == ("fleetcast", "https://login.example.com", "")
    assert oidc.scopes == ("openid", "email")
    assert oidc.roles == {"Fleet.Approver": Role.APPROVER}
    assert oidc.groups == {"leads": Role.ENGINEER}
    assert oidc.outgoing.networks == (ip_network("10.20.0.0/16"), ip_network("fd00::/8"))
    assert oidc.outgoing.names("login.example.com")
    assert oidc.outgoing.names("keys.example.com")
    assert not oidc.outgoing.names("example.com")
    assert oidc.outgoing.setting == "sign_in.oidc.allowed_networks"


def test_a_tenant_of_entra_is_enough(repository: Repository) -> None:
    repository.write("fleetcast.yaml", f"{START}    tenant: {TENANT.upper()}\n")
    oidc = repository.load().settings.sign_in.oidc
    assert oidc is not None
    assert oidc.issuer == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    assert oidc.tenant == TENANT


def test_a_provider_on_this_machine_is_allowed_in_so_many_words(repository: Repository) -> None:
    here = f"{START}    issuer: http://127.0.0.1:8080\n"
    repository.write("fleetcast.yaml", here)
    (complaint,) = repository.complaints()
    assert complaint.startswith("fleetcast.yaml:2: `sign_in.oidc`: the issuer is not reached by https")
    repository.write("fleetcast.yaml", f"{here}    allowed_networks: [127.0.0.1/32]\n")
    assert repository.load().settings.sign_in.oidc is not None


@pytest.mark.parametrize(
    ("content", "line", "text"),
    [
        ("sign_in:\n  oicd: {}", 2, "unknown key 'oicd' (did you mean 'oidc'?"),
        ("sign_in:\n  oidc: {}", 2, "`sign_in.oidc.client_id` is missing"),
        (START, 2, "the issuer is missing"),
        (f"{START}    issuer: login.example.com", 2, "this is no issuer"),
        (f"{START}    issuer: https://u:p@login.example.com", 2, "this is no issuer"),
        (f"{START}    issuer: https://login.example.com/?a=b", 2, "this is no issuer"),
        (f"{START}    issuer: http://login.example.com", 2, "not reached by https"),
        (f"{START}    issuer: https://login.microsoftonline.com/common/v2.0", 2, "the tenant of Entra ID"),
        (f"{START}    tenant: common", 4, "`sign_in.oidc.tenant`: 'common' is no tenant"),
        (f"{START}{ISSUER}    scopes: [email]", 2, "`openid` is missing"),
        (f"{START}{ISSUER}    scopes: ['openid email', openid]", 2, "'openid email' is no scope"),
        (f"{START}{ISSUER}    roles: {{a: boss}}", 5, "must be viewer or engineer or approver"),
        (f"{START}{ISSUER}    allowed_hosts: ['https://a.example']", 5, "is no host"),
        (f"{START}{ISSUER}    allowed_hosts: ['*.example']", 5, "is no host"),
        (f"{START}{ISSUER}    allowed_networks: [0.0.0.0/0]", 5, "0.0.0.0/0 is not a private network"),
        (f"{START}{ISSUER}    allowed_networks: [10.0.0.1/8]", 5, "'10.0.0.1/8' is no network"),
        (
            f"{START}{ISSUER}    client_secret: sesame",
            5,
            "`sign_in.oidc.client_secret`: is never written in a file",
        ),
    ],
)
def test_a_mistake_is_named_at_its_line(content: str, line: int, text: str, repository: Repository) -> None:
    repository.write("fleetcast.yaml", content + "\n")
    (complaint,) = repository.complaints()
    assert complaint.startswith(f"fleetcast.yaml:{line}: "), complaint
    assert text in complaint
    assert "sesame" not in complaint
