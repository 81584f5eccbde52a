"""The training environment: which Python and which packages models are trained with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fleetcast.domain.canonical import Json, digest_of
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest, checked_id
from fleetcast.domain.semver import SemVer

_PYTHON = re.compile(r"3\.[0-9]{1,2}(\.[0-9]{1,2})?")
_PACKAGE = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]{0,99})(\[[A-Za-z0-9_, -]{1,200}\])?\s*([=<>!~][^\s;@][^;@]{0,200})?"
)


def package_name(requirement: str) -> str:
    """The package that a requirement such as `numpy>=2,<3` names, in its canonical spelling.

    Raises:
        BadInput: Not a name with optional extras and version bounds (no URLs, paths, options or markers).
    """
    match = _PACKAGE.fullmatch(requirement)
    if not match:
        shown = requirement if len(requirement) <= 80 else requirement[:77] + "..."
        raise BadInput(
            f"{shown!r} is not a package requirement", fix="write a name and its bounds: numpy>=2,<3"
        )
    return re.sub(r"[-_.]+", "-", match[1]).lower()


@dataclass(frozen=True, slots=True)
class TrainingEnvironment:
    """A named version of an environment; a new version is promoted after approval and retrains nothing."""

    name: str
    version: SemVer
    python: str
    """`3.11` or `3.11.9`."""
    packages: tuple[str, ...]
    """Requirements such as `numpy>=2,<3`; sorted, each package once."""

    def __post_init__(self) -> None:
        checked_id("environment name", self.name)
        if not _PYTHON.fullmatch(self.python):
            raise BadInput(f"{self.python!r} is not a Python version", fix="write 3.11 or 3.11.9")
        names = [package_name(requirement) for requirement in self.packages]
        for name, count in Counter(names).items():
            if count > 1:
                raise BadInput(f"package {name!r} is listed twice", fix="keep one of the two requirements")
        object.__setattr__(self, "packages", tuple(sorted(self.packages)))

    @property
    def content(self) -> Mapping[str, Json]:
        """Everything that the version stands for, as it is digested and registered."""
        return {
            "name": self.name,
            "version": str(self.version),
            "python": self.python,
            "packages": list(self.packages),
        }

    @property
    def digest(self) -> Digest:
        """SHA-256 of the canonical JSON of the content."""
        return digest_of(self.content)
