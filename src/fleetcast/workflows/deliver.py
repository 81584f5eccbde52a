"""Tell people what happened: from the audit log to the channels, at least once, in order, whatever a channel does.

Nothing waits for this but itself: whoever trains, decides or deploys writes the audit log, as ever, and is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from fleetcast.domain import happened
from fleetcast.domain.approval import Request, RequestState
from fleetcast.domain.audit import AuditEntry
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.happened import TRAINING_BEGAN, TRAINING_ENDED
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.letter import (
    EXPIRES_AFTER,
    MOST_KEPT,
    ChannelState,
    Letter,
    LetterState,
    Routed,
    closed,
    gathered,
    too_many,
)
from fleetcast.domain.notice import PAGES, Fact, Notice
from fleetcast.domain.notice_routing import Reaches, reached, routed
from fleetcast.domain.page import Page, ended_by, escalated
from fleetcast.domain.role import Right
from fleetcast.domain.settings.notifications import ChannelSettings, NotificationSettings
from fleetcast.domain.telling import (
    Known,
    Told,
    lapse_reminders,
    long_running,
    names_circuit,
    notice_of,
    requests_in,
)
from fleetcast.pipeline.concurrently import in_order
from fleetcast.ports.channels import Channel, Delivery, Gone, Message, Refused, Sent, TryLater
from fleetcast.ports.clock import Clock
from fleetcast.ports.outbox import Change
from fleetcast.ports.platform import Control
from fleetcast.workflows.exclusive import holder
from fleetcast.workflows.requests import Requests

_ENTRIES = 1_000
"""Of the audit log, in one transaction."""
_TURN = timedelta(seconds=10)
"""After so long a channel that takes messages slowly makes room for the next look at the others."""
_MOST_AT_ONCE = 100
"""Letters to one channel in one turn."""
OpenChannel = Callable[[ChannelSettings], Channel]


@dataclass(frozen=True, slots=True)
class DeclaredCircuits:
    """What the fleet repository says of circuits, as far as it can be read."""

    owners: Mapping[CircuitKey, str] = field(default_factory=lambda: MappingProxyType({}))
    models: Mapping[str, CircuitKey] = field(default_factory=lambda: MappingProxyType({}))
    """Circuits by the name of their model."""
    unreadable: str = ""
    """Why nobody's circuits are known; empty: they are."""


