"""Tables as all commands show them: one look, ids that are never broken, and as much as the terminal has room for.

At a terminal a table gets narrower in this order: words wrap, commands move to a line of their own below their row,
dispensable columns go, and where even the ids have no room side by side, each row becomes a few lines `name: value`.
Without a terminal, and with `--wide`, each row is one line, however long.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from rich.cells import cell_len
from rich.console import ConsoleOptions
from rich.text import Text

from fleetcast.cli.output import say_line, say_next
from fleetcast.cli.plain_rich import Console
from fleetcast.domain.legible import legible
from fleetcast.domain.wording import counted

Cell = str | Text | datetime | int | None
"""Text of a user is text, whatever looks like markup in it; None is a dash."""
GAP = 2
"""Blanks between two columns."""
NARROWEST = 20
"""So many columns words get at least, where they have that many, before something else has to go."""
_INDENT = "  "
_WORD = re.compile(r"\S+")


class Kind(Enum):
    """What a column holds, which says what may be done to it."""

    ID = "never broken: ids and paths"
    COMMAND = "never broken, and below its row where it has no room beside it"
    WORDS = "wraps between words"
    LOOSE = "wraps anywhere"
    NUMBER = "never broken, on the right"
    MOMENT = "in UTC, all of a column to the minute or all to the second"


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    kind: Kind
    goes: int | None = None
    """Its turn to go where there is no room, the lowest first; None: it never goes."""

    @property
    def title(self) -> str:
        """What stands above it."""
        return f"{self.name} (UTC)" if self.kind is Kind.MOMENT else self.name

    @property
    def wraps(self) -> bool:
        """Whether its cells may have more than one line."""
        return self.kind in (Kind.WORDS, Kind.LOOSE)


def an_id(name: str, *, goes: int | None = None) -> Column:
    """A column of ids or paths, which somebody copies."""
    return Column(name, Kind.ID, goes)


def command(name: str) -> Column:
    """A column of commands to copy."""
    return Column(name, Kind.COMMAND)


def words(name: str, *, goes: int | None = None) -> Column:
    """A column of words."""
    return Column(name, Kind.WORDS, goes)


def loose(name: str, *, goes: int | None = None) -> Column:
    """A column of text that has no words to keep whole, such as JSON."""
    return Column(name, Kind.LOOSE, goes)


def numbers(name: str, *, goes: int | None = None) -> Column:
    """A column of numbers, with their units."""
    return Column(name, Kind.NUMBER, goes)


def moments(name: str, *, goes: int | None = None) -> Column:
    """A column of moments."""
    return Column(name, Kind.MOMENT, goes)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; print it with `show`."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    empty: str = ""
    """What is said where there is no row."""
    then: str = ""
    """What is typed next where there is no row."""

    def __rich_console__(self, _console: object, options: ConsoleOptions) -> Iterator[Text]:
        if self.title:
            yield _line(Text(self.title, "bold"))
        texts = self._texts()
        layout = _layout(self.columns, texts, options.max_width)
        if layout is None:
            yield from _blocks(self.columns, texts, options.max_width)
            return
        yield from _side_by_side(self.columns, texts, layout, options.max_width)
        hidden = [one.title for place, one in enumerate(self.columns) if place in layout.hidden]
        if hidden:
            note = (
                f"{counted(len(hidden), 'column')} hidden at {options.max_width} columns: {', '.join(hidden)}; "
                "--wide shows all"
            )
            yield from map(_line, _wrapped(Text(note, "dim"), options.max_width))

    def _texts(self) -> list[list[Text]]:
        to_the_second = [
            any(isinstance(row[place], datetime) and _has_seconds(row[place]) for row in self.rows)
            for place in range(len(self.columns))
        ]
        return [
            [
                _text(cell, column, to_the_second=seconds)
                for cell, column, seconds in zip(row, self.columns, to_the_second, strict=True)
            ]
            for row in self.rows
        ]


def show(table: Table, console: Console) -> None:
    """Print a table, or the sentence that stands for an empty one."""
    if not table.rows and table.empty:
        say_next(console, table.empty, table.then)
    else:
        console.print(table, soft_wrap=True)


def show_facts(facts: Iterable[tuple[str, str]], console: Console, *, whole: Collection[str] = ()) -> None:
    """Labels with a value each, side by side; a value wraps between words, and those of `whole` never."""
    pairs = [(label, Text(_safe(value, wraps=True))) for label, value in facts]
    longest = max((cell_len(label) for label, _ in pairs), default=0) + GAP
    room = console.width - longest
    for label, value in pairs:
        breaks = label not in whole and _longest_word(value.plain) <= room
        for number, line in enumerate(_wrapped(value, room) if breaks else [value]):
            named = Text("" if number else label, "dim")
            say_line(console, Text.assemble(named, " " * (longest - named.cell_len), line))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns stand side by side, how wide, and what became of the others."""

    widths: dict[int, int]
    below: frozenset[int]
    hidden: frozenset[int]


