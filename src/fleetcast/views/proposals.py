"""What is proposed, in words for a terminal, as the text of a pull request, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from fleetcast.domain.canonical import Json
from fleetcast.domain.proposal import Candidate, GainMeasured, Proposal
from fleetcast.domain.wording import counted
from fleetcast.ports.branches import Committed
from fleetcast.views.moments import iso
from fleetcast.views.names import circuit_ids

_MANY = 50
"""More rows than this are cut short in what people read."""
_MEANS = (
    "*Error saved*: a model was trained on all but the newest readings, and forecast those from the given number "
    "of origins; so did the model in use, which has seen none of them either. It is 1 − the mean over sensors of "
    "the ratio of their mean absolute errors. The retrained model itself is measured again before its promotion."
)


def title(proposal: Proposal) -> str:
    """One line: the commit's first, and the pull request's."""
    keys = [candidate.key for candidate in proposal.proposed]
    what = str(keys[0]) if len(keys) == 1 else counted(len(keys), "circuit")
    return f"Retrain {what} on newer readings"


def as_markdown(proposal: Proposal) -> str:
    """The text of the pull request."""
    rows = [_row(candidate) for candidate in proposal.proposed]
    lines = [
        f"{title(proposal)}, as that is expected to forecast better.",
        "",
        "| circuit | cutoff_date | delta_version | error saved | from | held against |",
        "|---|---|---|---:|---:|---|",
        *rows[:_MANY],
        *_more(len(rows)),
        "",
        _MEANS,
    ]
    if proposal.left:
        lines += ["", f"{counted(len(proposal.left), 'circuit')} more looked at, and left as declared."]
    return "\n".join(lines) + "\n"


def as_text(proposal: Proposal) -> str:
    """For a terminal: what is proposed, and why the rest is not."""
    return "\n".join([*_proposed(proposal), *_left(proposal)])


def as_json(proposal: Proposal, committed: Committed | None, url: str | None, diff: str) -> Json:
    """For programs."""
    return {
        "proposed": [_document(candidate) for candidate in proposal.proposed],
        "left": [_document(candidate) for candidate in proposal.left],
        "branch": committed.branch if committed else None,
        "commit": committed.commit if committed else None,
        "pull_request": url,
        "title": title(proposal) if proposal.proposed else None,
        "text": as_markdown(proposal) if proposal.proposed else None,
        "diff": diff,
    }


def percent(share: float) -> str:
    """`12 %`, `−3 %`; less than a percent with one decimal."""
    shown = f"{abs(share):.1%}" if abs(share) < 0.1 else f"{abs(share):.0%}"
    return ("−" if share < 0 else "") + shown.replace("%", " %")


def _proposed(proposal: Proposal) -> Iterator[str]:
    if not proposal.proposed:
        yield "nothing is proposed: no circuit is expected to gain enough"
    for one in proposal.proposed[:_MANY]:
        gain = one.gain
        if isinstance(gain, GainMeasured):
            yield (
                f"{one.key}: {percent(gain.share)} of the error of {gain.model} saved, "
                f"from {counted(gain.origins, 'origin')}; {', '.join(_changes(one))}"
            )
    yield from _more(len(proposal.proposed))


def _left(proposal: Proposal) -> Iterator[str]:
    for one in proposal.left[:_MANY]:
        yield f"{one.key}: left as declared: {_why_not(one)}"
    yield from _more(len(proposal.left))


def _why_not(one: Candidate) -> str:
    if not isinstance(one.gain, GainMeasured):
        return one.gain.why
    if not one.differs:
        return "it is declared so already"
    if one.gain.share < 0:
        return f"a retrain is expected to add {percent(-one.gain.share)} to the error of {one.gain.model}"
    return f"a retrain is expected to save {percent(one.gain.share)} of the error of {one.gain.model}"


def _changes(one: Candidate) -> Iterator[str]:
    if one.cutoff != one.cutoff_before:
        yield f"cutoff_date {one.cutoff_before} → {one.cutoff}"
    if one.version != one.version_before:
        yield f"delta_version {one.version_before} → {one.version}"


def _row(one: Candidate) -> str:
    gain = one.gain
    said = (
        (percent(gain.share), str(gain.origins), gain.model)
        if isinstance(gain, GainMeasured)
        else ("", "", "")
    )
    cells = (
        f"`{one.key}`",
        f"{one.cutoff_before} → {one.cutoff}",
        f"{one.version_before} → {one.version}",
        *said,
    )
    return f"| {' | '.join(cells)} |"


def _more(rows: int) -> Iterator[str]:
    if rows > _MANY:
        yield f"… and {rows - _MANY:,} more"


def _document(one: Candidate) -> Json:
    return {
        **circuit_ids(one.key),
        "cutoff_date": {"before": str(one.cutoff_before), "after": str(one.cutoff)},
        "delta_version": {"before": one.version_before, "after": one.version},
        "gain": _gain(one),
    }


def _gain(one: Candidate) -> Json:
    if not isinstance(one.gain, GainMeasured):
        return {"measured": False, "why": one.gain.why}
    return {
        "measured": True,
        "model": one.gain.model,
        "error_saved": round(one.gain.share, 6),
        "origins": one.gain.origins,
        "trained_before": iso(one.gain.trained_before),
    }
