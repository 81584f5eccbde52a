"""Messages in words: what people read, and what text of users can never become in it."""

from __future__ import annotations

import json
import os
import re
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from markdown_it import MarkdownIt

from fleetcast.domain.notice import EventKind, Fact, Notice, NoticeLink
from fleetcast.domain.place import EnvironmentName
from fleetcast.ports.channels import Message
from fleetcast.views.markdown import in_markdown, in_summary
from fleetcast.views.notices import Written, anywhere, is_web, plain, quoted
from tests.views.notices import (
    AT,
    DIGEST,
    GOLDEN,
    HOSTILE,
    LARGEST,
    MANY,
    MESSAGES,
    PAGE,
    ROLLED_BACK,
    SITE,
    WORDS,
    golden_files,
)

SPECS = Path(os.environ.get("FLEETCAST_AZURE_SPECS") or Path(__file__).parents[3] / "shared" / "azure")
SCHEMA = SPECS / "adaptive-cards/microsoft__AdaptiveCards/schemas/1.4.0/adaptive-card.json"
needs_schema = pytest.mark.skipif(
    not SCHEMA.is_file(), reason=f"{SCHEMA} is not there: set FLEETCAST_AZURE_SPECS to its folder"
)

ODD = some.text(some.characters(), max_size=120) | some.text(
    "<>@[](){}*_`~|#&:/\\\"'\n\r\u202e\u2066\x00 -+.1aw", max_size=120
)
LONG = some.integers(0, 3_000).map(lambda count: "\U0001f3ed\\" * count)
TEXTS = ODD | LONG
URLS = some.text(string.printable, max_size=60).map(lambda rest: f"https://example.org/{rest}") | TEXTS
NOTICES = some.builds(
    Notice,
    id=ODD,
    kind=some.sampled_from(EventKind),
    at=some.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
    title=TEXTS,
    facts=some.lists(some.builds(Fact, TEXTS, TEXTS), max_size=40).map(tuple),
    environment=some.none() | some.sampled_from(EnvironmentName),
    plant=some.none() | TEXTS,
    circuit=some.none() | TEXTS,
    owner=some.none() | TEXTS,
    links=some.lists(some.builds(NoticeLink, TEXTS, URLS), max_size=9).map(tuple),
    runbook=some.none() | URLS,
)
MESSAGES_MADE = some.builds(
    Message, id=ODD, subject=TEXTS, notices=some.lists(NOTICES, min_size=1, max_size=6).map(tuple)
)


