"""What does not fit in a command line is answered in our own words, with what to write instead; it ends with 64."""

from __future__ import annotations

from tests.found.story import Story

_LIBRARIES_WORDS = ("Usage:", "Input should be", "Value error", "Invalid value", "unable to parse")


def tell(story: Story) -> None:
    """Numbers, choices, dates, options and commands that are none."""
    fleet = story.fleet(days=0)
    for words, what in (
        ("approve abc", "'abc' is no number of a request"),
        ("plan --format yaml", "'yaml' is no value of --format"),
        ("plan --formt json", "no option --formt"),
        ("alarms snooze 1 --for abc", "'abc' is not a duration"),
        ("forecast PLANT001/CIRCUIT01 --at 2025-02-31", "'2025-02-31' is not a day of the calendar"),
        ("propose --min-gain abc", "--min-gain: 'abc' is no number"),
        ("deploy prd", "did you mean `prod`?"),
    ):
        said = fleet.type(*words.split())
        story.expect("it is wrong usage", holds=said.code == 64, saw=said.code)
        story.says(said, f"error: {what}" if "did you" not in what and "no option" not in what else what)
        story.expect(
            "one error, one fix, and nothing on standard output",
            holds=[line[:7] for line in said.err.splitlines()] == ["error: ", "  fix: "] and not said.out,
        )
        story.expect(
            "no words of a validator",
            holds=not [one for one in _LIBRARIES_WORDS if one in said.err],
        )
