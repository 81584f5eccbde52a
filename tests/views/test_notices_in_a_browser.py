"""Notices as a browser draws them: mail on a phone, and cards by the renderer of Adaptive Cards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetcast.ports.channels import Message
from tests.views.notices import DIGEST, HOSTILE, LARGEST, MESSAGES, PAGE, SITE, WORDS
from tests.web.chromium import CHROMIUM, MISSING, Chromium, chromium

RENDERER = Path(__file__).parents[1] / "servers" / "adaptivecards"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=MISSING)]
needs_renderer = pytest.mark.skipif(
    not (RENDERER / "node_modules" / "adaptivecards").is_dir(),
    reason="the renderer of Adaptive Cards is not installed: `make adaptivecards`, with npm",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("name", MESSAGES)
def test_a_mail_fits_a_phone_and_loads_nothing(name: str, browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "mail.html"
    page.write_text(WORDS.mail(MESSAGES[name]).html, encoding="utf-8")
    seen = browser.look(page.as_uri(), 360, scripts=True)
    assert seen.width <= 360
    assert set(seen.loaded) <= {page.as_uri()}
    assert seen.complaints == ()


@pytest.mark.parametrize(("mode", "expected"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(30, 36, 43)")])
def test_a_mail_is_dark_where_people_want_it_so(
    mode: str, expected: str, browser: Chromium, tmp_path: Path
) -> None:
    page = tmp_path / "mail.html"
    page.write_text(WORDS.mail(PAGE).html, encoding="utf-8")
    browser.ask("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": mode}]})
    browser.look(page.as_uri(), 640, scripts=True)
    asks = "getComputedStyle(document.querySelector('.sheet')).backgroundColor"
    assert said(browser, asks) == expected


@needs_renderer
@pytest.mark.parametrize("name", MESSAGES)
def test_the_renderer_complains_of_no_card(name: str, browser: Chromium) -> None:
    assert drawn(browser, MESSAGES[name]) == []


@needs_renderer
def test_a_card_shows_what_happened_and_its_links(browser: Chromium) -> None:
    drawn(browser, DIGEST)
    text = said(browser, "document.body.innerText")
    assert "too few readings: 812 of 4,000 since 2025-06-01" in text
    links = json.loads(said(browser, "JSON.stringify([...document.querySelectorAll('a')].map(a => a.href))"))
    assert links == [f"{SITE}/jobs/{number}" for number in (3, 1, 2, 5, 4)]


@needs_renderer
def test_text_of_users_is_shown_on_a_card_as_it_is(browser: Chromium) -> None:
    drawn(browser, HOSTILE)
    text = said(browser, "document.body.innerText")
    assert "<at>everyone</at> **now** [click](https://evil.example)" in text
    assert "<script>alert(1)</script> | https://evil.example www.evil.example - a 1. b" in text
    tags = json.loads(
        said(browser, "JSON.stringify([...document.querySelectorAll('#card *')].map(each => each.localName))")
    )
    assert not {"a", "at", "b", "strong", "em", "li", "h1", "script", "code"} & set(tags)


def drawn(browser: Chromium, message: Message) -> list[str]:
    """Draw a card; what the renderer complains of."""
    browser.look((RENDERER / "draw.html").as_uri(), 568, scripts=True)
    (attachment,) = json.loads(WORDS.card(message, LARGEST))["attachments"]
    found: list[str] = json.loads(said(browser, f"draw({json.dumps(attachment['content'])}, false)"))
    return found


def said(browser: Chromium, expression: str) -> str:
    result = browser.ask("Runtime.evaluate", {"expression": expression})
    assert "exceptionDetails" not in result, result
    value = result["result"]["value"]
    assert isinstance(value, str)
    return value
