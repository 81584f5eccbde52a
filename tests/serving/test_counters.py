"""Windows are closed by a clock that only goes forward, and hold what was done at one share alone."""

from __future__ import annotations

from datetime import timedelta

from fleetcast.domain.health import Answers, Invalid
from fleetcast.domain.traffic import Colour, Watch
from fleetcast.serving.counters import KEPT_WINDOWS, Outcome, WindowCounters
from fleetcast.serving.routes import Share

WATCH = Watch(window=timedelta(seconds=10), slow_after=timedelta(seconds=2))


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_window_holds_what_both_colours_did() -> None:
    seconds = Seconds()
    counters = WindowCounters(WATCH, seconds)
    counters.share_is(10)
    counters.answered(Colour.GREEN, Outcome(200, 0.1, 2, (Invalid.NOT_FINITE,)))
    counters.answered(Colour.GREEN, Outcome(500, 2.5))
    counters.answered(Colour.GREEN, Outcome(200, 2.0, 1))
    counters.answered(Colour.BLUE, Outcome(200, 0.1, 1))
    for status in (400, 404, 429):
        counters.answered(Colour.GREEN, Outcome(status, 9.0))
    counters.replayed(Colour.GREEN, Outcome(500, 0.0, 3, (Invalid.CONSTANT, Invalid.CONSTANT)))
    assert counters.windows() == ()
    seconds.now += 10
    (window,) = counters.windows()
    assert (window.number, window.share) == (1, 10)
    assert window.green.answers == Answers(3, 1, 1)
    assert (window.green.forecasts.count, dict(window.green.forecasts.invalid)) == (
        3,
        {Invalid.NOT_FINITE: 1},
    )
    assert (window.green.replayed.count, dict(window.green.replayed.invalid)) == (3, {Invalid.CONSTANT: 2})
    assert window.blue is not None
    assert window.blue.answers == Answers(1)
    seconds.now += 10
    assert counters.windows()[1].green.answers == Answers()


def test_a_window_in_which_the_share_changed_is_no_window() -> None:
    seconds = Seconds()
    counters = WindowCounters(WATCH, seconds, after=7, has_blue=False)
    counters.answered(Colour.GREEN, Outcome(500, 0.1))
    seconds.now += 9
    counters.share_is(25)
    seconds.now += 9
    assert counters.windows() == ()
    seconds.now += 1
    (window,) = counters.windows()
    assert (window.number, window.share, window.green.answers, window.blue) == (8, 25, Answers(), None)


def test_the_last_windows_are_kept() -> None:
    seconds = Seconds()
    counters = WindowCounters(WATCH, seconds)
    for _ in range(KEPT_WINDOWS + 5):
        seconds.now += 10
        counters.windows()
    assert [window.number for window in counters.windows()] == list(range(6, KEPT_WINDOWS + 6))


def test_of_any_hundred_requests_green_gets_just_its_share() -> None:
    for percent in (0, 1, 10, 25, 33, 50, 99, 100):
        share = Share(percent)
        turns = [share.next() for _ in range(300)]
        for start in range(200):
            assert abs(turns[start : start + 100].count(Colour.GREEN) - percent) <= 1
        assert turns.count(Colour.GREEN) == 3 * percent