def _layout(columns: Sequence[Column], rows: Sequence[Sequence[Text]], room: int) -> _Layout | None:
    """How the columns fit into so much room; None if even those that have to stay do not."""
    every = range(len(columns))
    whole = [_natural(columns[place], [row[place] for row in rows]) for place in every]
    least = [_least(columns[place], [row[place] for row in rows]) for place in every]
    comfortable = [max(least[place], min(whole[place], NARROWEST)) for place in every]
    commands = frozenset(place for place in every if columns[place].kind is Kind.COMMAND)
    going = sorted(
        (place for place in every if columns[place].goes is not None),
        key=lambda place: columns[place].goes or 0,
    )
    if _sum(whole, every) <= room:
        return _Layout({place: whole[place] for place in every}, frozenset(), frozenset())
    tries = [(frozenset[int](), frozenset[int]())] if commands else []
    tries += [(commands, frozenset(going[:count])) for count in range(len(going) + 1)]
    for needed in (comfortable, least):
        for below, hidden in tries if needed is comfortable else tries[-1:]:
            beside = [place for place in every if place not in below | hidden]
            if beside and _sum(needed, beside) <= room:
                return _Layout(_shared(beside, needed, whole, room), below - hidden, hidden)
    return None


def _shared(beside: Sequence[int], needed: Sequence[int], whole: Sequence[int], room: int) -> dict[int, int]:
    """Widths of columns: what they need, and what is left to those that could use more, evenly."""
    widths = {place: needed[place] for place in beside}
    left = room - _sum(needed, beside)
    while left > 0 and (narrow := [place for place in beside if widths[place] < whole[place]]):
        each = max(left // len(narrow), 1)
        for place in narrow:
            more = min(each, whole[place] - widths[place], left)
            widths[place] += more
            left -= more
    return widths


def _sum(widths: Sequence[int], places: Iterable[int]) -> int:
    beside = [widths[place] for place in places]
    return sum(beside) + GAP * max(len(beside) - 1, 0)


def _natural(column: Column, cells: Sequence[Text]) -> int:
    return max(cell_len(column.title), *(cell.cell_len for cell in cells), 1)


def _least(column: Column, cells: Sequence[Text]) -> int:
    """So wide it has to be: as its longest word, or as its longest cell where that is not broken."""
    title = _longest_word(column.title)
    if column.kind is Kind.LOOSE:
        return max(title, min(_natural(column, cells), NARROWEST))
    longest = _longest_word if column.wraps else cell_len
    return max(title, *(longest(cell.plain) for cell in cells), 1)


def _longest_word(text: str) -> int:
    return max((cell_len(word) for word in text.split()), default=0)


def _side_by_side(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], layout: _Layout, room: int
) -> Iterator[Text]:
    places = sorted(layout.widths)
    titles = {place: Text(columns[place].title, "bold") for place in places}
    yield from _row(columns, titles, layout.widths, at_bottom=True)
    for row in rows:
        yield from _row(columns, {place: row[place] for place in places}, layout.widths)
        for place in sorted(layout.below):
            if row[place].plain:
                yield _apart(row[place], room)


