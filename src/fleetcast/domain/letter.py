"""What waits to be sent to a channel: single notices and digests, each told once, in order, and bounded in number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fleetcast.domain.identity import Digest
from fleetcast.domain.notice import PAGES, EventKind, Fact, Notice
from fleetcast.domain.wording import counted

MOST_NOTICES = 100
"""In one letter; further ones are counted, not listed."""
MOST_WAITING = 1_000
"""Letters of a channel; beyond, the oldest that are no pages become one."""
EXPIRES_AFTER = timedelta(days=7)
"""What is no page is not told any more after that."""
MOST_KEPT = 1_000
"""Letters of a channel that wait for nothing, to be looked at."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
_MOST_DOUBLINGS = 20
_FOLDED = "folded"


class LetterState(StrEnum):
    """Where a letter is."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    """The channel never takes it."""
    EXPIRED = "expired"
    """It waited for too long, or its channel was taken out of the settings."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a channel is sent at once: a notice, or a digest of several."""

    number: int
    """Counted up over all channels, 0 before it is kept; the order of sending."""
    channel: str
    id: str
    """Stable, and the same for each channel."""
    key: str
    """What belongs together has the same; empty: it is alone."""
    notices: tuple[Notice, ...]
    """Oldest first, never empty."""
    made_at: datetime
    """Aware UTC, as all times."""
    due_at: datetime
    state: LetterState = LetterState.WAITING
    is_page: bool = False
    sealed: bool = False
    """Whether nothing is added to it any more, as it may have been sent."""
    left_out: int = 0
    """Notices that are only counted."""
    tries: int = 0
    sent_at: datetime | None = None
    why: str = ""
    """Why it was not sent, the last time that it was tried."""

    @property
    def subject(self) -> str:
        """One line."""
        first = self.notices[0]
        if len(self.notices) == 1 and not self.left_out:
            return first.title
        kinds: dict[EventKind, int] = {}
        for notice in self.notices:
            kinds[notice.kind] = kinds.get(notice.kind, 0) + 1
        said = ", ".join(f"{number} {kind.value}" for kind, number in kinds.items())
        total = counted(len(self.notices) + self.left_out, "notice")
        owners = {notice.owner for notice in self.notices}
        owner = next(iter(owners)) if len(owners) == 1 else None
        return f"{total}{f' about circuits of {owner}' if owner else ''}: {said}"

    @property
    def told(self) -> tuple[Notice, ...]:
        """What is sent: its notices, and how many are left out."""
        if not self.left_out:
            return self.notices
        last = self.notices[-1]
        more = Notice(
            id=f"{self.id}-more",
            kind=last.kind,
            at=last.at,
            title=f"and {self.left_out:,} more, which `fleetcast audit list` shows",
            facts=(Fact("left out", str(self.left_out)),),
        )
        return (*self.notices, more)

    def with_more(self, notices: Sequence[Notice]) -> Letter:
        """The same with further notices; of too many, the routine ones are only counted."""
        return _cut(self, (*self.notices, *notices))

    def is_due(self, now: datetime, *, quiet: bool) -> bool:
        """Whether it may be sent at this moment."""
        return self.state is LetterState.WAITING and (self.is_page or (now >= self.due_at and not quiet))

    def has_expired(self, now: datetime) -> bool:
        """Whether it waited for too long; a page never has."""
        return not self.is_page and now >= self.made_at + EXPIRES_AFTER


