"""Rich, with nothing obeyed of what is stored: no markup, no emoji by name, no escape; a text is one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rich.console
import rich.text

from fleetcast.domain.legible import one_line


class Text(rich.text.Text):
    """Text with a style; Rich alone would leave out a bell and its like without a word."""

    def __init__(self, text: str = "", *style: Any, **how: Any) -> None:
        super().__init__(one_line(text), *style, **how)

    def append(self, text: Any, style: Any = None) -> Text:
        """As Rich does it."""
        super().append(one_line(text) if isinstance(text, str) else text, style)
        return self


class Console(rich.console.Console):
    """A console that shows what it is given, sign by sign: each text is one line, but for breaks around it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"markup": False, "emoji": False, "highlight": False})

    def print(self, *objects: Any, **how: Any) -> None:
        """As Rich does it."""
        super().print(*(_shown(each, one_line) for each in objects), **how)

    def render_str(self, text: str, **how: Any) -> rich.text.Text:
        """As Rich does it, with the titles and headers of tables."""
        return super().render_str(one_line(text), **how)


def _shown(each: Any, as_line: Callable[[str], str]) -> Any:
    if isinstance(each, str):
        return as_line(each)
    if isinstance(each, rich.text.Text) and (line := as_line(each.plain)) != each.plain:
        return Text(line, each.style)
    return each
