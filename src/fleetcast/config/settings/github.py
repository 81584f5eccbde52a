"""`github:` in `fleetcast.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, TypeVar

from fleetcast.config.complaints import nearest, shown
from fleetcast.config.settings.azure_devops import Uuid
from fleetcast.config.settings.settings_file import SettingsFile
from fleetcast.config.written import Duration, Text, Whole, Written, judged
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import Gate
from fleetcast.domain.settings.azure_devops import checked_uuid
from fleetcast.domain.settings.github import (
    DEFAULT_GITHUB,
    IDENTITIES,
    GitHubSettings,
    Weakness,
    checked_approvals,
    checked_github_url,
    checked_repository,
    checked_reviewer,
    checked_variable,
    checked_wait,
)

ValueT = TypeVar("ValueT")
_SECTION = "github"


class GitHubWritten(Written):
    """`github:`."""

    repository: Annotated[Text, judged(checked_repository)]
    url: Annotated[Text, judged(checked_github_url)] | None = None
    tenant: Uuid | None = None
    subscription: Uuid | None = None
    identities: dict[str, Uuid] | None = None
    reviewers: dict[str, list[Annotated[Text, judged(checked_reviewer)]]] | None = None
    wait: dict[str, Annotated[Duration, judged(checked_wait)]] | None = None
    approvals: Annotated[Whole, judged(checked_approvals)] | None = None
    variables: dict[Annotated[str, judged(checked_variable)], Text] | None = None
    accepts: list[Text] | None = None


def read_github(written: GitHubWritten | None, file: SettingsFile) -> GitHubSettings | None:
    """The repository in GitHub; None where nothing is written or could be read."""
    if written is None:
        return None
    waits: Mapping[Gate, timedelta] = _by_gate("wait", written.wait or {}, file)
    reviewers = _by_gate("reviewers", written.reviewers or {}, file)
    try:
        return GitHubSettings(
            repository=written.repository,
            url=written.url or DEFAULT_GITHUB,
            tenant=checked_uuid(written.tenant) if written.tenant else "",
            subscription=checked_uuid(written.subscription) if written.subscription else "",
            identities=_identities(written.identities or {}, file),
            reviewers=MappingProxyType(
                {gate: tuple(sorted({name.lower() for name in names})) for gate, names in reviewers.items()}
            ),
            wait=waits,
            approvals=written.approvals or 1,
            variables=MappingProxyType(dict(written.variables or {})),
            accepts=frozenset(_accepts(written.accepts or [], file)),
        )
    except BadInput as error:
        file.refuse(error, _SECTION)
        return None


def _by_gate(what: str, written: Mapping[str, ValueT], file: SettingsFile) -> Mapping[Gate, ValueT]:
    known = [gate.value for gate in Gate]
    for name in written:
        if name not in known:
            file.complaint(f"unknown gate {shown(name)}", nearest(name, known), _SECTION, what, name)
    return MappingProxyType({Gate(name): value for name, value in written.items() if name in known})


def _identities(written: Mapping[str, str], file: SettingsFile) -> Mapping[str, str]:
    for name in written:
        if name not in IDENTITIES:
            file.complaint(
                f"unknown identity {shown(name)}", nearest(name, IDENTITIES), _SECTION, "identities", name
            )
    return MappingProxyType({name: checked_uuid(one) for name, one in written.items() if name in IDENTITIES})


def _accepts(written: list[str], file: SettingsFile) -> list[Weakness]:
    known = [one.value for one in Weakness]
    for name in written:
        if name not in known:
            file.complaint(
                f"nothing can be accepted as {shown(name)}", nearest(name, known), _SECTION, "accepts"
            )
    return [Weakness(name) for name in written if name in known]
