"""Agents of CI: how one is recognised, and what it may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Ci(StrEnum):
    """Where pipelines run."""

    AZURE_DEVOPS = "azure-devops"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class _Signs:
    mark: str
    """The variable that is `true` on an agent."""
    reference: str
    """The variable that names what it builds."""


_SIGNS: Mapping[Ci, _Signs] = {
    Ci.AZURE_DEVOPS: _Signs("TF_BUILD", "BUILD_SOURCEBRANCH"),
    Ci.GITHUB: _Signs("GITHUB_ACTIONS", "GITHUB_REF"),
}


def ci_of(variables: Mapping[str, str]) -> Ci | None:
    """Which CI a process is an agent of; None: of none."""
    return next((ci for ci, signs in _SIGNS.items() if variables.get(signs.mark, "").lower() == "true"), None)


def reference_of(variables: Mapping[str, str]) -> str | None:
    """What an agent builds, as its CI writes it: `refs/heads/main`; None: this is no agent, or it does not say."""
    ci = ci_of(variables)
    return None if ci is None else variables.get(_SIGNS[ci].reference) or None
