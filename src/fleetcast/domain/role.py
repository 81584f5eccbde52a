"""What people are given, and what it lets them do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Right(StrEnum):
    """What a workflow asks for before it begins."""

    VIEW = "view"
    TRAIN = "train"
    """Bring in readings, train, ask for promotion."""
    DECIDE = "decide"
    """Approve or reject at a gate, as far as its policy lets."""
    BREAK_GLASS = "break-glass"
    """Go through a gate without approvals, in an emergency, where its policy allows it."""
    OPERATE = "operate"
    """Deploy, roll back, hold, and look after the database."""
    ANY_BRANCH = "any-branch"
    """Deploy from a branch that does not lead to the environment."""
    MANAGE = "manage"
    """People, groups, rights, and the tokens of others."""


class Role(StrEnum):
    """What people are given: a bundle of rights."""

    VIEWER = "viewer"
    ENGINEER = "engineer"
    APPROVER = "approver"
    GLASS_BREAKER = "glass-breaker"
    OPERATOR = "operator"
    BRANCH_EXEMPT = "branch-exempt"
    ADMIN = "admin"


RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Right.VIEW}),
        Role.ENGINEER: frozenset({Right.VIEW, Right.TRAIN}),
        Role.APPROVER: frozenset({Right.VIEW, Right.DECIDE}),
        Role.GLASS_BREAKER: frozenset({Right.VIEW, Right.BREAK_GLASS}),
        Role.OPERATOR: frozenset({Right.VIEW, Right.OPERATE}),
        Role.BRANCH_EXEMPT: frozenset({Right.VIEW, Right.ANY_BRANCH}),
        Role.ADMIN: frozenset({Right.VIEW, Right.MANAGE}),
    }
)
"""An admin says who may decide, and so may not decide by being one."""
