"""Signing a command line in: at a server through a browser, and to a fleet on this machine by a password."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from io import StringIO
from pathlib import Path

import httpx
import pytest

from fleetcast.app import look_at_keys, open_sign_in
from fleetcast.app.login import log_in_at_server
from fleetcast.cli.main import run
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.login import Login
from fleetcast.platforms.files.logins import Logins
from fleetcast.ports.served import URL_VARIABLE
from fleetcast.web.command_lines import LASTS, CommandLines, NoSuchLogin
from fleetcast.workflows.tokens import ByToken
from tests.clocks import FixedClock
from tests.servers.oidc_provider import Browser, OidcServer
from tests.web.conftest import Client, MadeFleet, actor
from tests.web.serving import served
from tests.web.test_pages import PASSWORD, declare_provider, invited, known_as, with_password


def typed(folder: Path, *words: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*words, "--fleet", str(folder)])
    return code, out.getvalue(), err.getvalue()


def log_in(folder: Path, *words: str, password: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fleetcast.cli.main", "login", *words, "--fleet", str(folder)]
    return subprocess.run(command, input=f"{password}\n", capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Logins of one test are nobody else's; the key that seals stays that of the test run."""
    look_at_keys()
    own = tmp_path / "state"
    (own / "fleetcast").mkdir(mode=0o700, parents=True)
    for key in (Path(os.environ["XDG_STATE_HOME"]) / "fleetcast").glob("signing.key*"):
        shutil.copy2(key, own / "fleetcast")
    monkeypatch.setenv("XDG_STATE_HOME", str(own))
    return own / "fleetcast"


