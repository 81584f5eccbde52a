"""Letters, pages and channels in the control database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.errors import BadInput
from fleetcast.domain.letter import ChannelState, Letter, LetterState
from fleetcast.domain.page import Page
from fleetcast.domain.telling import Told
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.leases import Lease
from fleetcast.platforms.database.session import Kept, Session, changes, reads
from fleetcast.ports.outbox import Change
from fleetcast.stored.notices import CHANNEL_STATE, LETTER, PAGE, TOLD

_letters, _pages, _channels, _told = schema.letters, schema.pages, schema.channel_states, schema.told
_SEE = "see them with `fleetcast notifications list`"
_AGAIN = (LetterState.REFUSED, LetterState.EXPIRED)
_ONE_ROW = 1


class ControlOutbox(Kept):
    """Keeps letters by number, and the lease on delivering them."""

    def __init__(self, session: Session, lease: timedelta) -> None:
        super().__init__(session)
        self._lease = Lease(session, "notices", lease)

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        """Be the only one who delivers."""
        return self._lease.held(holder, timeout)

    @reads
    def told(self, connection: Connection) -> Told | None:
        """How far the audit log was read."""
        held = connection.execute(sa.select(_told.c.content)).scalar()
        return None if held is None else TOLD.from_json(held, "told")

    @reads
    def channels(self, connection: Connection) -> Mapping[str, ChannelState]:
        """How each channel stands."""
        return _states(connection)

    @reads
    def waiting(self, connection: Connection, channel: str | None = None) -> Sequence[Letter]:
        """The letters that wait."""
        query = sa.select(_letters).where(_letters.c.state == LetterState.WAITING.value)
        if channel is not None:
            query = query.where(_letters.c.channel == channel)
        return [
            _letter(row.number, row.content) for row in connection.execute(query.order_by(_letters.c.number))
        ]

    @reads
    def ended(self, connection: Connection, count: int) -> Sequence[Letter]:
        """The last so many letters that wait for nothing any more."""
        query = sa.select(_letters).where(_letters.c.state != LetterState.WAITING.value)
        rows = connection.execute(query.order_by(_letters.c.number.desc()).limit(count))
        return [_letter(row.number, row.content) for row in rows]

    @reads
    def find(self, connection: Connection, number: int) -> Letter:
        """One letter."""
        return _found(connection, number)

    @reads
    def open_pages(self, connection: Connection) -> Sequence[Page]:
        """The pages that somebody has to acknowledge."""
        query = sa.select(_pages).where(_pages.c.open).order_by(_pages.c.number)
        return [_page(row.number, row.content) for row in connection.execute(query)]

    @reads
    def last_page(self, connection: Connection) -> int:
        """The number of the newest page."""
        return _last(connection, _pages.c.number)

    @changes
    def keep(self, connection: Connection, change: Change) -> None:
        """Write a change."""
        if change.told is not None:
            connection.execute(sa.delete(_told))
            connection.execute(sa.insert(_told).values(number=_ONE_ROW, content=TOLD.to_json(change.told)))
        _keep_letters(connection, change)
        _keep_pages(connection, change.pages)
        for name in (*change.gone, *(state.name for state in change.channels)):
            connection.execute(sa.delete(_channels).where(_channels.c.channel == name))
        if change.channels:
            rows = [
                {"channel": state.name, "content": CHANNEL_STATE.to_json(state)} for state in change.channels
            ]
            connection.execute(sa.insert(_channels), rows)
        self.session.audit(connection, change.events)

    @changes
    def acknowledge(self, connection: Connection, number: int) -> Page:
        """Note that whoever acts takes care of a page."""
        query = sa.select(_pages.c.content).where(_pages.c.number == number)
        held = connection.execute(query).scalar()
        if held is None:
            raise BadInput(f"there is no page {number}", fix=_SEE)
        page = _page(number, held)
        if not page.is_open:
            raise BadInput(f"page {number} is taken care of already: {page.ended_by}")
        ended = page.ended(self.session.clock.now(), self.session.actor.name)
        _keep_pages(connection, [ended])
        self.session.audit(connection, [happened.page_acknowledged(number, page.notice.id)])
        return ended

    @changes
    def retry(self, connection: Connection, numbers: Sequence[int], channel: str | None) -> int:
        """Have letters sent that were refused or expired, and a channel tried again."""
        again = {number: _found(connection, number) for number in numbers}
        for letter in again.values():
            if letter.state not in _AGAIN:
                raise BadInput(f"letter {letter.number} is {letter.state.value}", fix=_SEE)
        if channel is not None:
            query = sa.select(_letters).where(
                _letters.c.channel == channel, _letters.c.state.in_([state.value for state in _AGAIN])
            )
            for row in connection.execute(query).all():
                again[row.number] = _letter(row.number, row.content)
        for letter in again.values():
            # It counts as made now, so that it does not expire at once.
            made = replace(
                letter, state=LetterState.WAITING, why="", tries=0, made_at=self.session.clock.now()
            )
            _overwrite(connection, made)
        if channel is not None and (state := _states(connection).get(channel)) is not None:
            updating = sa.update(_channels).where(_channels.c.channel == channel)
            connection.execute(updating.values(content=CHANNEL_STATE.to_json(state.enabled())))
            if state.disabled:
                self.session.audit(connection, [happened.channel_enabled(channel)])
        return len(again)

    @changes
    def forget(self, connection: Connection, most: int) -> None:
        """Keep the newest of what waits for nothing."""
        over = _letters.c.state != LetterState.WAITING.value
        names = connection.execute(sa.select(_letters.c.channel).where(over).distinct()).scalars().all()
        for name in names:
            _forget(connection, _letters, over & (_letters.c.channel == name), most)
        _forget(connection, _pages, sa.not_(_pages.c.open), most)

    @reads
    def old(self, connection: Connection, before: datetime) -> int:
        """How many letters and pages `forget_old` would remove."""
        return len(_old_letters(connection, before)) + len(_old_pages(connection, before))

    @changes
    def forget_old(self, connection: Connection, before: datetime) -> None:
        """Remove what waits for nothing, and is of long ago."""
        for table, numbers in (
            (_letters, _old_letters(connection, before)),
            (_pages, _old_pages(connection, before)),
        ):
            if numbers:
                its = [{"its": number} for number in numbers]
                connection.execute(sa.delete(table).where(table.c.number == sa.bindparam("its")), its)


def _old_letters(connection: Connection, before: datetime) -> list[int]:
    last = _last(connection, _letters.c.number)
    over = (_letters.c.state != LetterState.WAITING.value, _letters.c.number < last)
    held = [_letter(row.number, row.content) for row in connection.execute(sa.select(_letters).where(*over))]
    return [letter.number for letter in held if letter.made_at < before]


def _old_pages(connection: Connection, before: datetime) -> list[int]:
    last = _last(connection, _pages.c.number)
    over = (sa.not_(_pages.c.open), _pages.c.number < last)
    held = [_page(row.number, row.content) for row in connection.execute(sa.select(_pages).where(*over))]
    return [page.number for page in held if page.ended_at is not None and page.ended_at < before]


def _forget(connection: Connection, table: sa.Table, those: sa.ColumnElement[bool], most: int) -> None:
    number = table.c.number
    query = sa.select(number).where(those).order_by(number.desc()).offset(most).limit(1)
    last = connection.execute(query).scalar()
    if last is not None:
        connection.execute(sa.delete(table).where(those, number <= last))


def _keep_letters(connection: Connection, change: Change) -> None:
    waits = _letters.c.state == LetterState.WAITING.value
    for letter in change.dropped:
        connection.execute(sa.delete(_letters).where(_letters.c.number == letter.number, waits))
    for letter in change.letters:
        if letter.number:
            _overwrite(connection, letter, waits)
    new = [letter for letter in change.letters if not letter.number]
    if new:
        last = _last(connection, _letters.c.number)
        numbered = [replace(letter, number=last + place) for place, letter in enumerate(new, start=1)]
        connection.execute(sa.insert(_letters), [_row(letter) for letter in numbered])


def _overwrite(connection: Connection, letter: Letter, *those: sa.ColumnElement[bool]) -> None:
    updating = sa.update(_letters).where(_letters.c.number == letter.number, *those)
    connection.execute(updating.values(**_row(letter)))


def _row(letter: Letter) -> dict[str, object]:
    return {
        "number": letter.number,
        "channel": letter.channel,
        "state": letter.state.value,
        "content": LETTER.to_json(letter),
    }


def _keep_pages(connection: Connection, pages: Sequence[Page]) -> None:
    last = _last(connection, _pages.c.number)
    for page in pages:
        values = {"open": page.is_open, "content": PAGE.to_json(page)}
        if page.number > last:
            connection.execute(sa.insert(_pages).values(number=page.number, **values))
        else:
            mine = (_pages.c.number == page.number, _pages.c.open)
            connection.execute(sa.update(_pages).where(*mine).values(**values))


def _last(connection: Connection, number: sa.Column[int]) -> int:
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(number), 0))).scalar_one())


def _states(connection: Connection) -> dict[str, ChannelState]:
    return {
        row.channel: CHANNEL_STATE.from_json(row.content, f"channel_states {row.channel}")
        for row in connection.execute(sa.select(_channels).order_by(_channels.c.channel))
    }


def _found(connection: Connection, number: int) -> Letter:
    query = sa.select(_letters.c.content).where(_letters.c.number == number)
    held = connection.execute(query).scalar()
    if held is None:
        raise BadInput(f"there is no letter {number}", fix=_SEE)
    return _letter(number, held)


def _letter(number: int, content: str) -> Letter:
    return LETTER.from_json(content, f"letters {number}")


def _page(number: int, content: str) -> Page:
    return PAGE.from_json(content, f"pages {number}")
