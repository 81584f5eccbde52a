"""A diagnosis in words."""

from __future__ import annotations

from fleetcast.domain.diagnosis import Diagnosis, Finding, Verdict
from fleetcast.views.diagnosis import lines


def test_each_finding_has_a_line_and_its_mend_below() -> None:
    found = Diagnosis(
        (
            Finding("a", Verdict.HOLDS, "well"),
            Finding("b", Verdict.FAILS, "not well", "mend it"),
            Finding.unknown("c", "nobody says", "ask"),
        ),
        {"On call": "12"},
    )
    assert list(lines(found)) == [
        "✓ a: well",
        "✗ b: not well",
        "      mend it",
        "- c: not checked: nobody says",
        "      ask",
        "1 finding holds, 1 not, 1 not checked",
        "whom to ask:",
        "  On call: 12",
    ]


def test_what_others_have_written_cannot_play_tricks_on_a_terminal() -> None:
    found = Diagnosis((Finding("a", Verdict.FAILS, "\x1b[2Jgone\nline", "a\x07b"),))
    assert list(lines(found))[:2] == ["✗ a: \\x1b[2Jgone\\nline", "      a\\x07b"]
