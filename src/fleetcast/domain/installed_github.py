"""What an installation in GitHub holds: each thing is a value that says what it is as named fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from fleetcast.domain.duration import format_duration
from fleetcast.domain.installed import Kind, Ref, yes_or_no

NOBODY, ANYBODY = "nobody", "anybody"
NOT_SHOWN = "(not shown to this token)"
"""What stands in place of something that whoever asks may not see."""
PROTECTED = "whichever are protected"
"""The branches of an environment that names none of its own."""
RULES_OF = "fleetcast "
"""What the names of our branch rules begin with."""
BYPASS = "who may bypass"
"""The field that GitHub shows to few."""


@dataclass(frozen=True, slots=True)
class DeploymentEnvironment:
    """What jobs name, and where people and branches are asked for before they begin."""

    name: str
    reviewers: frozenset[str] = frozenset()
    """People by their names, teams as `owner/team`, in small letters; any one opens it. Empty: nobody is asked."""
    own_run_allowed: bool = True
    """Whether whoever started the run may open it."""
    branches: frozenset[str] = frozenset()
    """From which jobs may name it; tags begin with `tag `. Empty: all."""
    wait: timedelta | None = None
    """How long jobs wait besides."""
    admins_bypass: bool | None = False
    """Whether administrators go past it. None: that is not shown."""

    @property
    def ref(self) -> Ref:
        """Its kind and name."""
        return Ref(Kind.DEPLOYMENT, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """Who and what is asked for; what is not asked for is not named."""
        asked: dict[str, str] = {}
        if self.reviewers:
            bypass = NOT_SHOWN if self.admins_bypass is None else yes_or_no(is_so=self.admins_bypass)
            asked |= {
                "reviewers": ", ".join(sorted(self.reviewers)),
                "own run": "allowed" if self.own_run_allowed else "forbidden",
                "administrators bypass": bypass,
            }
        if self.branches:
            asked["branches"] = ", ".join(sorted(self.branches))
        if self.wait is not None:
            asked["wait"] = format_duration(self.wait)
        return asked


@dataclass(frozen=True, slots=True)
class GitHubVariables:
    """Values that workflows read, which everybody who sees the repository may see."""

    environment: str
    """Whose jobs see them; empty: all of the repository."""
    values: Mapping[str, str]

    @property
    def ref(self) -> Ref:
        """Their kind, and where they are."""
        return Ref(Kind.VARIABLES, f"of {self.environment or 'the repository'}")

    @property
    def fields(self) -> Mapping[str, str]:
        """The values by their names."""
        return dict(sorted(self.values.items()))


@dataclass(frozen=True, slots=True)
class SecretName:
    """A secret that workflows read; people enter it, and nobody reads it back."""

    name: str
    repository: str = field(default="", compare=False)
    """As `gh` names it."""

    @property
    def ref(self) -> Ref:
        """Its kind and name."""
        return Ref(Kind.SECRET, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """Nothing but that it exists."""
        return {}

    @property
    def command(self) -> str:
        """What enters it: it asks for the value."""
        return f"gh secret set {self.name} --repo {self.repository}"


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """One workflow of the fleet repository that runs fleetcast."""

    file: str
    """Below the root of the repository."""
    enabled: bool = True

    @property
    def ref(self) -> Ref:
        """Its kind and file."""
        return Ref(Kind.WORKFLOW, self.file)

    @property
    def fields(self) -> Mapping[str, str]:
        """Whether it runs."""
        return {"enabled": yes_or_no(is_so=self.enabled)}


@dataclass(frozen=True, slots=True)
class BranchRules:
    """What is asked before something comes into a branch of the fleet repository."""

    name: str
    branches: frozenset[str]
    """As GitHub writes references; those that are left out begin with `not `."""
    approvals: int
    """How many must agree to a pull request; 0: it may be pushed without one."""
    checks: Mapping[str, str]
    """What must have passed, by its name: who must have said so."""
    own_push_counts: bool = False
    """Whether whoever pushed last may be the one who agrees."""
    reset_by_push: bool = True
    """Whether a later push asks all again."""
    force_pushes: bool = False
    deletion: bool = False
    enforced: bool = True
    bypass: str = NOBODY
    token_bypass: str = field(default="", compare=False)
    """Whether whoever asks may bypass them, as GitHub says it; empty: it does not."""

    @classmethod
    def of(cls, branch: str, approvals: int, checks: Mapping[str, str]) -> BranchRules:
        """Ours of a branch: its name, or with `/*` at the end all that begin so."""
        return cls(f"{RULES_OF}{branch}", frozenset({f"refs/heads/{branch}"}), approvals, checks)

    @property
    def ref(self) -> Ref:
        """Their kind and name."""
        return Ref(Kind.RULES, self.name)

    @property
    def fields(self) -> Mapping[str, str]:
        """What is asked, and of whom not."""
        return {
            "branches": ", ".join(sorted(self.branches)),
            "enforced": yes_or_no(is_so=self.enforced),
            "approvals": str(self.approvals),
            "own push counts": yes_or_no(is_so=self.own_push_counts),
            "reset by a push": yes_or_no(is_so=self.reset_by_push),
            "force pushes": "allowed" if self.force_pushes else "forbidden",
            "deletion": "allowed" if self.deletion else "forbidden",
            **{f"check {name}": f"by {who}" for name, who in sorted(self.checks.items())},
            BYPASS: self.bypass,
        }


GitHubItem = DeploymentEnvironment | GitHubVariables | SecretName | WorkflowFile | BranchRules
