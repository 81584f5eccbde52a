"""Text that people give: comments, reasons, names, labels. What of it is refused, and in which words."""

from __future__ import annotations

from fleetcast.domain.errors import BadInput
from fleetcast.domain.legible import unseen

LONGEST_LINE = 1_000
"""Characters of a comment or a reason."""
LONGEST_NAME = 200
"""Characters of a name, an owner or a label."""


LONGEST_TEXT = 10_000
"""Characters of a description, which may have several lines."""


def check_line(text: str, what: str, longest: int = LONGEST_LINE) -> str:
    """Make sure that a text is one line that people can read, so that none can pass for lines of a log; gives it back.

    Args:
        text: What somebody gave.
        what: What it is, as a sentence begins with it: `the comment`.
        longest: Characters that it may have.

    Raises:
        BadInput: It is not.
    """
    found = unseen(_bounded(text, what, longest))
    if found:
        raise BadInput(f"{what} holds {found}", fix="write one line of plain text")
    return text


def check_lines(text: str, what: str, longest: int = LONGEST_TEXT) -> str:
    """The same of a text that may have several lines."""
    found = unseen(_bounded(text, what, longest), but="\n\t")
    if found:
        raise BadInput(f"{what} holds {found}", fix="write plain text")
    return text


def _bounded(text: str, what: str, longest: int) -> str:
    if len(text) > longest:
        raise BadInput(
            f"{what} has {len(text):,} characters", fix=f"write at most {longest:,}; link to what is longer"
        )
    return text
