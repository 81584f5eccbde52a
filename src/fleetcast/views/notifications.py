"""What people were told, and what waits to be told, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from fleetcast.domain.canonical import Json
from fleetcast.domain.letter import ChannelState, Letter
from fleetcast.domain.page import Page
from fleetcast.domain.wording import counted
from fleetcast.views.moments import iso, iso_or_null
from fleetcast.workflows.deliver import Delivered
from fleetcast.workflows.notices import NoticesListed


def listed_as_json(listed: NoticesListed) -> Json:
    """All of it, for programs."""
    return {
        "pages": [page_as_json(page) for page in listed.pages],
        "channels": [_channel(state) for state in listed.channels.values()],
        "waiting": [_letter(letter) for letter in listed.waiting],
        "ended": [_letter(letter) for letter in listed.ended],
    }


def listed_in_words(listed: NoticesListed) -> Iterator[str]:
    """All of it, a line each."""
    for page in listed.pages:
        yield (
            f"page {page.number} since {page.raised_at:%Y-%m-%d %H:%M} UTC: {page.notice.title}"
            f" (fleetcast notifications ack {page.number})"
        )
    for state in listed.channels.values():
        if state.disabled:
            again = f"fleetcast notifications retry --channel {state.name}"
            yield f"channel {state.name} is disabled: {state.disabled} ({again})"
        elif state.next_try is not None:
            yield f"channel {state.name} fails, and is tried again at {state.next_try:%Y-%m-%d %H:%M:%S} UTC"
    for letter in (*listed.waiting, *listed.ended):
        at = letter.sent_at or letter.made_at
        tries = f", tried {counted(letter.tries, 'time')}" if letter.tries > 1 else ""
        why = f": {letter.why}" if letter.why else ""
        yield (
            f"{letter.number:>6}  {at:%Y-%m-%d %H:%M} UTC  {letter.channel}  {letter.state.value}{tries}{why}  "
            f"{letter.subject}"
        )
    if not (listed.pages or listed.waiting or listed.ended):
        yield "nothing was told, and nothing waits"


def delivered_as_json(done: Delivered) -> Json:
    """What one look came to, for programs."""
    return {
        "new_notices": done.notices,
        "too_old": done.too_old,
        "unreadable": done.unreadable or None,
        "channels": [
            {"channel": turn.name, "sent": turn.sent, "trouble": turn.trouble or None} for turn in done.turns
        ],
    }


def delivered_in_words(done: Delivered) -> Iterator[str]:
    """What one look came to, in lines; none where there was nothing to do."""
    if done.notices:
        yield f"{counted(done.notices, 'new notice')}"
    if done.too_old:
        yield f"{counted(done.too_old, 'event')} of more than a week ago are told to nobody"
    if done.unreadable:
        yield done.unreadable
    for turn in done.turns:
        if turn.sent:
            yield f"{turn.name}: {counted(turn.sent, 'message')} sent"
        if turn.trouble:
            yield f"{turn.name}: {turn.trouble}"


def page_as_json(page: Page) -> Json:
    """A page for programs; `ended_at` is null while somebody has to acknowledge it."""
    return {
        "page": page.number,
        "event": page.notice.kind.value,
        "title": page.notice.title,
        "raised_at": iso(page.raised_at),
        "escalations": page.escalations,
        "ended_at": iso_or_null(page.ended_at),
        "ended_by": page.ended_by or None,
        "runbook": page.notice.runbook,
    }


def _channel(state: ChannelState) -> Json:
    return {
        "channel": state.name,
        "failures": state.failures,
        "next_try_at": iso_or_null(state.next_try),
        "disabled": state.disabled or None,
    }


def _letter(letter: Letter) -> Json:
    return {
        "letter": letter.number,
        "message_id": letter.id,
        "channel": letter.channel,
        "state": letter.state.value,
        "subject": letter.subject,
        "notices": [
            {"event_id": notice.id, "event": notice.kind.value, "title": notice.title}
            for notice in letter.notices
        ],
        "left_out": letter.left_out,
        "made_at": iso(letter.made_at),
        "due_at": iso(letter.due_at),
        "sent_at": iso_or_null(letter.sent_at),
        "tries": letter.tries,
        "reason": letter.why or None,
    }
