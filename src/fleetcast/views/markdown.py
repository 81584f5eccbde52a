"""Text in Markdown: shown as it is, whatever somebody wrote into it."""

from __future__ import annotations

import re

from fleetcast.domain.legible import legible

_MARKS = re.compile(
    r"[\\`*_\[\]<>~|#@]"  # emphasis, links, HTML, headings, tables, mentions
    r"|^[-+=]|^\d{1,9}[.)](?= |$)"  # lists, rules
    r"|&(?=[#A-Za-z])|:(?=//)|(?<=www)\.|(?<=\{)\{"  # what other signs are written by, addresses, and cards' own marks
)
_CELL = str.maketrans({"|": "\\|", "<": "&lt;", "[": "\\["})


def in_markdown(text: str) -> str:
    """Text that Markdown shows as it is: no link, mention, list or emphasis comes of it."""
    return _MARKS.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", text)


def in_summary(text: str) -> str:
    """The same where Markdown may hold HTML, and in the cells of a table."""
    marked = _MARKS.sub(lambda found: f"{found[0][:-1]}&#{ord(found[0][-1])};", text)
    return marked.replace('"', "&#34;").replace("'", "&#39;")


def in_cell(text: str) -> str:
    """Our own words with names and texts in them: on one line, without HTML, links, or the end of a table's cell."""
    return legible(text).translate(_CELL)