@dataclass(frozen=True, slots=True)
class Routed:
    """A notice on its way to one channel."""

    channel: str
    notice: Notice
    key: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel stands."""

    name: str
    since: int
    """The last audit entry that was there before the channel: of what was until then it is told nothing."""
    failures: int = 0
    """In a row."""
    next_try: datetime | None = None
    """None: now."""
    disabled: str = ""
    """Why it is tried no more; empty: it is."""

    def is_open(self, now: datetime) -> bool:
        """Whether it may be tried at this moment."""
        return not self.disabled and (self.next_try is None or now >= self.next_try)

    def succeeded(self) -> ChannelState:
        """It took something, or refused it in good order."""
        return replace(self, failures=0, next_try=None)

    def failed(self, now: datetime, after: timedelta | None) -> ChannelState:
        """It took nothing: it is left alone, each time for twice as long, and for as long as it asks."""
        pause = min(_FIRST_PAUSE * 2 ** min(self.failures, _MOST_DOUBLINGS), _LONGEST_PAUSE)
        if after is not None:
            pause = max(pause, min(after, EXPIRES_AFTER))
        return replace(self, failures=self.failures + 1, next_try=now + pause)

    def gone(self, why: str) -> ChannelState:
        """It is tried no more."""
        return replace(self, disabled=why or "it is gone")

    def enabled(self) -> ChannelState:
        """It is tried again, at once."""
        return replace(self, failures=0, next_try=None, disabled="")


def gathered(waiting: Iterable[Letter], routed: Sequence[Routed], now: datetime) -> tuple[Letter, ...]:
    """The letters that new notices change or make: each notice is in exactly one of each channel that it is routed to.

    Args:
        waiting: Letters that are not sealed.
        routed: In the order of what happened.
        now: Aware.

    Returns:
        Changed ones with their number; new ones, without, in the order in which they are to be sent.
    """
    held = {(letter.channel, letter.key): letter for letter in waiting if letter.key and not letter.sealed}
    more: dict[tuple[str, str], list[Routed]] = {}
    for one in routed:
        place = (one.channel, one.key or f" {one.notice.id}")
        more.setdefault(place, []).append(one)
    made = []
    for (channel, key), some in more.items():
        notices = [one.notice for one in some]
        letter = held.get((channel, key))
        if letter is not None:
            due = min(letter.due_at, *(one.due_at for one in some))
            made.append(replace(letter.with_more(notices), due_at=due))
            continue
        first = some[0]
        new = Letter(
            number=0,
            channel=channel,
            id=_id(f"{first.key} {first.notice.id}"),
            key=first.key,
            notices=(first.notice,),
            made_at=now,
            due_at=min(one.due_at for one in some),
            is_page=first.notice.kind in PAGES,
        )
        made.append(new.with_more(notices[1:]))
    return tuple(made)


def closed(waiting: Iterable[Letter], keys: Mapping[str, datetime]) -> tuple[Letter, ...]:
    """The letters to which nothing belongs any more, due at the time of their key's beginning."""
    found = []
    for letter in waiting:
        due = next((at for key, at in keys.items() if letter.key.startswith(f"{key}/")), None)
        if due is not None and not letter.sealed and due < letter.due_at:
            found.append(replace(letter, due_at=due))
    return tuple(found)


def too_many(waiting: Sequence[Letter], most: int = MOST_WAITING) -> tuple[tuple[Letter, ...], Letter | None]:
    """Which of a channel's waiting letters become one, so that at most so many wait; pages never do.

    Args:
        waiting: All of one channel, oldest first.
        most: How many may wait, besides pages and what may have been sent already.

    Returns:
        Those that are no more, and the one in the place of the oldest of them; nothing where they are few enough.
    """
    loose = [letter for letter in waiting if not letter.is_page and not letter.sealed]
    if len(loose) <= most:
        return (), None
    gone = loose[: len(loose) - most + 1]
    notices = tuple(notice for letter in gone for notice in letter.notices)
    oldest = gone[0]
    one = replace(
        oldest,
        id=_id(f"{_FOLDED} {oldest.id}"),
        key=_FOLDED,
        left_out=sum(letter.left_out for letter in gone),
        due_at=min(letter.due_at for letter in gone),
    )
    return tuple(gone[1:]), _cut(one, notices)


def _cut(letter: Letter, notices: Sequence[Notice]) -> Letter:
    """A letter with these notices: beyond the most, of the routine ones the last are only counted."""
    over = len(notices) - MOST_NOTICES
    if over <= 0:
        return replace(letter, notices=tuple(notices))
    places = range(len(notices) - 1, -1, -1)
    order = sorted(places, key=lambda place: (notices[place].kind not in _ROUTINE, -place))
    out = frozenset(order[:over])
    kept = tuple(notice for place, notice in enumerate(notices) if place not in out)
    return replace(letter, notices=kept, left_out=letter.left_out + over)


_ROUTINE = frozenset(
    {EventKind.TRAINING_COMPLETED, EventKind.DEPLOYMENT_STEP, EventKind.APPROVAL_DECIDED, EventKind.RECOVERED}
)


def _id(text: str) -> str:
    return Digest.of(text.encode()).hex[:24]
