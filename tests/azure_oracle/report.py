"""What became of all exchanges of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.azure_emulator.exchange import Exchange
from tests.azure_oracle.deviations import DEVIATIONS, Deviation
from tests.azure_oracle.exchanges import Checked, Finding, Standing

_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Row:
    """All exchanges of one operation."""

    operation: str
    standing: Standing
    checked: int = 0
    deviating: int = 0
    """Exchanges with nothing wrong but what is known and explained."""
    failing: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Every exchange of a run, with the deviations that are allowed."""

    checked: tuple[Checked, ...]
    deviations: tuple[Deviation, ...] = ()

    @classmethod
    def of(
        cls,
        exchanges: Iterable[Exchange],
        check: Callable[[Exchange], Checked],
        deviations: Iterable[Deviation] = DEVIATIONS,
    ) -> Report:
        return cls(tuple(check(exchange) for exchange in exchanges), tuple(deviations))

    @property
    def failures(self) -> tuple[str, ...]:
        """All that nothing explains, each once; empty: everything is as it is published."""
        return tuple(dict.fromkeys(text for each in self.checked for text in self._failures(each)))

    @property
    def stale(self) -> tuple[Deviation, ...]:
        """Deviations that no exchange has; after a whole run they are to be struck out."""
        findings = [finding for each in self.checked for finding in each.findings]
        return tuple(each for each in self.deviations if not any(map(each.explains, findings)))

    @property
    def used(self) -> Mapping[Deviation, int]:
        """Known deviations that there were, and how often."""
        findings = [finding for each in self.checked for finding in each.findings]
        counts = {each: sum(map(each.explains, findings)) for each in self.deviations}
        return {deviation: count for deviation, count in counts.items() if count}

    @property
    def rows(self) -> tuple[Row, ...]:
        """One for each operation, by name; first what is described."""
        counts: dict[tuple[int, str], Counter[str]] = {}
        standings = list(Standing)
        for each in self.checked:
            count = counts.setdefault((standings.index(each.standing), each.name), Counter())
            count["checked"] += 1
            if any(True for _ in self._failures(each)):
                count["failing"] += 1
            elif each.findings:
                count["deviating"] += 1
        return tuple(
            Row(name, standings[standing], count["checked"], count["deviating"], count["failing"])
            for (standing, name), count in sorted(counts.items())
        )

    def count(self, standing: Standing) -> int:
        return sum(each.standing is standing for each in self.checked)

    def as_table(self) -> str:
        """The rows as text, and below them what fails and which deviations are stale."""
        rows = self.rows
        width = min(max((len(row.operation) for row in rows), default=0), _WIDEST)
        lines = [f"{'operation':{width}}  checked  deviating  failing"]
        before = Standing.DESCRIBED
        for row in rows:
            if row.standing is not before:
                lines.append(f"-- {row.standing}")
                before = row.standing
            lines.append(f"{row.operation:{width}}  {row.checked:7}  {row.deviating:9}  {row.failing:7}")
        lines.append(", ".join(f"{self.count(each)} {each}" for each in Standing))
        lines += [f"FAILS {failure}" for failure in self.failures]
        lines += [f"STALE {deviation}" for deviation in self.stale]
        return "\n".join(lines)

    def _failures(self, checked: Checked) -> Iterator[str]:
        if checked.standing is Standing.UNKNOWN:
            yield f"{checked.name}: {checked.why}"
            return
        for finding in checked.findings:
            if not self._explained(finding):
                yield str(finding)

    def _explained(self, finding: Finding) -> bool:
        return any(deviation.explains(finding) for deviation in self.deviations)
