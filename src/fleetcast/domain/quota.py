"""How many cores training may use where it runs, and how many a plan would use at the same time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machines:
    """Machines of one size in one place; neither ever changes."""

    location: str
    size: str
    family: str
    """That quota is given for."""
    cores_each: int


@dataclass(frozen=True, slots=True)
class CoresAllowed:
    """What may be used of a family of machines in one place."""

    location: str
    family: str
    cores_each: int
    limit: int
    """Negative: there is none."""
    used: int
    """By everybody, this fleet too."""

    @property
    def free(self) -> int:
        """What may be used besides; only where there is a limit."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Nobody says how many cores there are."""

    why: str


CoresKnown = CoresAllowed | NotKnown


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """What training would use at the same time, and what it may."""

    nodes: int
    cores: CoresKnown

    @property
    def needed(self) -> int | None:
        """Cores of all nodes together; None: not known."""
        return self.nodes * self.cores.cores_each if isinstance(self.cores, CoresAllowed) else None

    @property
    def nodes_that_fit(self) -> int | None:
        """How many of the nodes what is free is enough for; None: not known."""
        cores = self.cores
        if isinstance(cores, NotKnown):
            return None
        return self.nodes if cores.limit < 0 else min(self.nodes, cores.free // cores.cores_each)

    @property
    def fits(self) -> bool | None:
        """Whether all nodes can be at work at the same time; None: not known."""
        fit = self.nodes_that_fit
        return None if fit is None else fit == self.nodes


def nodes_for(circuits: int, batch_size: int, most: int) -> int:
    """How many nodes train some circuits at the same time.

    Args:
        circuits: To train.
        batch_size: Circuits in one job at most; each job has a node.
        most: As far as the cluster grows.
    """
    return min(-(-circuits // batch_size), most)