@dataclass(frozen=True, slots=True)
class ChannelTurn:
    """What came of one turn of a channel."""

    name: str
    sent: int = 0
    trouble: str = ""
    """Why not more; empty: all that was due was sent."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one look came to."""

    notices: int
    """New ones, each counted once."""
    turns: tuple[ChannelTurn, ...]
    too_old: int = 0
    """News that nobody is told any more, as nobody delivered for so long."""
    unreadable: str = ""
    """As of `DeclaredCircuits`; or what of the books could not be read."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Make letters of what is new, and send what is due."""

    control: Control
    settings: NotificationSettings
    open_channel: OpenChannel
    declared: Callable[[], DeclaredCircuits]
    """Asked only if something is told of circuits."""
    clock: Clock

    def __call__(self, *, lock_timeout: timedelta) -> Delivered:
        """Deliver once; safe to repeat, and to be killed at any moment: what may have been sent is sent again.

        Raises:
            Denied: Whoever acts may not.
            RunInProgress: Another process delivers.
        """
        self.control.require(Right.OPERATE)
        if not self.settings.channels:
            return Delivered(0, ())
        with self.control.outbox.exclusive(holder(self.control, self.clock), lock_timeout):
            told = _Telling(self).tell()
            self.bound()
            channels = self.settings.channels
            turns = tuple(in_order(self._turn, channels, len(channels)))
            self.control.outbox.forget(MOST_KEPT)
            return replace(told, turns=turns)

    def bound(self) -> None:
        """Fold what is too much, and give up what waited for too long; for whoever delivers alone."""
        now = self.clock.now()
        for channel in self.settings.channels:
            waiting = self.control.outbox.waiting(channel.name)
            old = [letter for letter in waiting if letter.has_expired(now)]
            expired = [replace(one, state=LetterState.EXPIRED, why=one.why or "it waited") for one in old]
            dropped, folded = too_many([letter for letter in waiting if letter not in old])
            changed = [*expired, *([] if folded is None else [folded])]
            if changed:
                self.control.outbox.keep(Change(letters=changed, dropped=dropped))

    def _turn(self, settings: ChannelSettings) -> ChannelTurn:
        """Send a channel what is due, until it takes no more or its turn is over."""
        outbox = self.control.outbox
        began = self.clock.now()
        state = outbox.channels()[settings.name]
        if not state.is_open(began):
            return ChannelTurn(settings.name, trouble=state.disabled or "it is left alone for a while")
        quiet = self.settings.is_quiet(began)
        due = [one for one in outbox.waiting(settings.name) if one.is_due(began, quiet=quiet)]
        due = sorted(due, key=lambda one: (not one.is_page, one.number))[:_MOST_AT_ONCE]
        if not due:
            return ChannelTurn(settings.name)
        sealed = [replace(letter, sealed=True) for letter in due]
        # Written down first: nothing is added to a letter that may be under way, so that it is the same if sent again.
        outbox.keep(Change(letters=[letter for letter in sealed if letter not in due]))
        try:
            channel = self.open_channel(settings)
        except FleetcastError as error:
            return self._left_alone(sealed[0], state, TryLater(str(error)), 0)
        sent = 0
        for letter in sealed:
            if self.clock.now() - began >= _TURN:
                return ChannelTurn(settings.name, sent, "it is slow: the rest is sent next time")
            delivery = _sent(channel, letter)
            match delivery:
                case Sent(but):
                    sent += 1
                    done = replace(
                        letter,
                        state=LetterState.SENT,
                        sent_at=self.clock.now(),
                        tries=letter.tries + 1,
                        why=but,
                    )
                case Refused(why):
                    done = replace(letter, state=LetterState.REFUSED, tries=letter.tries + 1, why=why)
                case TryLater() | Gone():
                    return self._left_alone(letter, state, delivery, sent)
            state = state.succeeded()
            outbox.keep(Change(letters=[done], channels=[state]))
        return ChannelTurn(settings.name, sent)

    def _left_alone(
        self, letter: Letter, state: ChannelState, delivery: TryLater | Gone, sent: int
    ) -> ChannelTurn:
        tried = replace(letter, tries=letter.tries + 1, why=delivery.why)
        if isinstance(delivery, Gone):
            change = Change(
                letters=[tried],
                channels=[state.gone(delivery.why)],
                events=[happened.channel_disabled(state.name, delivery.why)],
            )
        else:
            change = Change(letters=[tried], channels=[state.failed(self.clock.now(), delivery.after)])
        self.control.outbox.keep(change)
        return ChannelTurn(state.name, sent, delivery.why)


def _sent(channel: Channel, letter: Letter) -> Delivery:
    try:
        return channel.send(Message(letter.id, letter.subject, letter.told))
    except Exception as error:  # noqa: BLE001  # whatever one channel does, the others get theirs; it may hold a secret
        return TryLater(f"it failed by itself: {type(error).__name__}")


