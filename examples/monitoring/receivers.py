"""What stands for Microsoft Teams and for a mail server, on this machine; and what came, as text.

receivers.py listen FOLDER    until it is ended; it makes a certificate authority of its own in FOLDER
receivers.py show FOLDER      what came
receivers.py has FOLDER TEXT  ends with 0 if both were told this
"""

from __future__ import annotations

import http.server
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from ipaddress import IPv4Address
from pathlib import Path

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WEBHOOK = "/workflows/1/triggers/manual/paths/invoke"


def listen(folder: Path) -> None:
    """Take messages, one file for each, and say where."""
    import asyncio

    loop = asyncio.new_event_loop()
    mail = UnthreadedController(MailBox(folder), hostname="127.0.0.1", port=0, loop=loop)
    mail.begin()
    mail_port = mail.server.sockets[0].getsockname()[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder))
    teams = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Workflow)
    teams.folder = folder  # type: ignore[attr-defined]
    teams.socket = context.wrap_socket(teams.socket, server_side=True)
    threading.Thread(target=teams.serve_forever, daemon=True).start()
    print(f"teams: https://127.0.0.1:{teams.server_port}{WEBHOOK}?sig=a-secret", flush=True)
    print(f"mail: {mail_port}", flush=True)
    loop.run_forever()


def keep(folder: Path, content: bytes, ending: str) -> None:
    """Under the next number: messages come one at a time."""
    number = len(list(folder.glob(f"*{ending}"))) + 1
    under_way = folder / f"{number:03d}.part"
    under_way.write_bytes(content)
    under_way.rename(folder / f"{number:03d}{ending}")


class Workflow(http.server.BaseHTTPRequestHandler):
    """As a workflow of Teams that posts cards to a channel."""

    def do_POST(self) -> None:  # as http.server looks for it
        """Take a card."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.path.partition("?")[0] == WEBHOOK
        if known:
            keep(self.server.folder, content, ".card.json")  # type: ignore[attr-defined]
        self.send_response(202 if known else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()


class MailBox:
    """As the mail server of a company."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        keep(self.folder, envelope.original_content or b"", ".eml")
        return "250 OK"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine and its key; who issued it is in `authority.pem`."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority, here = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("an authority", "127.0.0.1")
    )
    builder = (
        x509.CertificateBuilder()
        .issuer_name(authority)
        .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
    )
    issuer = (
        builder.subject_name(authority)
        .public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    issued = (
        builder.subject_name(here)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(issuer.public_bytes(pem))
    (folder / "server.crt").write_bytes(issued.public_bytes(pem))
    own = folder / "server.key"
    own.touch(mode=0o600)
    own.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "server.crt", own


def show(folder: Path) -> Iterator[str]:
    """Every message, the cards first."""
    yield from cards(folder)
    yield from mails(folder)


def cards(folder: Path) -> Iterator[str]:
    """What Teams was sent."""
    for file in sorted(folder.glob("*.card.json")):
        yield f"── Teams, card {file.name.partition('.')[0]}"
        for attachment in json.loads(file.read_bytes())["attachments"]:
            yield from texts(attachment["content"])


def mails(folder: Path) -> Iterator[str]:
    """What was mailed."""
    for file in sorted(folder.glob("*.eml")):
        mail = message_from_bytes(file.read_bytes(), policy=default)
        yield f"── Mail {file.name.partition('.')[0]} to {mail['To']}: {mail['Subject']}"
        body = mail.get_body(("plain",))
        yield from [] if body is None else body.get_content().rstrip().splitlines()


def texts(card: object) -> Iterator[str]:
    """What a card shows, from top to bottom."""
    match card:
        case {"type": "TextBlock", "text": str(text)}:
            yield text
        case {"type": "FactSet", "facts": list(facts)}:
            for fact in facts:
                yield f"  {fact['title']}: {fact['value']}"
        case dict():
            for part in card.values():
                yield from texts(part)
        case list():
            for part in card:
                yield from texts(part)


if __name__ == "__main__":
    what, where = sys.argv[1], Path(sys.argv[2])
    if what == "listen":
        listen(where)
    elif what == "has":
        sys.exit(not all(any(sys.argv[3] in line for line in told(where)) for told in (cards, mails)))
    else:
        print("\n".join(show(where)))
