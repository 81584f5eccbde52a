"""Commands that ask a server: they say what they say of a fleet on this machine, and act in the name of a token."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import httpx
import pytest

from fleetcast import __version__
from fleetcast.app import sent
from fleetcast.app.people import TOKEN_VARIABLE
from fleetcast.cli.main import run
from fleetcast.domain.approval import NotDecidable
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.people import Denied
from fleetcast.platforms.remote.server import Server, server_url
from fleetcast.ports.served import URL_VARIABLE, VALUES, VERSION_HEADER
from tests.clocks import FixedClock
from tests.web.conftest import MadeFleet
from tests.web.serving import Served, served

HERE = "http://127.0.0.1:8484"
SHOWN: Sequence[Sequence[str]] = (
    ("status",),
    ("status", "--all"),
    ("plan",),
    ("plan", "--all"),
    ("plan", "--format", "markdown"),
    ("approvals", "list"),
    ("approvals", "list", "--all", "--last", "2"),
    ("approvals", "show", "2"),
    ("runs", "list"),
    ("runs", "show", "run-0001"),
    ("models", "list"),
    ("models", "list", "--plant", "PLANT001"),
    ("models", "show", "PLANT001/CIRCUIT01"),
    ("models", "show", "PLANT001/CIRCUIT01:1"),
    ("models", "show", "plant001-circuit02"),
    ("whoami",),
)
WRONG: Sequence[Sequence[str]] = (
    ("approvals", "show", "4711"),
    ("runs", "show", "run-4711"),
    ("runs", "logs", "plant001-circuit01.0123456789ab.1"),
    ("models", "show", "PLANT001/CIRCUIT99"),
    ("models", "show", "PLANT001/CIRCUIT01:9"),
    ("models", "show", "plant001-circuit99"),
    ("models", "list", "--plant", "PLANT99"),
    ("approve", "4711"),
    ("reject", "1", "--comment", ""),
)


def typed(made: MadeFleet, *words: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*words, "--fleet", str(made.folder)])
    return code, out.getvalue(), err.getvalue()


def timeless(text: str) -> str:
    """Without the moment at which it was made."""
    return re.sub(r'"made_at": "[^"]*"|circuits at [0-9: -]+ UTC', "", text)


@pytest.fixture(scope="module")
def server(
    made_once: MadeFleet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MadeFleet, Served]]:
    made = made_once.copy_to(tmp_path_factory.mktemp("remote") / "fleet")
    with served(made.folder) as found:
        yield made, found


@pytest.mark.slow
def test_commands_say_of_a_server_what_they_say_of_a_folder(
    server: tuple[MadeFleet, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, found = server
    monkeypatch.setenv(TOKEN_VARIABLE, made.tokens["ada"])
    (submitted, *_) = json.loads(
        (made.folder / ".fleetcast" / "runs" / "run-0001" / "training_jobs.json").read_text()
    )["jobs"]
    shown = [*SHOWN, ("runs", "logs", submitted["job"])]
    for words in [
        *shown,
        *([*words, "--format", "json"] for words in shown if "markdown" not in words),
        *WRONG,
    ]:
        monkeypatch.delenv(URL_VARIABLE, raising=False)
        here = typed(made, *words)
        monkeypatch.setenv(URL_VARIABLE, found.url)
        there = typed(made, *words)
        assert (there[0], *map(timeless, there[1:])) == (here[0], *map(timeless, here[1:])), words
        assert (here[0] == 0) == (words not in WRONG), here


@pytest.mark.slow
def test_decisions_at_a_server_count_in_the_name_of_whose_token_it_is(
    made: MadeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(made.folder) as found:
        monkeypatch.setenv(URL_VARIABLE, found.url)
        monkeypatch.setenv(TOKEN_VARIABLE, made.tokens["vera"])
        code, _, err = typed(made, "approve", "1")
        assert (code, "may not" in err) == (1, True), err
        monkeypatch.setenv(TOKEN_VARIABLE, made.tokens["grace"])
        code, out, _ = typed(made, "approve", "1", "2", "--comment", "looks right")
        assert code == 0
        assert [line.partition(":")[0] for line in out.splitlines()] == ["request 1", "request 2", "next"]
        assert out.count(" approved\n") == 2
        code, out, _ = typed(made, "reject", "3", "--comment", "its pump was swapped")
        assert (code, " rejected" in out) == (0, True)
        assert "stays a candidate" in out
        code, _, err = typed(made, "approve", "3")
        assert (code, "has ended" in err or "rejected" in err) == (1, True), err
        assert typed(made, "approve", "--passing")[1] == "nothing waits for approval\n"
        code, _, err = typed(made, "approve", "--passing", "--set", "deadbeef")
        assert (code, "not deadbeef" in err) == (1, True), err
        for words in (["train"], ["audit", "list"], ["people", "list"], ["adopt", "x"]):
            code, _, err = typed(made, *words)
            if words[0] != "adopt":
                assert (code, URL_VARIABLE in err) == (1, True), err
        code, _, err = typed(made, "plan", "--base", "main")
        assert (code, "clone of the fleet repository" in err) == (1, True)
        monkeypatch.delenv(URL_VARIABLE)
        shown = typed(made, "approvals", "show", "1")[1]
    assert "grace" in shown
    assert "looks right" in shown


def asked(answer: httpx.Response | Exception, *more: httpx.Response) -> tuple[Server, list[httpx.Request]]:
    """A server that answers so, and what it was sent."""
    sent_to: list[httpx.Request] = []
    answers = iter([answer, *more])

    def handle(request: httpx.Request) -> httpx.Response:
        sent_to.append(request)
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return given

    return Server(HERE, "fct_1_x", FixedClock(), httpx.MockTransport(handle)), sent_to


def problem(status: int, kind: str, detail: str = "so it is", fix: str = "do this") -> httpx.Response:
    return httpx.Response(
        status,
        json={"type": f"urn:fleetcast:problem:{kind}", "detail": detail, "fix": fix, "status": status},
        headers={"content-type": "application/problem+json"},
    )


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (problem(401, "no-identity"), Denied, "does not know whose command"),
        (problem(403, "denied"), Denied, "so it is"),
        (problem(404, "not-found"), BadInput, "so it is"),
        (problem(409, "not-decidable"), NotDecidable, "so it is"),
        (problem(422, "bad-input"), BadInput, "so it is"),
        (problem(429, "too-often"), Unavailable, "so it is"),
        (problem(503, "invalid-fleet"), Unavailable, "so it is"),
        (problem(422, "bad-input", "a\x1b[2Jb\u202e"), BadInput, r"a\x1b[2Jb\u202e"),
        (httpx.Response(502, text="<html>Bad gateway"), BadInput, "answers 502, not as fleetcast does"),
        (httpx.Response(302, headers={"location": "https://x.example/"}), BadInput, "by leading elsewhere"),
        (httpx.Response(200, text="<html>hello"), BadInput, "does not answer as fleetcast does"),
        (
            httpx.Response(200, json={}, headers={"content-type": VALUES, VERSION_HEADER: "9.9.9"}),
            BadInput,
            f"is fleetcast 9.9.9, and this is {__version__}",
        ),
        (httpx.ConnectError("refused"), Unavailable, "does not answer"),
    ],
)
def test_whatever_a_server_answers_is_one_clear_error(
    answer: httpx.Response | Exception, kind: type[FleetcastError], says: str
) -> None:
    found, _ = asked(answer)
    with pytest.raises(kind, match=re.escape(says)) as raised:
        found.values("/status")
    assert raised.value.fix
    assert "fct_1_x" not in str(raised.value) + raised.value.fix + repr(found)


def test_what_breaks_on_the_way_is_asked_again_under_the_same_key() -> None:
    found, sent_to = asked(
        httpx.ReadError("broke"), problem(409, "at-work"), httpx.Response(200, json={"requests": []})
    )
    assert found.change("/decisions", {}, "key-number-1") == {"requests": []}
    assert [each.headers["idempotency-key"] for each in sent_to] == ["key-number-1"] * 3
    found, sent_to = asked(httpx.ReadError("broke"))
    with pytest.raises(Unavailable):
        found.change("/logout", {})
    assert len(sent_to) == 1


def test_values_of_a_server_that_are_none_are_one_clear_error() -> None:
    content: Mapping[str, str] = {"content-type": VALUES, VERSION_HEADER: __version__}
    found, _ = asked(httpx.Response(200, json={"format": 1, "at": "x"}, headers=content))
    with pytest.raises(BadInput, match="the server's status cannot be read"):
        sent.STATUS.from_json(found.values("/status"), "the server's status")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://fleet.example.org", "https://fleet.example.org"),
        (" https://Fleet.Example.org:8443/ ", "https://fleet.example.org:8443"),
        ("http://127.0.0.1:8484", HERE),
        ("http://localhost:8484", "http://localhost:8484"),
        ("http://[::1]:8484", "http://[::1]:8484"),
    ],
)
def test_an_address_of_a_server_is_taken(text: str, url: str) -> None:
    assert server_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fleet.example.org",
        "ftp://fleet.example.org",
        "https://",
        "https://ada:secret@fleet.example.org",
        "https://fleet.example.org/fleet",
        "https://fleet.example.org?token=1",
        "https://fleet.example.org:99999",
        "https://[::1",
        "http://fleet.example.org",
        "http://10.0.0.1",
    ],
)
def test_another_address_is_refused_and_not_shown_whole(text: str) -> None:
    with pytest.raises(BadInput) as raised:
        server_url(text)
    assert "secret" not in str(raised.value) + raised.value.fix
