"""Fleets in GitHub, for tests of commands: their settings, and a repository that has their workflows and secrets."""

from __future__ import annotations

from pathlib import Path

from fleetcast.config.pipelines import write_pipelines
from fleetcast.domain.ci import Ci
from tests.devops_server.organisation import made_id
from tests.github_server.server import GitHubServer

SECRETS = ("FLEETCAST_DATABASE_URL", "FLEETCAST_SIGNING_KEY")


def settings(url: str) -> str:
    identities = ", ".join(f"{name}: {made_id(name)}" for name in ("dev", "test", "prod", "rollback"))
    return f"""\
github:
  repository: acme/fleet
  url: {url}
  tenant: {made_id("tenant")}
  subscription: {made_id("subscription")}
  identities: {{{identities}}}
  reviewers:
    registry-promotion: [acme/leads]
    test-deployment: [acme/QA]
    prod-deployment: [Ada, ben, acme/leads]
  wait: {{prod-deployment: 10min}}
  variables: {{FLEET_SITE: north}}
"""


def write_fleet(directory: Path, server: GitHubServer) -> None:
    """A fleet whose workflows and secrets are in GitHub, and nothing else."""
    write_pipelines(directory, Ci.GITHUB, "1.0.0")
    (directory / "fleetcast.yaml").write_text(settings(server.url))
    server.repository.knows(
        f".github/workflows/{path.name}" for path in (directory / ".github/workflows").iterdir()
    )
    server.repository.secrets.extend(SECRETS)
