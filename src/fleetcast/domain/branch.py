"""Which branch of the fleet repository leads to which environment.

It keeps people from deploying the wrong thing by mistake. What keeps those out who mean it are gates: whoever runs a
command can say in their environment that they are on any branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from fleetcast.domain.ci import reference_of
from fleetcast.domain.errors import BadInput
from fleetcast.domain.place import EnvironmentName

LEADS_TO: Mapping[EnvironmentName, str] = MappingProxyType(
    {EnvironmentName.DEV: "develop", EnvironmentName.TEST: "release/*", EnvironmentName.PROD: "main"}
)
"""By environment, the branches from which it is changed."""
_HEADS = "refs/heads/"


class WrongBranch(BadInput):
    """A command that changes an environment from a branch that does not lead there."""


def branch_of_ci(variables: Mapping[str, str]) -> str | None:
    """The branch that an agent builds, which checks out a commit and no branch; None: this is no agent.

    What is no branch (a pull request, a tag) is given as the whole reference, and leads nowhere.
    """
    reference = reference_of(variables)
    return None if reference is None else reference.removeprefix(_HEADS)


def check_branch(environment: EnvironmentName, branch: str | None) -> None:
    """Make sure that a branch leads to an environment.

    Args:
        environment: What is to be changed.
        branch: By its name; None: nobody knows, as of a commit that was checked out by its number.

    Raises:
        WrongBranch: It does not.
    """
    wanted = LEADS_TO[environment]
    if branch is not None and fnmatchcase(branch, wanted):
        return
    where = "no branch is checked out" if branch is None else f"this is branch {branch}"
    raise WrongBranch(
        f"{environment} is changed from {wanted}, and {where}",
        fix=f"check out {wanted}; who has the right may say --any-branch, which is noted in the audit log",
    )