@pytest.mark.slow
def test_a_command_line_signs_in_at_a_server_in_a_browser(
    made: MadeFleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = invited(made, "grace")
    with served(made.folder) as found, httpx.Client(base_url=found.url) as browser:
        own = {"origin": found.url}
        browser.get("/link", params={"secret": secret})
        browser.post("/link", data={"password": PASSWORD, "again": PASSWORD}, headers=own)
        monkeypatch.setenv(URL_VARIABLE, found.url)
        code, _, err = typed(made.folder, "whoami")
        assert (code, "fleetcast login" in err) == (1, True), err
        command = [sys.executable, "-m", "fleetcast.cli.main", "login"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        ) as waiting:
            assert waiting.stderr is not None
            page = waiting.stderr.readline().removeprefix("open ").strip()
            code_shown = waiting.stderr.readline().removeprefix("and type ").strip()
            assert page == f"{found.url}/login"
            sent_to = browser.get("/login", headers={"accept": "text/html"})
            assert (sent_to.status_code, sent_to.headers["location"]) == (303, "/sign-in?next=%2Flogin")
            went = browser.post(
                "/sign-in", data={"name": "grace", "password": PASSWORD, "next": "/login"}, headers=own
            )
            assert went.headers["location"] == "/login"

            def send(path: str, **fields: str) -> str:
                csrf = re.search(r'name="csrf_token" value="([^"]*)"', browser.get("/login").text)
                assert csrf is not None
                return browser.post(path, data={"csrf_token": csrf[1], **fields}, headers=own).text

            assert "no command line waits" in send("/login", code="BBBB-BBBB")
            asks = send("/login", code=code_shown.lower())
            assert "asks to act as you, grace" in asks
            assert f"uid {os.getuid()} on" in asks
            assert "acts for you now" in send("/login/agree", code=code_shown, choice="agree")
            assert "no command line waits" in send("/login/agree", code=code_shown, choice="agree")
            assert waiting.wait(30) == 0
            assert waiting.stdout is not None
            assert waiting.stdout.read() == "signed in as grace\n"
        code, out, _ = typed(made.folder, "whoami")
        assert (code, out.splitlines()[0].partition(" (")[0], "verified" in out) == (0, "grace", True)
        assert typed(made.folder, "approve", "1")[0] == 0
        code, out, _ = typed(made.folder, "logout")
        assert (code, out) == (0, "grace is signed out\n")
        assert typed(made.folder, "logout")[1] == "nobody is signed in\n"
        assert typed(made.folder, "approve", "2")[0] == 1
        log = found.log.read_text()
    assert code_shown not in log
    assert "fct_" not in log


def test_whoever_refuses_lets_the_command_line_act_for_nobody(client: Client, made: MadeFleet) -> None:
    grace = with_password(client, made, "grace")
    grace.sign_in("grace")
    begun = client.ask("POST", "/api/v1/login", None, json={"from": "<b>uid 0</b> on x"}).json()
    ask = {"device_code": begun["device_code"]}
    assert client.ask("POST", "/api/v1/login/token", None, json=ask).json()["state"] == "pending"
    grace.get("/login")
    assert "&lt;b&gt;uid 0&lt;/b&gt; on x" in grace.fill("/login", code=begun["user_code"]).text
    assert "acts for nobody" in grace.fill("/login/agree", choice="refuse").text
    for _ in range(2):
        answer = client.ask("POST", "/api/v1/login/token", None, json=ask)
        assert (answer.status_code, "over, or was refused" in answer.text) == (403, True)


def test_a_login_lasts_hours_reaches_what_its_person_may_and_ends_with_them(
    client: Client, made: MadeFleet
) -> None:
    vera = with_password(client, made, "vera")
    vera.sign_in("vera")
    begun = client.ask("POST", "/api/v1/login", None, json={"from": "a laptop"}).json()
    vera.get("/login")
    vera.fill("/login", code=begun["user_code"])
    vera.fill("/login/agree", choice="agree")
    answer = client.ask(
        "POST", "/api/v1/login/token", None, json={"device_code": begun["device_code"]}
    ).json()
    bearer = {"authorization": f"Bearer {answer['token']}"}
    assert (answer["state"], answer["name"]) == ("done", "vera")
    assert client.ask("GET", "/api/v1/whoami", None, headers=bearer).json()["standing"] == "verified"
    body = {"choice": "approve", "requests": [{"request_id": 1}]}
    keyed = {**bearer, "idempotency-key": "key-number-1"}
    assert client.ask("POST", "/api/v1/decisions", None, json=body, headers=keyed).status_code == 403
    assert "fleetcast login, a laptop" in vera.get("/tokens").text
    assert client.ask("POST", "/api/v1/logout", None, headers=bearer).json() == {"state": "revoked"}
    assert client.ask("GET", "/api/v1/whoami", None, headers=bearer).status_code == 401


@pytest.mark.slow
def test_a_password_signs_in_to_a_fleet_on_this_machine(
    made: MadeFleet, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = open_sign_in(made.folder)
    door.using_link(invited(made, "grace"), PASSWORD)
    assert "not on record" in typed(made.folder, "whoami")[1]
    wrong = log_in(made.folder, "grace", password="incorrect horse")  # noqa: S106  # a test's
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "nobody signs in like this" in wrong.stderr
    done = log_in(made.folder, "Grace", password=PASSWORD)
    assert (done.returncode, done.stdout) == (0, "signed in as grace\n"), done.stderr
    (kept,) = (state / "logins").iterdir()
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    code, out, _ = typed(made.folder, "whoami")
    assert (code, out.splitlines()[0]) == (0, "grace (verified, grace)")
    assert typed(made.folder, "approve", "1")[0] == 0
    # Another fleet knows nothing of it.
    other = made.copy_to(made.folder.parent / "other")
    assert "not on record" in typed(other.folder, "whoami")[1]
    # A link to set another password ends every session: nothing goes on in another name.
    door.using_link(invited(made, "grace"), f"{PASSWORD} again")
    code, _, err = typed(made.folder, "approve", "2")
    assert (code, "this session has ended" in err, "fleetcast logout" in err) == (1, True, True)
    assert typed(made.folder, "logout")[0] == 0
    assert "not on record" in typed(made.folder, "whoami")[1]


def test_a_fleet_without_a_provider_says_how_to_sign_in(made: MadeFleet) -> None:
    code, _, err = typed(made.folder, "login")
    assert (code, "no identity provider" in err, "fleetcast login NAME" in err) == (1, True, True)


@pytest.mark.slow
def test_groups_that_the_provider_left_out_are_told_of(made: MadeFleet, oidc: OidcServer) -> None:
    known_as(made, oidc, "vera", "hasgroups")
    declare_provider(made, oidc, groups="{leads: operator}")
    command = [sys.executable, "-m", "fleetcast.cli.main", "login", "--fleet", str(made.folder)]
    with (
        Browser() as browser,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        page = process.stderr.readline().removeprefix("open ").strip()
        code = process.stderr.readline().removeprefix("and type ").strip()
        assert "successful" in browser.confirm_device(page, code, "hasgroups")
        out, err = process.communicate(timeout=60)
    assert out == "signed in as vera\n"
    assert "no role that a group gives: the identity provider left out the groups of this person" in err


def test_a_login_that_others_could_read_or_that_is_torn_is_refused(state: Path) -> None:
    logins = Logins(state)
    assert logins.find("https://x.example") is None
    logins.keep(Login("https://x.example", "ada", "fct_1_x"))
    logins.keep(Login("https://y.example", "ada", "fct_1_y"))
    assert logins.find("https://x.example") == Login("https://x.example", "ada", "fct_1_x")
    paths = sorted((state / "logins").iterdir())
    for path in paths:
        path.chmod(0o644)
    with pytest.raises(BadInput, match="read or written by other users"):
        logins.find("https://x.example")
    for path in paths:
        path.chmod(0o600)
        path.write_text("{")
    with pytest.raises(BadInput, match="cannot be read") as torn:
        logins.find("https://x.example")
    assert "fct_1_x" not in str(torn.value)
    logins.forget("https://x.example")
    logins.forget("https://x.example")
    assert logins.find("https://x.example") is None


def test_codes_of_command_lines_are_used_once_and_expire() -> None:
    clock = FixedClock()
    lines, by = CommandLines(clock), ByToken(actor("ada"))
    begun = lines.begin("a laptop")
    assert re.fullmatch(r"[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", begun.user_code)
    assert begun.device_code not in repr(lines) + repr(begun)
    typed_anyhow = begun.user_code.lower().replace("-", " ")
    assert lines.machine(typed_anyhow) == "a laptop"
    assert lines.take(begun.device_code) is None
    lines.agree(typed_anyhow, by)
    with pytest.raises(NoSuchLogin):
        lines.refuse(begun.user_code)
    assert lines.take(begun.device_code) == (by, "a laptop")
    with pytest.raises(NoSuchLogin):
        lines.take(begun.device_code)
    late = lines.begin("a laptop")
    clock.sleep(LASTS - timedelta(seconds=1))
    assert lines.take(late.device_code) is None
    clock.sleep(timedelta(seconds=1))
    for ask in (lambda: lines.take(late.device_code), lambda: lines.machine(late.user_code)):
        with pytest.raises(NoSuchLogin):
            ask()
    with pytest.raises(NoSuchLogin):
        lines.machine("")


def test_of_too_many_command_lines_the_oldest_are_forgotten() -> None:
    lines = CommandLines(FixedClock())
    first = lines.begin("a laptop")
    for _ in range(1_000):
        lines.begin("another")
    with pytest.raises(NoSuchLogin):
        lines.take(first.device_code)


def test_a_server_that_is_none_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput):
        log_in_at_server("http://fleet.example.org", lambda _: None, FixedClock())
    with pytest.raises(Unavailable, match="does not answer"):
        log_in_at_server("http://127.0.0.1:9", lambda _: None, FixedClock())
