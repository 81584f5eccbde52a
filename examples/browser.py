"""A browser for the examples: goes through the pages as people do, keeps cookies, and fills in the forms that it sees.

    browser.py link ADDRESS [NAME]           set a password by a one-time link; NAME is the first admin's
    browser.py token SITE WHO                sign in, make a token, and print it
    browser.py approve SITE NUMBER WHO...    all of them sign in, look at a request, and approve it at the same moment

WHO is a name, or `at-provider:NAME` for somebody who signs in at the identity provider. The password that everybody
has is in the environment variable PASSWORD.
"""

from __future__ import annotations

import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from http.client import HTTPMessage
from threading import Barrier
from typing import IO
from urllib.parse import urlencode, urljoin, urlsplit

PATIENCE_SECONDS = 30


class Form:
    """A form of a page: where it goes, and what is in it already."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, str] = {}


class Page(HTMLParser):
    """What a page says, its forms and its links; what is wrong, if anything is."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address = address
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words = ""
        self.alert = ""
        self._alerting = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, what is in it, or a link."""
        said = {name: value or "" for name, value in attrs}
        self._alerting = said.get("role") == "alert"
        if tag == "form":
            self.forms.append(Form(urljoin(self.address, said.get("action", ""))))
        elif tag == "a" and "href" in said:
            self.links.append(urljoin(self.address, said["href"]))
        elif tag == "input" and self.forms and "name" in said and said.get("type") != "checkbox":
            self.forms[-1].fields[said["name"]] = said.get("value", "")

    def handle_data(self, data: str) -> None:
        """Note what is said."""
        said = " ".join(data.split())
        self.words += f" {said}"
        if self._alerting:
            self.alert += said
            self._alerting = False

    def form(self, path: str = "") -> Form:
        """The form that goes to a path, or the only one there is."""
        found = [form for form in self.forms if not path or urlsplit(form.action).path == path]
        if not found:
            raise SystemExit(f"{self.address} has no form that goes to {path or 'anywhere'}:{self.words}")
        return found[0]


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows them as browsers do, which name no origin on the way."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Go on without what only the first request carries."""
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None:
            following.remove_header("Origin")
        return following


class Browser:
    """Keeps cookies, and the page that it shows."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(), Redirects())
        self.page = Page("about:blank", "")

    def go(self, address: str) -> Page:
        """Open an address."""
        return self._open(urllib.request.Request(urljoin(self.page.address, address)))  # noqa: S310

    def send(self, typed: Mapping[str, str], path: str = "") -> Page:
        """Fill in a form of the page that is shown, and send it."""
        form, here = self.page.form(path), urlsplit(self.page.address)
        fields = {**form.fields, **typed}
        asked = urllib.request.Request(  # noqa: S310
            form.action, urlencode(fields).encode(), {"Origin": f"{here.scheme}://{here.netloc}"}
        )
        return self._open(asked)

    def sign_in(self, site: str, who: str) -> None:
        """Sign in with a password, or at the provider: there any password does, and it asks whether one agrees."""
        self.go(f"{site}/sign-in")
        at_provider, _, name = who.rpartition(":")
        if at_provider:
            self.go(next(link for link in self.page.links if urlsplit(link).path == "/sign-in/oidc"))
            while urlsplit(self.page.address).netloc != urlsplit(site).netloc:
                known = {"login": name, "password": "any"}
                self.send({key: known[key] for key in self.page.form().fields if key in known})
        else:
            self.send({"name": name, "password": os.environ["PASSWORD"]}, "/sign-in")
        if urlsplit(self.page.address).path != "/approvals":
            raise SystemExit(f"{who} is not signed in:{self.page.words}")

    def _open(self, asked: urllib.request.Request) -> Page:
        try:
            with self._opener.open(asked, timeout=PATIENCE_SECONDS) as answer:
                self.page = Page(answer.url, answer.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                self.page = Page(refused.url or asked.full_url, refused.read().decode())
        return self.page


def set_password(address: str, name: str = "") -> None:
    """Open a one-time link, and choose a password."""
    browser = Browser()
    browser.go(address)
    password = os.environ["PASSWORD"]
    page = browser.send(
        {"password": password, "again": password, **({"name": name} if name else {})}, "/link"
    )
    if "Your password is set" not in page.words:
        raise SystemExit(f"the password is not set:{page.words}")


def make_token(site: str, who: str) -> str:
    """Sign in, and make a token for the command line."""
    browser = Browser()
    browser.sign_in(site, who)
    browser.go(f"{site}/tokens")
    made = browser.send({"purpose": "the command line", "expires": "1h"}, "/tokens")
    found = re.search(r"fct_\S+", made.words)
    if found is None:
        raise SystemExit(f"there is no token:{made.words}")
    return found[0]


def approve(site: str, number: str, who: str, everybody: Barrier) -> str:
    """Sign in, look at a request, and approve it once everybody is as far; gives what was wrong."""
    browser = Browser()
    browser.sign_in(site, who)
    browser.go(f"{site}/approvals/{number}")
    everybody.wait(PATIENCE_SECONDS)
    return browser.send({"choice": "approve", "comment": f"looked at it, {who}"}, "/decisions").alert


def approve_together(site: str, number: str, people: Sequence[str]) -> bool:
    """Let all of them approve at the same moment, and say how it went; whether nobody was refused."""
    everybody = Barrier(len(people))
    with ThreadPoolExecutor(len(people)) as pool:
        alerts = list(pool.map(lambda who: approve(site, number, who, everybody), people))
    for who, alert in zip(people, alerts, strict=True):
        print(f"request {number}, {who}: {f'refused: {alert}' if alert else 'approved'}")
    return not any(alerts)


def main(command: str, *words: str) -> None:
    """Do what the command line says."""
    if command == "link":
        set_password(*words)
    elif command == "token":
        print(make_token(*words))
    elif command == "approve":
        site, number, *people = words
        if not approve_together(site, number, people):
            raise SystemExit(1)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
