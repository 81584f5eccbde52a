"""Mail by SMTP, with a text and an HTML form of each message."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from io import BufferedReader
from typing import Any

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.notice import PAGES
from fleetcast.domain.outgoing import Outgoing, kind_of
from fleetcast.domain.settings.notifications import EmailChannel, Security
from fleetcast.platforms.channels.limits import LONGEST
from fleetcast.platforms.http.addresses import AddressRefused, Resolve, addresses_of, judged, looked_up
from fleetcast.ports.channels import Delivery, Message, Refused, Sent, TryLater, Words
from fleetcast.ports.clock import Clock

_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLAIN_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}")
_DETAILED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_MOST_SAID = 200_000
"""Bytes that a server may say in all."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Hands mail to one server, in less than ten seconds however slowly that talks.

    Each wait for the server ends with the limit; and as each of its bytes would begin a new one, a watchman cuts the
    connection at that moment.
    """

    settings: EmailChannel
    password: str | None = field(repr=False)
    words: Words
    outgoing: Outgoing
    clock: Clock
    seconds: float = LONGEST
    resolve: Resolve = addresses_of
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def send(self, message: Message) -> Delivery:
        """Send one mail to all addresses of the channel."""
        mail = self.mail(message)
        until = time.monotonic() + self.seconds
        try:
            with _connected(self, until) as server:
                self._let_in(server)
                refused = server.send_message(mail, self.settings.sender, self.settings.to)
        except (OSError, smtplib.SMTPException, MessageError, BadInput, _Trouble) as error:
            return self._outcome(error, late=time.monotonic() >= until)
        if refused:
            some = ", ".join(f"{address} ({code})" for address, (code, _) in sorted(refused.items()))
            return Sent(f"{self._where} refused {some[:500]}")
        return Sent()

    def mail(self, message: Message) -> EmailMessage:
        """A message as it is sent; the same message has the same Message-ID each time."""
        words, settings = self.words.mail(message), self.settings
        domain = settings.sender.rpartition("@")[2]
        name = (
            message.id
            if _PLAIN_ID.fullmatch(message.id)
            else Digest.of(message.id.encode(errors="replace")).hex
        )
        made = EmailMessage(SMTP)
        made["From"] = settings.sender
        made["To"] = ", ".join(settings.to)
        made["Subject"] = words.subject
        made["Date"] = format_datetime(self.clock.now())
        made["Message-ID"] = f"<{name}.fleetcast@{domain}>"
        made["List-Id"] = f"fleetcast <fleetcast.{domain}>"
        made["Auto-Submitted"] = "auto-generated"
        # What Exchange heeds of the same: no notes of absence, no receipts.
        made["X-Auto-Response-Suppress"] = "All"
        if any(notice.kind in PAGES for notice in message.notices):
            made["Importance"] = "high"
        made.set_content(words.text, cte="quoted-printable")
        made.add_alternative(words.html, subtype="html", cte="quoted-printable")
        return made

    @property
    def _where(self) -> str:
        return f"the mail server {self.settings.host}:{self.settings.port}"

    def _let_in(self, server: _Courier) -> None:
        if self.settings.security is Security.STARTTLS:
            server.ehlo_or_helo_if_needed()
            if not server.has_extn("starttls"):
                raise _Trouble("offers no STARTTLS, and nothing is sent in the clear")
            server.starttls(context=self.tls)
        if self.settings.user and self.password is not None:
            server.login(self.settings.user, self.password)

    def _outcome(self, error: Exception, *, late: bool) -> Delivery:
        """What became of a mail that was not taken; what the server wrote is told by its numbers alone."""
        match error:
            case AddressRefused():
                return TryLater(f"{error}; {error.fix}")
            case smtplib.SMTPRecipientsRefused():
                codes = [code for code, _ in error.recipients.values()]
                said = ", ".join(
                    f"{address} ({code})" for address, (code, _) in sorted(error.recipients.items())
                )
                why = f"{self._where} refused everybody: {said[:500]}"
                return Refused(why) if codes and min(codes) >= 500 else TryLater(why)
            case smtplib.SMTPAuthenticationError():
                return TryLater(f"{self._where} refused user or password ({_numbers(error)})")
            case smtplib.SMTPSenderRefused() | smtplib.SMTPDataError():
                why = f"{self._where} does not take this mail ({_numbers(error)})"
                return Refused(why) if error.smtp_code >= 500 else TryLater(why)
            case MessageError():
                return Refused("this cannot be written as mail")
        if late or isinstance(error, TimeoutError):
            return TryLater(f"{self._where} did not answer in time")
        return TryLater(f"{self._where} {_trouble(error)}")


class _Trouble(Exception):
    """A server with which nothing is begun; says why, after its name."""


def _trouble(error: Exception) -> str:
    """Why nothing could be sent, whatever it was; goes on after the server's name."""
    match error:
        case smtplib.SMTPResponseException() if 400 <= error.smtp_code < 600:
            return f"takes nothing right now ({_numbers(error)})"
        case smtplib.SMTPNotSupportedError():
            return "cannot do what is needed: signing in, or letters in addresses"
        case smtplib.SMTPServerDisconnected():
            return "hung up"
        case ssl.SSLCertVerificationError():
            return f"has a certificate that is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return "does not speak TLS as it should; see port and security"
        case _Trouble():
            return str(error)
        case OSError() if not isinstance(error, smtplib.SMTPException):
            return f"cannot be reached: {error.strerror or error}"
    # What else the library says repeats the server.
    return "does not speak SMTP as it should"


