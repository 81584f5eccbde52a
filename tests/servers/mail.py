"""A mail server that keeps what it is sent, and answers each step as it was told."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.certificates import Certificates


@dataclass(slots=True)
class MailBox:
    """What came, and what is answered in place of yes."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    users: list[tuple[bytes, bytes]] = field(default_factory=list)
    to_mail: str = ""
    to_rcpt: dict[str, str] = field(default_factory=dict)
    to_data: str = ""

    async def handle_MAIL(  # noqa: N802  # as aiosmtpd looks for it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.to_mail or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.to_rcpt:
            return self.to_rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.to_data:
            return self.to_data
        content = envelope.original_content or b""
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.raw.append(content)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        self.encrypted.append(session.ssl is not None)
        return "250 2.0.0 kept"

    def let_in(
        self, _server: object, _session: object, _envelope: object, _way: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)


class _AtAnyPort(Controller):  # type: ignore[misc]  # it has no types
    def _trigger_server(self) -> None:
        # It looks whether it is there by asking the port it was given, which was none.
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(
    certificates: Certificates | None = None,
    *,
    tls_at_once: bool = False,
    signing_in: bool = False,
    box: MailBox | None = None,
) -> Iterator[MailBox]:
    """A server of this machine; with certificates it speaks TLS, after STARTTLS or from the first byte on.

    What comes is kept in `box`, or in one of its own.
    """
    box = MailBox() if box is None else box
    context = None
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
    later = {} if tls_at_once or context is None else {"tls_context": context, "require_starttls": True}
    controller = _AtAnyPort(
        box,
        hostname="127.0.0.1",
        port=0,
        ssl_context=context if tls_at_once else None,
        authenticator=box.let_in if signing_in else None,
        auth_required=signing_in,
        auth_require_tls=signing_in and not tls_at_once,
        **later,
    )
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()
