"""`github:` in `fleetcast.yaml`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleetcast.domain.errors import InvalidFleet
from fleetcast.domain.place import Gate
from fleetcast.domain.settings.github import GitHubSettings, Weakness
from tests.config.conftest import Repository

ID = "5F1C0D6E-2f4b-4b52-9f0c-7d1c3a9e8b10"
START = "github:\n  repository: acme/fleet\n"


def test_what_is_not_written_has_defaults(repository: Repository) -> None:
    repository.write("fleetcast.yaml", "")
    assert repository.load().settings.github is None
    repository.write("fleetcast.yaml", START)
    found = repository.load().settings.github
    assert found == GitHubSettings("acme/fleet")
    assert (found.url, found.approvals, found.accepts) == ("https://github.com", 1, frozenset())


def test_everything_can_be_written(repository: Repository) -> None:
    repository.write(
        "fleetcast.yaml",
        f"{START}"
        "  url: https://github.example.com\n"
        f"  tenant: {ID}\n"
        f"  subscription: {ID}\n"
        f"  identities: {{prod: {ID}}}\n"
        "  reviewers: {prod-deployment: [Ada, acme/Leads, ada]}\n"
        "  wait: {prod-deployment: 2h}\n"
        "  approvals: 2\n"
        "  variables: {FLEET_SITE: north}\n"
        "  accepts: [one-reviewer]\n",
    )
    found = repository.load().settings.github
    assert found is not None
    assert (found.tenant, found.subscription, found.identities) == (
        ID.lower(),
        ID.lower(),
        {"prod": ID.lower()},
    )
    assert found.reviewers == {Gate.PROD_DEPLOYMENT: ("acme/leads", "ada")}
    assert found.wait == {Gate.PROD_DEPLOYMENT: timedelta(hours=2)}
    assert (found.approvals, found.variables) == (2, {"FLEET_SITE": "north"})
    assert found.accepts == {Weakness.ONE_REVIEWER}


@pytest.mark.parametrize(
    ("more", "line", "says"),
    [
        ("  reviewers: {prod: [ada]}\n", 3, "unknown gate 'prod'"),
        ("  reviewers: {prod-deployment: ['@ada']}\n", 3, "'@ada' is nobody in GitHub"),
        ("  reviewers: {prod-deployment: [a, b, c, d, e, f, g]}\n", 1, "GitHub takes 6"),
        ("  wait: {prod-deployment: 90s}\n", 3, "whole minutes"),
        ("  wait: {prod-deployment: 31d}\n", 3, "30 days at most"),
        ("  url: http://github.example.com\n", 3, "is no address of GitHub"),
        ("  url: https://github.com/acme\n", 3, "is no address of GitHub"),
        ("  url: https://token@github.com\n", 3, "is no address of GitHub"),
        ("  tenant: acme\n", 3, "'acme' is no id of Azure"),
        (f"  identities: {{production: {ID}}}\n", 3, "unknown identity 'production'"),
        ("  approvals: 0\n", 3, "approvals 0 is out of range"),
        ("  variables: {GITHUB_SITE: north}\n", 3, "is no name of a variable"),
        ("  variables: {site: north}\n", 3, "is no name of a variable"),
        ("  accepts: [no-reviewer]\n", 3, "nothing can be accepted as 'no-reviewer'"),
        ("  token: abc\n", 3, "unknown key"),
    ],
)
def test_mistakes_are_named_at_their_line(repository: Repository, more: str, line: int, says: str) -> None:
    repository.write("fleetcast.yaml", START + more)
    with pytest.raises(InvalidFleet) as raised:
        repository.load()
    (complaint,) = raised.value.complaints
    assert (complaint.file, complaint.line) == ("fleetcast.yaml", line)
    assert says in complaint.what


@pytest.mark.parametrize(
    "name", ["fleet", "https://github.com/acme/fleet", "acme/fleet.git", "acme/..", "a/b/c"]
)
def test_a_repository_has_an_owner_and_a_name(repository: Repository, name: str) -> None:
    repository.write("fleetcast.yaml", f"github:\n  repository: {name}\n")
    with pytest.raises(InvalidFleet, match="is no repository of GitHub"):
        repository.load()