@dataclass(slots=True)
class _Telling:
    """One look at what is new."""

    work: Deliver
    notices: int = 0
    too_old: int = 0
    unreadable: str = ""
    _declared: DeclaredCircuits | None = None

    def tell(self) -> Delivered:
        """Make letters of all that is new, in transactions that each move on how far was read."""
        told = self._begun()
        control = self.work.control
        while entries := control.audit.page(after=told.entry, count=_ENTRIES, newest_first=False):
            told = self._entries(told, entries)
        self._with_time(told)
        return Delivered(self.notices, (), self.too_old, self.unreadable)

    def _begun(self) -> Told:
        """How far was told; a channel that is new is told nothing of before, one that is gone nothing any more."""
        outbox, now = self.work.control.outbox, self.work.clock.now()
        states = outbox.channels()
        names = [channel.name for channel in self.work.settings.channels]
        last = self.work.control.audit.latest(1)
        end = last[-1].number if last else 0
        told = outbox.told()
        new = [ChannelState(name, end) for name in names if name not in states]
        gone = [name for name in states if name not in names]
        lost = [letter for letter in outbox.waiting() if letter.channel not in names] if gone else []
        expired = [
            replace(one, state=LetterState.EXPIRED, why="its channel was taken out of the settings")
            for one in lost
        ]
        if told is None or new or gone:
            told = told or Told(end, "", now)
            outbox.keep(Change(told=told, letters=expired, channels=new, gone=gone))
        return told

    def _entries(self, told: Told, entries: Sequence[AuditEntry]) -> Told:
        work, now = self.work, self.work.clock.now()
        known = self._known(entries)
        states, reaches = work.control.outbox.channels(), reached(known.directory)
        open_pages = {page.number: page for page in work.control.outbox.open_pages()}
        last_page, run = work.control.outbox.last_page(), told.run
        changed: dict[int, Page] = {}
        ways: list[Routed] = []
        over: dict[str, datetime] = {}
        for entry in entries:
            for page in ended_by(entry, (open_pages | changed).values()):
                changed[page.number] = page
            if entry.event.action == TRAINING_BEGAN:
                over |= {run: self._closes(now)} if run and run != entry.event.subject else {}
                run = entry.event.subject
            notice = notice_of(entry, known)
            if notice is not None and now - entry.at >= EXPIRES_AFTER:
                self.too_old += 1
            elif notice is not None:
                if notice.kind in PAGES:
                    last_page += 1
                    notice = _to_acknowledge(notice, last_page)
                    changed[last_page] = Page(last_page, notice, entry.at)
                ways += self._routed(notice, run, reaches, states, entry.number)
            if entry.event.action == TRAINING_ENDED:
                over[entry.event.subject] = self._closes(now)
                run = ""
        after = Told(entries[-1].number, run, told.looked_at)
        self._keep(Change(told=after, pages=list(changed.values())), ways, over)
        if ways:
            # Before the next entries are read: a flood is never held whole, here or in the database.
            work.bound()
        return after

    def _with_time(self, told: Told) -> None:
        """What comes without anything that happens: requests that are about to lapse, long training, old pages."""
        work, now = self.work, self.work.clock.now()
        control, settings = work.control, work.settings
        pending = [outline.id for outline in Requests(control, now).outlines((RequestState.PENDING,))]
        requests = list(self._requests(pending)) if pending and settings.before_lapse else []
        known = replace(self._known(()), circuits=self._circuits().models if requests else {})
        notices = list(lapse_reminders(requests, settings.before_lapse, known, told.looked_at, now))
        run = control.runs.latest()
        goes_on = long_running(run, settings.long_running, known, told.looked_at, now)
        notices += [] if goes_on is None else [goes_on]
        states, reaches = control.outbox.channels(), reached(known.directory)
        ways = [way for one in notices for way in self._routed(one, "", reaches, states, None)]
        pages, letters = escalated(control.outbox.open_pages(), settings, now)
        self._keep(Change(told=replace(told, looked_at=now), pages=pages, letters=letters), ways, {})

    def _keep(self, change: Change, ways: Sequence[Routed], over: Mapping[str, datetime]) -> None:
        outbox, now = self.work.control.outbox, self.work.clock.now()
        waiting = outbox.waiting() if ways or over else []
        made = gathered(waiting, ways, now)
        now_waiting = {letter.number: letter for letter in waiting}
        now_waiting |= {letter.number: letter for letter in made if letter.number}
        ended = {letter.number: letter for letter in closed(now_waiting.values(), over)}
        new = [
            next(iter(closed([letter], over)), letter)
            if not letter.number
            else ended.pop(letter.number, letter)
            for letter in made
        ]
        outbox.keep(replace(change, letters=[*change.letters, *ended.values(), *new]))

    def _routed(
        self,
        notice: Notice,
        run: str,
        reaches: Reaches,
        states: Mapping[str, ChannelState],
        entry: int | None,
    ) -> list[Routed]:
        ways = routed(notice, run, self.work.settings, reaches, self.work.clock.now())
        self.notices += 1
        return [way for way in ways if entry is None or states[way.channel].since < entry]

    def _closes(self, now: datetime) -> datetime:
        """When the digests of a run that is over are sent."""
        return self.work.settings.next_daily(now) or now

    def _known(self, entries: Sequence[AuditEntry]) -> Known:
        circuits = self._circuits() if any(map(names_circuit, entries)) else DeclaredCircuits()
        return Known(
            circuits.owners,
            circuits.models,
            {request.id: request for request in self._requests(sorted(requests_in(entries)))},
            self.work.control.people.directory(),
            self.work.settings.runbooks,
            self.work.settings.site,
        )

    def _circuits(self) -> DeclaredCircuits:
        if self._declared is None:
            self._declared = self.work.declared()
            self.unreadable = self._declared.unreadable or self.unreadable
        return self._declared

    def _requests(self, numbers: Sequence[int]) -> Iterator[Request]:
        for number in numbers:
            try:
                yield self.work.control.approvals.find(number)
            except BadInput as error:
                self.unreadable = str(error)


def _to_acknowledge(notice: Notice, number: int) -> Notice:
    fact = Fact("acknowledge", f"fleetcast notifications ack {number}")
    return replace(notice, facts=(fact, *notice.facts))
