"""`azure_devops:` in `fleetcast.yaml`."""

from __future__ import annotations

import pytest

from fleetcast.domain.errors import InvalidFleet
from fleetcast.domain.place import Gate
from fleetcast.domain.settings.azure_devops import AzureDevOpsSettings, AzureIdentity, LinkedVault
from tests.config.conftest import Repository

ID = "5F1C0D6E-2f4b-4b52-9f0c-7d1c3a9e8b10"
START = (
    "azure_devops:\n  organisation: acme\n  project: Energy Forecasts\n  key_vault: {name: fleet-secrets}\n"
)


def test_what_is_not_written_has_defaults(repository: Repository) -> None:
    repository.write("fleetcast.yaml", "")
    assert repository.load().settings.azure_devops is None
    repository.write("fleetcast.yaml", START)
    assert repository.load().settings.azure_devops == AzureDevOpsSettings(
        "acme",
        "Energy Forecasts",
        "Energy Forecasts",
        LinkedVault("fleet-secrets", "mlops-dev", ("databaseUrl", "signingKey")),
        "https://dev.azure.com",
    )


def test_everything_can_be_written(repository: Repository) -> None:
    repository.write(
        "fleetcast.yaml",
        f"{START}"
        "  repository: fleet\n"
        "  url: https://devops.example.com\n"
        "  connections:\n"
        f"    mlops-dev: {{tenant: {ID}, subscription: {ID}, subscription_name: Dev, client_id: {ID}}}\n"
        f"  approvers: {{prod-deployment: [{ID}, {ID.lower()}]}}\n"
        "  variables: {mlops-dev-variables: {workspace: fleet-dev}}\n"
        "  reviewers: 2\n",
    )
    found = repository.load().settings.azure_devops
    assert found is not None
    assert (found.repository, found.url, found.reviewers) == ("fleet", "https://devops.example.com", 2)
    assert found.connections == {"mlops-dev": AzureIdentity(ID.lower(), ID.lower(), "Dev", ID.lower())}
    assert found.approvers == {Gate.PROD_DEPLOYMENT: (ID.lower(),)}
    assert found.variables == {"mlops-dev-variables": {"workspace": "fleet-dev"}}


@pytest.mark.parametrize(
    ("more", "line", "says"),
    [
        ("  approvers: {prod: []}\n", 5, "unknown gate 'prod'"),
        ("  approvers: {prod-deployment: [ann]}\n", 5, "'ann' is no id of Azure"),
        ("  url: http://devops.example.com\n", 5, "is no address of Azure DevOps"),
        ("  url: https://user@devops.example.com\n", 5, "is no address of Azure DevOps"),
        ("  repository: https://dev.azure.com/acme\n", 5, "is no repository of Azure DevOps"),
        ("  reviewers: 0\n", 5, "reviewers 0 is out of range"),
        ("  variables: {mlops-shared-variables: {a: b}}\n", 5, "no variable group"),
        ("  variables: {mlops-dev-variables: {signingKey: b}}\n", 5, "'signingKey' is a secret"),
        ("  token: abc\n", 5, "unknown key 'token'"),
    ],
)
def test_mistakes_are_named_at_their_lines(repository: Repository, more: str, line: int, says: str) -> None:
    repository.write("fleetcast.yaml", START + more)
    with pytest.raises(InvalidFleet) as raised:
        repository.load()
    assert any(one.line == line and says in str(one) for one in raised.value.complaints), raised.value