def _row(
    columns: Sequence[Column],
    cells: dict[int, Text],
    widths: dict[int, int],
    *,
    at_bottom: bool = False,
) -> Iterator[Text]:
    lines = {
        place: _wrapped(cell, widths[place]) if columns[place].wraps or at_bottom else [cell]
        for place, cell in cells.items()
    }
    height = max(len(each) for each in lines.values())
    first = next(iter(lines))
    for number in range(height):
        line = Text()
        for place, each in lines.items():
            at = number - (height - len(each) if at_bottom else 0)
            part = each[at] if 0 <= at < len(each) else Text()
            blanks = " " * (widths[place] - part.cell_len)
            if place != first:
                line.append(" " * GAP)
            if columns[place].kind is Kind.NUMBER:
                line.append(blanks).append_text(part)
            else:
                line.append_text(part).append(blanks)
        line.rstrip()
        yield _line(line)


def _blocks(columns: Sequence[Column], rows: Sequence[Sequence[Text]], room: int) -> Iterator[Text]:
    """Each row as lines `name: value`, without what is empty."""
    for number, row in enumerate(rows):
        if number:
            yield _line(Text())
        for column, cell in zip(columns, row, strict=True):
            if cell.plain:
                yield from _named(column, cell, room)


def _named(column: Column, cell: Text, room: int) -> Iterator[Text]:
    name = Text(f"{column.title}:", "bold")
    if name.cell_len + 1 + cell.cell_len <= room:
        yield _line(name + Text(" ") + cell)
        return
    yield from map(_line, _wrapped(name, room))
    if not column.wraps:
        yield _apart(cell, room)
        return
    for line in _wrapped(cell, room - len(_INDENT)):
        yield _line(Text(_INDENT) + line)


def _apart(cell: Text, room: int) -> Text:
    """What is never broken, in a line of its own."""
    return _line(Text(_INDENT if len(_INDENT) + cell.cell_len <= room else "") + cell)


def _wrapped(cell: Text, width: int) -> list[Text]:
    """Lines of at most so many columns: broken between words, and inside those that are longer."""
    breaks: list[int] = []
    used = end = 0
    for word in _WORD.finditer(cell.plain):
        gap, length = cell_len(cell.plain[end : word.start()]), cell_len(word[0])
        end = word.end()
        if word.start() and used + gap + length > width:
            breaks.append(word.start())
            used = gap = 0
        used += gap + length
        if length > width:
            inside, used = _folded(word[0], width)
            breaks += [word.start() + place for place in inside]
    lines = list(cell.divide(breaks))
    for line in lines:
        line.rstrip()
    return lines


def _folded(word: str, width: int) -> tuple[list[int], int]:
    """Where a word is broken that has no room in one line, and the columns that its end takes."""
    places, used = [], 0
    for place, sign in enumerate(word):
        wide = cell_len(sign)
        if used and used + wide > width:
            places.append(place)
            used = 0
        used += wide
    return places, used


def _line(line: Text) -> Text:
    """A line that nobody breaks any more."""
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _text(cell: Cell, column: Column, *, to_the_second: bool) -> Text:
    if cell is None:
        return Text("–", "dim")
    if isinstance(cell, datetime):
        return Text(cell.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S" if to_the_second else "%Y-%m-%d %H:%M"))
    if isinstance(cell, int):
        return Text(f"{cell:,}")
    if isinstance(cell, str):
        return Text(_safe(cell, wraps=column.wraps))
    safe = _safe(cell.plain, wraps=column.wraps)
    return cell if safe == cell.plain else Text(safe, cell.style)


def _safe(text: str, *, wraps: bool) -> str:
    """What a terminal would obey is shown instead; where lines are broken anyway, a line break is a blank."""
    return legible(re.sub("[\t\n]", " ", text) if wraps else text)


def _has_seconds(moment: Cell) -> bool:
    return isinstance(moment, datetime) and bool(moment.second or moment.microsecond)
