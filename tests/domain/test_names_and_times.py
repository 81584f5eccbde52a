"""Ids, durations and cutoffs: what may be written, and what it then means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.duration import LONGEST, format_duration, parse_duration
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest, checked_id

NO_IDS = [
    "",
    " ",
    ".",
    "..",
    "../x",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "-rf",
    "_x",
    "a b",
    "a\n",
    "a\0",
    "é",
    "Ａ",
    "a\u202eb",
    "a" * 65,
    "a;b",
    "a'b",
    "%2e%2e",
    "٣",
    "a.b",
]


@pytest.mark.parametrize("text", NO_IDS)
def test_what_could_be_a_path_an_option_or_a_query_is_no_id(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked_id("plant_id", text)
    assert "plant_id" in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["a", "0", "PLANT001", "a-b_c", "a" * 64])
def test_letters_digits_dashes_and_underscores_make_an_id(text: str) -> None:
    assert checked_id("plant_id", text) == text


@given(st.text(max_size=70))
def test_an_id_is_plain_ascii_and_short_or_refused(text: str) -> None:
    try:
        checked_id("id", text)
    except BadInput:
        return
    assert text.isascii()
    assert 1 <= len(text) <= 64
    assert not set(text) & set("./\\ :\n\0")


@pytest.mark.parametrize("text", ["", "A", "A/", "/B", "A/B/C", "../B", "A/..", "A/b c"])
def test_a_circuit_is_named_by_exactly_two_ids(text: str) -> None:
    with pytest.raises(BadInput):
        CircuitKey.parse(text)


def test_a_circuit_key_reads_what_it_writes() -> None:
    assert str(CircuitKey.parse("PLANT001/CIRCUIT01")) == "PLANT001/CIRCUIT01"


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n"])
def test_a_digest_is_64_lower_case_hex_digits(text: str) -> None:
    with pytest.raises(BadInput):
        Digest(text)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("5s", timedelta(seconds=5)),
        ("10min", timedelta(minutes=10)),
        (" 1h ", timedelta(hours=1)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("24 h", timedelta(days=1)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "1", "h", "-1h", "0h", "1.5h", "1 month", "1m", "1H", "1e3s", "9999999999s", "36526d", "٣h"],
)
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(BadInput):
        parse_duration(text)


@given(st.integers(1, int(LONGEST.total_seconds())))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length


def test_equal_durations_are_written_alike() -> None:
    assert {format_duration(parse_duration(text)) for text in ("168h", "7d", "1w", "10080min")} == {"7d"}


def test_a_cutoff_date_includes_its_whole_day() -> None:
    cutoff = Cutoff.parse("2025-11-01")
    assert cutoff.end == datetime(2025, 11, 2, tzinfo=UTC)
    assert str(cutoff) == "2025-11-01"


def test_a_cutoff_instant_is_included_itself() -> None:
    cutoff = Cutoff.parse("2025-11-01T13:00:00+01:00")
    assert cutoff.end == datetime(2025, 11, 1, 12, 0, 0, 1, tzinfo=UTC)
    assert str(cutoff) == "2025-11-01T12:00:00Z"


@pytest.mark.parametrize(
    "text", ["2025-11-01T12:00:00", "2025-02-30", "01.11.2025", "today", "", "2025-13-01"]
)
def test_other_texts_are_no_cutoffs(text: str) -> None:
    with pytest.raises(BadInput):
        Cutoff.parse(text)


@given(st.integers(0, 7_258_118_400), st.integers(-14, 14))
def test_a_cutoff_reads_back_as_it_was_written(seconds: int, offset: int) -> None:
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(hours=offset)))
    cutoff = Cutoff.parse(moment.isoformat())
    assert cutoff.end == moment + timedelta(microseconds=1)
    assert Cutoff.parse(str(cutoff)) == cutoff
