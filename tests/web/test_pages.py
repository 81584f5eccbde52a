"""Pages for people, as a browser without scripts goes through them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from fleetcast.app import Service, open_desk
from fleetcast.domain.approval import RequestState
from fleetcast.domain.audit import Means, Proof
from fleetcast.domain.people import Grant
from fleetcast.domain.role import Role
from fleetcast.web.showing import own_path
from fleetcast.web.site import Reached, site
from tests.servers.oidc_provider import Browser, OidcServer
from tests.web.conftest import PLAIN_GATE, URL, Client, MadeFleet, actor, client_of, made_in

PASSWORD = "correct horse battery staple"  # noqa: S105  # a test's
FIELD = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"')


@dataclass(slots=True)
class Visitor:
    """A browser without scripts: keeps cookies, sends the fields of the form that it sees."""

    client: Client
    url: str = URL
    kept: dict[str, str] = field(default_factory=dict)
    flags: dict[str, str] = field(default_factory=dict)
    page: str = ""

    def get(self, path: str) -> httpx.Response:
        return self._took(self.client.ask("GET", path, None, headers=self._headers()))

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> httpx.Response:
        sent = {**self._headers(), "origin": self.url, **headers}
        sent["content-type"] = "application/x-www-form-urlencoded"
        body = urlencode(fields).encode()
        return self._took(self.client.ask("POST", path, None, content=body, headers=sent))

    def fill(self, path: str, **typed: str) -> httpx.Response:
        """Send the form that is shown and leads there; of several, the one with the button for that choice."""
        forms = re.findall(rf'<form method="post" action="{path}">(.*?)</form>', self.page, re.DOTALL)
        button = f'<button name="choice" value="{typed.get("choice", "")}"'
        (form,) = forms if len(forms) == 1 else (one for one in forms if button in one)
        hidden = {name: html.unescape(value) for name, value in FIELD.findall(form)}
        return self.post(path, {**hidden, **typed})

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        self.get("/sign-in")
        return self.fill("/sign-in", name=name, password=password)

    def _headers(self) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.kept.items())
        host = urlsplit(self.url).netloc
        return {"host": host, "accept": "text/html", **({"cookie": cookie} if cookie else {})}

    def _took(self, answer: httpx.Response) -> httpx.Response:
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value, _, flags = rest.partition(";")
            self.flags[name] = flags.lower()
            if "max-age=0" in flags.lower():
                self.kept.pop(name, None)
            else:
                self.kept[name] = value
        self.page = answer.text
        return answer


def invited(made: MadeFleet, name: str) -> str:
    """The secret of a link by which somebody on record sets a password."""
    return open_desk(made.folder).as_(actor("ada")).books.inviting(name).secret


def with_password(client: Client, made: MadeFleet, name: str) -> Visitor:
    """Somebody who has set a password, and has not signed in."""
    visitor = Visitor(client)
    assert visitor.get(f"/link?secret={invited(made, name)}").status_code == 303
    visitor.get("/link")
    assert visitor.fill("/link", password=PASSWORD, again=PASSWORD).status_code == 200
    return visitor


def test_from_the_first_admins_link_to_a_decision_and_out(client: Client, made: MadeFleet) -> None:
    link = Service(made.folder).sign_in().opening_first_admin_link()
    assert link is not None
    ada = Visitor(client)
    opened = ada.get(f"/link?secret={link.secret}")
    assert (opened.status_code, opened.headers["location"]) == (303, "/link")
    assert link.secret not in ada.get("/link").text
    assert "Become the first admin" in ada.page
    assert ada.fill("/link", name="ada", password=PASSWORD, again="another").status_code == 422
    assert ada.fill("/link", name="ada", password=PASSWORD, again=PASSWORD).status_code == 200
    assert not ada.kept
    assert ada.get(f"/link?secret={link.secret}").status_code == 303
    assert ada.get("/link").status_code == 410
    assert ada.sign_in("ada", "wrong horse battery").status_code == 401
    signed_in = ada.sign_in("ADA")
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/approvals")

    grace = with_password(client, made, "grace")
    assert grace.sign_in("grace").status_code == 303
    assert 'href="/approvals/2"' in grace.get("/approvals").text
    digest = client.get("/api/v1/requests/2")["subject_digest"]
    assert digest in grace.get("/approvals/2").text
    refused = grace.fill("/decisions", choice="reject", comment="")
    assert refused.status_code == 422
    assert "a rejection needs a reason" in refused.text
    decided = grace.fill("/decisions", choice="approve", comment="<b>looks right</b>")
    assert (decided.status_code, decided.headers["location"]) == (303, "/approvals/2")
    assert "&lt;b&gt;looks right&lt;/b&gt;" in grace.get("/approvals/2").text
    kept = client.get("/api/v1/requests/2")
    assert [(one["by"], one["choice"]) for one in kept["decisions"]] == [("grace", "approve")]

    secret = dict(grace.kept)
    assert grace.fill("/sign-out").headers["location"] == "/sign-in"
    assert not grace.kept
    grace.kept = secret
    assert grace.get("/approvals").headers["location"] == "/sign-in"


HAND_ON, BREAK_GLASS = "<h2>Hand your vote on</h2>", "<h2>Break glass</h2>"


def test_a_vote_is_handed_on_to_somebody_who_may_decide(client: Client, made: MadeFleet) -> None:
    grace, vera = with_password(client, made, "grace"), with_password(client, made, "vera")
    vera.sign_in("vera")
    assert HAND_ON not in vera.get("/approvals/2").text
    grace.sign_in("grace")
    shown = grace.get("/approvals/2").text
    assert HAND_ON in shown
    assert re.findall(r"<option>(\w+)</option>", shown) == ["edsger"]
    for name, status in (("nobody", 409), ("mallory", 422), ("", 422)):
        assert grace.fill("/decisions", choice="hand on", to=name, comment="").status_code == status
        assert 'role="alert"' in grace.page
    assert grace.fill("/decisions", choice="hand on", to="edsger", comment="away").status_code == 303
    shown = grace.get("/approvals/2").text
    assert "grace: hand on to edsger" in shown
    kept = client.get("/api/v1/requests/2")["decisions"]
    assert [(one["by"], one["choice"], one["to"]) for one in kept] == [("grace", "hand on", "edsger")]
    edsger = with_password(client, made, "edsger")
    edsger.sign_in("edsger")
    assert HAND_ON not in edsger.get("/approvals/2").text
    assert edsger.fill("/decisions", choice="approve", comment="").status_code == 303


def test_glass_is_broken_with_a_reason_and_a_second_look(tmp_path: Path) -> None:
    made = made_in(tmp_path, PLAIN_GATE.replace("}", ", break_glass: allowed}"))
    people = open_desk(made.folder).as_(actor("ada")).books.control.people
    people.grant([Grant("p-vera", Role.GLASS_BREAKER)])
    with client_of(made) as client:
        vera, grace = with_password(client, made, "vera"), with_password(client, made, "grace")
        grace.sign_in("grace")
        assert BREAK_GLASS not in grace.get("/approvals/2").text
        vera.sign_in("vera")
        shown = vera.get("/approvals/2").text
        assert BREAK_GLASS in shown
        assert HAND_ON not in shown
        assert re.search(r'<input id="sure" name="sure" type="checkbox" value="yes" required>', shown)
        for typed in ({"comment": "the line stands"}, {"sure": "yes", "comment": " "}):
            assert vera.fill("/decisions", choice="break glass", **typed).status_code in (409, 422)
            assert client.get("/api/v1/requests/2")["decisions"] == []
        broken = vera.fill("/decisions", choice="break glass", sure="yes", comment="the line stands")
        assert broken.status_code == 303
        assert "glass" in vera.get("/approvals/2").text
        assert BREAK_GLASS not in vera.page
        assert [one["choice"] for one in client.get("/api/v1/requests/2")["decisions"]] == ["break glass"]


def test_no_form_breaks_glass_where_the_policy_does_not_allow_it(client: Client, made: MadeFleet) -> None:
    ada = with_password(client, made, "ada")
    ada.sign_in("ada")
    shown = ada.get("/approvals/2").text
    assert BREAK_GLASS not in shown
    (digest,) = set(re.findall(r'name="subject_digest" value="(\w+)"', shown))
    fields = {**dict(FIELD.findall(shown)), "request_id": "2", "subject_digest": digest}
    sent = ada.post("/decisions", {**fields, "choice": "break glass", "sure": "yes", "comment": "now"})
    assert sent.status_code == 409
    assert "nobody may break glass" in sent.text
    assert ada.post("/decisions", {**fields, "choice": "open sesame"}).status_code == 422


def test_what_was_shown_is_what_is_decided_on(client: Client, made: MadeFleet) -> None:
    grace = with_password(client, made, "grace")
    grace.sign_in("grace")
    grace.get("/approvals/2")
    assert grace.fill("/decisions", choice="approve", subject_digest="0" * 64).status_code in (409, 422)
    assert client.get("/api/v1/requests/2")["decisions"] == []


def test_it_says_who_is_behind_what_waits(tmp_path: Path) -> None:
    gate = "registry-promotion: {approvers: ['*'], minimum: 1, own_version: forbidden, own_commit: forbidden}"
    made = made_in(tmp_path, gate)
    with client_of(made) as client:
        waits = next(request for request in client.waiting() if request["kind"] == "model")
        assert (waits["committed_by"], waits["made_by"]) == ([], ["ada"])
        grace = with_password(client, made, "grace")
        grace.sign_in("grace")
        shown = html.unescape(grace.get(f"/approvals/{waits['request_id']}").text)
    assert "<dd>made the version: ada</dd>" in shown
    assert "wrote the commit: nobody knows, and registry-promotion stays shut until that is known" in shown


def test_a_form_from_elsewhere_is_refused(client: Client, made: MadeFleet) -> None:
    grace = with_password(client, made, "grace")
    grace.sign_in("grace")
    grace.get("/approvals/2")
    fields = {"request_id": "2", "choice": "approve", "subject_digest": "0" * 64}
    for sent in (
        grace.post("/decisions", fields),
        grace.post("/decisions", {**fields, "csrf_token": "x" * 43}),
        grace.post("/decisions", fields, origin="https://evil.example"),
        grace.post("/sign-out", {}),
        grace.post("/sign-in", {"name": "grace", "password": PASSWORD}, origin="https://evil.example"),
    ):
        assert sent.status_code == 403
        assert sent.headers["content-type"].startswith("text/html")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode({"name": "grace", "password": PASSWORD}).encode()
    unnamed = client.ask("POST", "/sign-in", None, content=body, headers=headers)
    assert unnamed.json()["type"] == "urn:fleetcast:problem:no-csrf-token"
    assert grace.get("/approvals").status_code == 200


def test_cookies_are_for_this_host_and_no_script(client: Client, made: MadeFleet) -> None:
    grace = with_password(client, made, "grace")
    answer = grace.sign_in("grace")
    assert set(grace.flags) == {"__Host-fleetcast-link", "__Host-fleetcast-session"}
    for flags in grace.flags.values():
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= {one.strip() for one in flags.split(";")}
        assert "domain" not in flags
    assert grace.kept["__Host-fleetcast-session"] not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    for path in ("/sign-in", "/account", "/tokens", "/approvals", "/approvals/2"):
        page = grace.get(path).text
        assert not re.search(r"<script|<style| style=| on[a-z]+=", page)
        for control in re.findall(r'<input id="([^"]+)"', page):
            assert f'<label for="{control}">' in page
    double = {"cookie": "; ".join(2 * [f"__Host-fleetcast-session={grace.kept['__Host-fleetcast-session']}"])}
    assert client.ask("GET", "/approvals", None, headers=double).status_code == 401


def test_nobody_learns_who_has_an_account(client: Client, made: MadeFleet) -> None:
    visitor = with_password(client, made, "grace")
    pages = {
        visitor.sign_in(name, "wrong horse battery").text.replace(name, "NAME")
        for name in ("grace", "vera", "mallory")
    }
    assert len(pages) == 1
    for _ in range(10):
        waiting = visitor.sign_in("mallory", "wrong horse battery")
        if waiting.status_code == 429:
            break
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) > 0
    assert re.search(r"Wait \d+ second", waiting.text)


def test_who_is_not_signed_in_is_led_to_the_page_and_back(client: Client, made: MadeFleet) -> None:
    visitor = with_password(client, made, "vera")
    led = visitor.get("/approvals/2?x=1")
    assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=%2Fapprovals%2F2%3Fx%3D1")
    visitor.get(led.headers["location"])
    assert visitor.fill("/sign-in", name="vera", password=PASSWORD).headers["location"] == "/approvals/2?x=1"
    asked = client.ask("GET", "/api/v1/requests", None, headers={"accept": "text/html"})
    assert asked.headers["content-type"] == "application/problem+json"
    assert visitor.get("/nothing").status_code == 404
    assert "There is no such thing" in visitor.page


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil",
        "javascript:alert(1)",
        "evil",
        "",
        "/a\r\nset-cookie: x=1",
        "/é",
        "/api/v1/people",
        "/sign-in",
        "/" + 600 * "x",
    ],
)
def test_what_follows_signing_in_is_a_page_of_this_site(text: str) -> None:
    assert own_path(text) == "/approvals"


def test_a_token_is_shown_once_and_ends(client: Client, made: MadeFleet) -> None:
    vera = with_password(client, made, "vera")
    vera.sign_in("vera")
    vera.get("/tokens")
    assert vera.fill("/tokens", purpose="a script", expires="soon").status_code == 422
    shown = vera.fill("/tokens", purpose="a script", expires="1d", only="view")
    found = re.search(r"fct_\d+_[\w-]+", shown.text)
    assert found is not None
    bearer = {"authorization": f"Bearer {found[0]}"}
    assert client.ask("GET", "/api/v1/whoami", None, headers=bearer).json()["name"] == "vera"
    assert found[0] not in vera.get("/tokens").text
    number = found[0].split("_")[1]
    csrf = dict(FIELD.findall(vera.page))["csrf_token"]
    others = {"csrf_token": csrf, "token": "1"}
    assert vera.post("/tokens/revoke", others).status_code == 403
    assert vera.post("/tokens/revoke", {**others, "token": number}).status_code == 303
    assert client.ask("GET", "/api/v1/whoami", None, headers=bearer).status_code == 401


def test_another_password_ends_every_session(client: Client, made: MadeFleet) -> None:
    vera = with_password(client, made, "vera")
    vera.sign_in("vera")
    elsewhere = Visitor(client)
    elsewhere.sign_in("vera")
    other = "another horse battery staple"
    vera.get("/account")
    wrong = vera.fill("/account/password", old="no", password=other, again=other)
    assert "the present password is another one" in wrong.text
    assert vera.fill("/account/password", old=PASSWORD, password=other, again=other).status_code == 200
    assert not vera.kept
    assert elsewhere.get("/account").status_code == 303
    assert vera.sign_in("vera").status_code == 401
    assert vera.sign_in("vera", other).status_code == 303


HERE = "http://127.0.0.1:8484"


def declare_provider(made: MadeFleet, oidc: OidcServer, roles: str = "{}", groups: str = "{}") -> None:
    """Let a fleet believe a provider, with what its roles and groups give."""
    settings = made.folder / "fleetcast.yaml"
    declared = (
        f"\nsign_in:\n  oidc:\n    client_id: fleetcast\n    issuer: {oidc.issuer}\n"
        f"    allowed_networks: [127.0.0.1/32]\n    roles: {roles}\n    groups: {groups}\n"
    )
    before, _, _ = settings.read_text().partition("\nsign_in:")
    settings.write_text(before + declared)


@contextmanager
def visitors(
    made: MadeFleet, oidc: OidcServer, roles: str = "{}", groups: str = "{}"
) -> Iterator[tuple[Visitor, Browser]]:
    """A browser here and at a provider that this fleet declares."""
    declare_provider(made, oidc, roles, groups)
    app = site(Service(made.folder), Reached((HERE,)))
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        browser = stack.enter_context(Browser(f"{HERE}/sign-in/oidc/callback"))
        yield Visitor(Client(app, portal, made.tokens), HERE), browser


def came_back(visitor: Visitor, browser: Browser, login: str) -> tuple[str, httpx.Response]:
    """Go to the provider by the link on the sign-in page, sign in there, and come back."""
    link = re.search(r'<a class="button" href="([^"]+)"', visitor.get("/sign-in?next=/tokens").text)
    assert link is not None
    begun = visitor.get(html.unescape(link[1]))
    brought = browser.sign_in(begun.headers["location"], login)
    path = f"/sign-in/oidc/callback?{urlencode(brought)}"
    return path, visitor.get(path)


@pytest.mark.slow
def test_somebody_on_record_signs_in_at_the_provider(made: MadeFleet, oidc: OidcServer) -> None:
    proof = Proof(Means.OIDC, f"issuer {oidc.issuer} subject ada")
    open_desk(made.folder).as_(actor("ada")).books.people.identify("edsger", [proof])
    with visitors(made, oidc) as (visitor, browser):
        path, answer = came_back(visitor, browser, "ada")
        assert (answer.status_code, answer.headers["location"]) == (303, "/tokens")
        assert set(visitor.kept) == {"fleetcast-session"}
        assert "secure" not in visitor.flags["fleetcast-session"]
        assert proof.detail in visitor.get("/account").text
        again = visitor.get(path)
        assert again.status_code == 403
        assert "is over, or began elsewhere" in again.text


@pytest.mark.slow
def test_somebody_who_is_on_no_record_is_refused(made: MadeFleet, oidc: OidcServer) -> None:
    with visitors(made, oidc) as (visitor, browser):
        _, answer = came_back(visitor, browser, "mallory")
        assert answer.status_code == 401
        assert f"issuer {oidc.issuer} subject mallory" in answer.text
        assert not visitor.kept
        assert visitor.get("/approvals").status_code == 303


def known_as(made: MadeFleet, oidc: OidcServer, name: str, login: str) -> None:
    """Put somebody's account at the provider on record."""
    proof = Proof(Means.OIDC, f"issuer {oidc.issuer} subject {login}")
    open_desk(made.folder).as_(actor("ada")).books.people.identify(name, [proof])