def content(card: bytes) -> dict[str, Any]:
    """The Adaptive Card of what Teams is sent."""
    sent = json.loads(card)
    assert sent["type"] == "message"
    (attachment,) = sent["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    inner: dict[str, Any] = attachment["content"]
    return inner


def parts(node: object, name: str) -> Iterator[Any]:
    """Whatever has this name, anywhere in a card."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == name:
                yield value
            yield from parts(value, name)
    elif isinstance(node, list):
        for one in node:
            yield from parts(one, name)


@pytest.mark.parametrize("name", sorted(golden_files()))
def test_messages_are_as_reviewed(name: str) -> None:
    # `python -m tests.views.notices` writes them anew.
    assert golden_files()[name] == (GOLDEN / name).read_text(encoding="utf-8")


def test_no_reviewed_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(golden_files())


@needs_schema
@pytest.mark.parametrize("name", MESSAGES)
def test_cards_are_valid_by_the_official_schema(name: str) -> None:
    validator = jsonschema_rs.Draft6Validator(json.loads(SCHEMA.read_text(encoding="utf-8-sig")))
    card = content(WORDS.card(MESSAGES[name], LARGEST))
    assert [str(error) for error in validator.iter_errors(card)] == []
    card["body"][0]["itemz"] = []
    assert list(validator.iter_errors(card)), "the schema refuses nothing"


@needs_schema
@settings(max_examples=40, deadline=None)
@given(message=MESSAGES_MADE, more=some.none() | some.just(SITE))
@example(message=HOSTILE, more=None)
@example(message=MANY, more=SITE)
def test_every_card_is_valid_and_fits(message: Message, more: str | None) -> None:
    validator = jsonschema_rs.Draft6Validator(json.loads(SCHEMA.read_text(encoding="utf-8-sig")))
    drawn = Written(more).card(message, LARGEST)
    assert len(drawn) <= LARGEST
    assert [str(error) for error in validator.iter_errors(content(drawn))] == []


@settings(max_examples=40, deadline=None)
@given(message=MESSAGES_MADE)
def test_every_other_form_can_be_written(message: Message) -> None:
    mail = WORDS.mail(message)
    assert "\n" not in mail.subject
    assert mail.subject.isprintable()
    assert all(sign.isprintable() or sign == "\n" for sign in mail.text)
    mail.html.encode()
    title, text = WORDS.line(message)
    assert "\n" not in title
    assert (title + text).encode()
    assert WORDS.markdown(message).encode()
    lines = WORDS.agent_lines(message, "/agent/summary.md")
    assert all(line.startswith("##vso[task.") and line.isprintable() for line in lines)
    assert lines[-1] == "##vso[task.uploadsummary]/agent/summary.md"


def test_what_does_not_fit_is_counted_and_the_most_urgent_is_kept() -> None:
    drawn = WORDS.card(MANY, LARGEST)
    assert 20_000 < len(drawn) <= LARGEST
    card = content(drawn)
    texts = list(parts(card, "text"))
    shown = [text for text in texts if text.endswith(" drifts")]
    assert f"and {2_000 - len(shown):,} more" in texts
    assert all(number % 3 == 0 for text in shown for number in [int(re.sub(r"\D", "", text))]), (
        "drift before failures"
    )
    assert card["actions"][0]["url"] == f"{SITE}/notices"
    without = content(Written().card(MANY, LARGEST))
    assert "actions" not in without
    assert any("`fleetcast notifications list` shows them" in text for text in parts(without, "text"))


def test_a_digest_counts_by_plant_what_it_leaves_out_too() -> None:
    card = content(WORDS.card(MANY, LARGEST))
    first = next(text for text in parts(card, "text") if text.startswith("dev / PLANT"))
    plant = int(first[-3:])
    numbers = [number for number in range(1, 2_001) if number % 40 == plant]
    failed = sum(number % 3 == 0 for number in numbers)
    assert f"{failed} training failed, {len(numbers) - failed} drift" in list(parts(card, "text"))


def test_a_single_notice_that_is_too_long_loses_facts_and_says_so() -> None:
    facts = tuple(Fact(f"fact {number}", "\\" * 600) for number in range(30))
    message = Message("m", "s", (Notice("n", EventKind.DRIFT, AT, "t", facts),))
    card = content(WORDS.card(message, 5_000))
    (found,) = parts(card, "facts")
    assert found[-1] == {"title": "…", "value": "and 25 more lines"}
    with pytest.raises(ValueError, match="no card fits into 10 bytes"):
        WORDS.card(message, 10)


def test_a_page_asks_for_acknowledgement_in_every_long_form() -> None:
    mail = WORDS.mail(PAGE)
    for text in (WORDS.card(PAGE, LARGEST).decode(), mail.text, mail.html):
        assert "acknowledge it" in text
    assert "acknowledge it" not in WORDS.mail(DIGEST).text


def test_links_act() -> None:
    card = content(WORDS.card(PAGE, LARGEST))
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Show the rollout", "url": f"{SITE}/releases/42"},
        {"type": "Action.OpenUrl", "title": "Runbook", "url": ROLLED_BACK.runbook},
    ]
    assert f'href="{SITE}/releases/42"' in WORDS.mail(PAGE).html


@given(ODD)
@example("www.evil.example https://evil.example a@evil.example &lt; 1) a")
@example("- a")
@example("{{DATE(2017-02-14T06:08:39Z,SHORT)}}")
def test_text_in_markdown_is_shown_as_it_is(text: str) -> None:
    once = plain(text)
    drawn = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .enable("strikethrough")
        .render(in_markdown(once))
    )
    assert Shown.of(drawn) == ([once] if once else [], {"p"} if once else set())
    assert "{{" not in in_markdown(once)


@given(ODD)
@example('"><script>alert(1)</script> | x')
def test_text_in_a_cell_of_a_summary_is_shown_as_it_is(text: str) -> None:
    once = plain(text)
    table = f"| a | b |\n|---|---|\n| x | {in_summary(once)} |\n"
    drawn = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(table)
    texts, tags = Shown.of(drawn)
    assert texts[:4] == ["a", "b", "x", once][: 4 if once else 3]
    assert tags == {"table", "thead", "tbody", "tr", "th", "td"}


@given(ODD)
def test_text_for_whatever_service_has_no_mention_and_no_address(text: str) -> None:
    assert not re.search(r"[<>@`]|://|www\.", anywhere(text))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://example.org", "//example.org", "https://", "https:/x",
        "https://example.org/a b", "https://example.org/\n",
        "https://[", "https://[::1]/", "https://good.example@evil.example/", "https://a:b/",
        "https://é.example/", "https://example.org/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_page_never_becomes_a_link(url: str) -> None:
    assert not is_web(url)
    message = Message("m", "s", (Notice("n", EventKind.DRIFT, AT, "t", links=(NoticeLink("here", url),)),))
    assert "actions" not in content(WORDS.card(message, LARGEST))
    assert "href" not in WORDS.mail(message).html


def test_an_address_ends_no_link_around_it() -> None:
    odd = "https://example.org/(x)<y>\"z'?a=1&copy;=%20é"
    assert is_web(odd)
    assert quoted(odd) == "https://example.org/%28x%29%3Cy%3E%22z%27?a=1&copy%3B=%20%C3%A9"


def test_html_of_a_mail_holds_no_tag_of_users() -> None:
    hostile, honest = Shown.of(WORDS.mail(HOSTILE).html), Shown.of(WORDS.mail(PAGE).html)
    assert hostile[1] == honest[1]
    assert any("<script>alert(1)</script>" in text for text in hostile[0])


def test_invisible_signs_and_those_that_turn_text_are_written_out() -> None:
    assert (
        plain("a\u202eb\u2066c\u200bd\r\ne\u2028f\x00g\ud800h") == r"a\u202eb\u2066c\u200bd e f\x00g\ud800h"
    )
    assert plain("x" * 501) == "x" * 499 + "…"
    assert plain(" " * 10_000 + "late") == "…"


def test_the_time_is_said_in_utc() -> None:
    berlin = AT.astimezone(timezone(timedelta(hours=1)))
    assert (
        "2025-11-03 02:14 UTC"
        in WORDS.mail(Message("m", "s", (Notice("n", EventKind.DRIFT, berlin, "t"),))).text
    )


class Shown(HTMLParser):
    """The texts of an HTML page, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self._joined = False

    @classmethod
    def of(cls, page: str) -> tuple[list[str], set[str]]:
        parser = cls()
        parser.feed(page)
        parser.close()
        return [text.strip() for text in parser.texts if text.strip()], parser.tags

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  # as the class has it
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