def _numbers(error: smtplib.SMTPResponseException) -> str:
    text = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
    detailed = _DETAILED.match(text)
    return f"{error.smtp_code} {detailed[0].decode()}" if detailed else str(error.smtp_code)


@contextmanager
def _connected(channel: MailServer, until: float) -> Iterator[_Courier]:
    server = _Courier(channel, until)
    try:
        server.open()
        yield server
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
    finally:
        server.end()


class _Courier(smtplib.SMTP):
    """A connection to an address that was judged, which ends at a moment."""

    def __init__(self, channel: MailServer, until: float) -> None:
        name = socket.gethostname()
        # By default it would ask a name service for its own name, for as long as that takes.
        super().__init__(local_hostname=name if _PLAIN_HOST.fullmatch(name) else "localhost")
        self._channel, self._until = channel, until
        # What STARTTLS checks the certificate against.
        self._host = channel.settings.host
        self._watchman: threading.Timer | None = None
        self._cut: socket.socket | None = None

    def open(self) -> None:
        """Connect, and hear the server's greeting."""
        code, text = self.connect(self._channel.settings.host, self._channel.settings.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)

    def end(self) -> None:
        """Leave the connection, whatever state it is in."""
        if self._watchman is not None:
            self._watchman.cancel()
        self.close()
        if self._cut is not None:
            self._cut.close()

    def getreply(self) -> tuple[int, bytes]:
        """What the server says next, unless it said too much already."""
        if self.file is None and self.sock is not None:
            self.file = _Counted(self.sock.makefile("rb"))
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: object) -> socket.socket:  # noqa: ARG002  # one limit holds
        settings, where = self._channel.settings, f"{host}:{port}"
        found = looked_up(self._channel.resolve, host, port, self._left())
        allowed = judged(self._channel.outgoing, where, found, encrypted=True)
        if settings.security is Security.NONE:
            allowed = [address for address in allowed if kind_of(address) == "loopback"]
            if not allowed:
                raise _Trouble(
                    "is not this machine: mail is sent there only with `security: starttls` or `tls`"
                )
        failed: OSError = OSError("its name leads nowhere")
        for address in allowed:
            try:
                opened = socket.create_connection((str(address), port), self._left())
            except OSError as error:
                failed = error
                continue
            return self._watched(opened)
        raise failed

    def _watched(self, opened: socket.socket) -> socket.socket:
        self._cut = opened.dup()
        self._watchman = threading.Timer(self._left(), _cut, (self._cut,))
        self._watchman.daemon = True
        self._watchman.start()
        opened.settimeout(self._left())
        if self._channel.settings.security is Security.TLS:
            return self._channel.tls.wrap_socket(opened, server_hostname=self._channel.settings.host)
        return opened

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long")
        return left


def _cut(connection: socket.socket) -> None:
    """Have whoever waits for the other side wait no longer."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Counted:
    """What a server says, up to a bound."""

    def __init__(self, said: BufferedReader) -> None:
        self._said, self._left = said, _MOST_SAID

    def readline(self, most: int) -> bytes:
        """The next line."""
        line = self._said.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise smtplib.SMTPServerDisconnected("it says too much")
        return line

    def close(self) -> None:
        """Leave it."""
        self._said.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._said, name)