def counted_anew(made: MadeFleet, number: int) -> RequestState:
    """How a request stands when its votes are counted by the people on record now."""
    books = open_desk(made.folder).as_(actor("ada")).books
    found = books.requests.find(number)
    return found.settled(books.clock.now(), books.control.people.directory()).state


@pytest.mark.slow
def test_roles_of_the_provider_let_somebody_approve_until_it_takes_them(
    made: MadeFleet, oidc: OidcServer
) -> None:
    known_as(made, oidc, "nobody", "entra")
    with visitors(made, oidc, roles="{Fleet.Approver: approver}") as (visitor, browser):
        assert came_back(visitor, browser, "entra")[1].status_code == 303
        assert "approver, everywhere (by the identity provider)" in visitor.get("/account").text
        visitor.get("/approvals/2")
        assert visitor.fill("/decisions", choice="approve", comment="").status_code == 303
        assert "nobody: approve" in visitor.get("/approvals/2").text
        visitor.client.ask("GET", "/api/v1/whoami", "nobody")
        found = visitor.client.ask("GET", "/api/v1/whoami", "nobody", headers={"host": HERE[7:]}).json()
        assert [(one["role"], one["given_by"]) for one in found["roles"]] == [("approver", "provider")]
        assert visitor.fill("/sign-out").status_code == 303
    assert counted_anew(made, 2) is RequestState.APPROVED
    began = next(
        one
        for one in open_desk(made.folder).as_(actor("ada")).books.control.audit.entries()
        if one.event.action == "session.began"
    )
    assert began.event.detail["roles"] == ["approver"]
    with visitors(made, oidc, roles="{Fleet.Other: approver}") as (visitor, browser):
        assert came_back(visitor, browser, "entra")[1].status_code == 303
        assert "<dt>Roles</dt><dd>none</dd>" in visitor.get("/account").text
    assert counted_anew(made, 2) is RequestState.PENDING


@pytest.mark.slow
def test_groups_that_are_too_many_give_no_role_and_the_pages_say_so(
    made: MadeFleet, oidc: OidcServer
) -> None:
    known_as(made, oidc, "nobody", "overage")
    known_as(made, oidc, "vera", "hasgroups")
    known_as(made, oidc, "edsger", "grouped")
    with visitors(made, oidc, groups="{leads: operator}") as (visitor, browser):
        assert came_back(visitor, browser, "grouped")[1].status_code == 303
        shown = visitor.get("/account").text
        assert "operator, everywhere (by the identity provider)" in shown
        assert "You have no role that a group gives" not in shown
    with visitors(made, oidc, groups="{leads: operator}") as (visitor, browser):
        assert came_back(visitor, browser, "hasgroups")[1].status_code == 303
        shown = visitor.get("/account").text
        assert "You have no role that a group gives" in shown
        assert "<dt>Roles</dt><dd>viewer, everywhere</dd>" in shown
    with visitors(made, oidc, groups="{leads: operator}") as (visitor, browser):
        refused = came_back(visitor, browser, "overage")[1]
        assert refused.status_code == 403
        assert "left out the groups of this person" in refused.text
        assert not visitor.kept
