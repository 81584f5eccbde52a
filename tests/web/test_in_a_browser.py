"""The pages as a real browser draws them, with scripts switched off and on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from fleetcast.app import open_desk, open_sign_in
from fleetcast.domain.people import Grant
from fleetcast.domain.role import Role
from fleetcast.domain.shown import Shown, at_issuer
from tests.web.chromium import CHROMIUM, MISSING, Chromium, chromium
from tests.web.conftest import PLAIN_GATE, MadeFleet, actor, made_in
from tests.web.serving import served

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason=MISSING)]
SHOWN = Shown(at_issuer("https://login.example.com", "grace"))
PAGES = {
    "/sign-in": ("Name", "Password", "Sign in"),
    "/approvals": ("Approvals",),
    "/approvals/2": ("Checks", "Facts", "Approve", "Hand your vote on", "edsger", "Break glass"),
    "/account": ("glass-breaker, everywhere",),
    "/tokens": ("At most these rights",),
}
"""What somebody who is signed in sees there."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeFleet:
    """A gate at which glass may be broken, and Grace who may do all there is to do at it."""
    gate = PLAIN_GATE.replace("}", ", break_glass: allowed}")
    made = made_in(tmp_path_factory.mktemp("browser"), gate)
    books = open_desk(made.folder).as_(actor("ada")).books
    books.people.identify("grace", [SHOWN.proof])
    books.people.grant("grace", Role.GLASS_BREAKER)
    assert Grant("p-grace", Role.GLASS_BREAKER) in books.people().grants
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(made: MadeFleet, browser: Chromium) -> Iterator[str]:
    """A server at which the browser is signed in."""
    secret = open_sign_in(made.folder).signing_in_by(SHOWN).secret
    with served(made.folder) as server:
        browser.keep_cookie(server.url, "fleetcast-session", secret)
        yield server.url.rstrip("/")


@pytest.mark.parametrize("scripts", [False, True], ids=["without scripts", "with scripts"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_drawn_whole_and_without_complaint(
    path: str, width: int, scripts: bool, url: str, browser: Chromium
) -> None:
    seen = browser.look(url + path, width, scripts=scripts)
    for text in PAGES[path]:
        assert text in seen.text
    assert seen.complaints == ()
    icon = f"{url}/icon.svg"  # asked for before the page is drawn, later, or not at all, as the browser likes
    assert {*seen.loaded, icon} == {url + path, f"{url}/style.css", icon}
    assert set(seen.loaded.values()) == {200}
    assert seen.width <= width


def test_what_a_policy_blocks_and_what_is_too_wide_is_noticed(tmp_path: Path) -> None:
    policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"
    wide = f"<table width=2000><tr><td>{2_000 * 'w'}</table><style>p {{ color: red }}</style>"
    with chromium(tmp_path / "profile") as browser:
        seen = browser.look(f"data:text/html,{quote(policy + wide)}", 360, scripts=False)
    assert seen.complaints
    assert seen.width > 360
