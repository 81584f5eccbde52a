"""Mail: what is sent, and what becomes of it whatever the server does."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fleetcast.domain.notice import EventKind, Notice
from fleetcast.domain.outgoing import Outgoing
from fleetcast.domain.settings.notifications import EmailChannel, NotificationSettings, Security
from fleetcast.platforms.channels.mail import MailServer
from fleetcast.ports.channels import Message, Refused, Sent, TryLater
from tests.clocks import FixedClock
from tests.servers.certificates import Certificates, write_certificates
from tests.servers.mail import MailBox, mail_server
from tests.servers.talking import dribbles, hangs, talking
from tests.views.notices import AT, DIGEST, HOSTILE, PAGE, WORDS

PUBLIC = NotificationSettings().outgoing
HERE = replace(PUBLIC, networks=(ip_network("127.0.0.1/32"),))
TO = ("ada@example.com", "bob@example.com")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return write_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_server() as found:
        yield found


def channel(port: int, security: Security = Security.NONE) -> EmailChannel:
    return EmailChannel("mail", "localhost", port, "fleetcast@example.com", TO, security=security)


def signing_in(port: int) -> EmailChannel:
    return replace(channel(port, Security.STARTTLS), user="ops", password_variable="MAIL_PASSWORD")  # noqa: S106  # its name


def opened(
    settings: EmailChannel,
    *,
    given: str | None = None,
    outgoing: Outgoing = HERE,
    seconds: float = 5.0,
    trusting: Certificates | None = None,
) -> MailServer:
    found = MailServer(
        settings, given, WORDS, outgoing, FixedClock(), seconds, lambda _host, _port: ["127.0.0.1"]
    )
    if trusting is None:
        return found
    return replace(found, tls=ssl.create_default_context(cafile=str(trusting.authority)))


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert isinstance(found, EmailMessage)
    content = found.get_content()
    assert isinstance(content, str)
    return content


def test_a_mail_has_both_forms_and_says_what_it_is(box: MailBox) -> None:
    assert opened(channel(box.port)).send(PAGE) == Sent()
    (mail,), (recipients,) = box.mails, box.recipients
    assert recipients == list(TO)
    assert mail["From"] == "fleetcast@example.com"
    assert mail["To"] == "ada@example.com, bob@example.com"
    assert mail["Subject"] == PAGE.subject
    assert mail["Message-ID"] == "<msg-4711.fleetcast@example.com>"
    assert mail["List-Id"] == "fleetcast <fleetcast.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Mon, 01 Dec 2025 12:00:00 +0000"
    assert mail["Importance"] == "high"
    assert mail.get_content_type() == "multipart/alternative"
    assert part(mail, "plain").replace("\r\n", "\n") == WORDS.mail(PAGE).text
    assert part(mail, "html").replace("\r\n", "\n") == WORDS.mail(PAGE).html
    assert all(len(line) <= 998 for line in box.raw[0].split(b"\r\n"))


def test_what_is_no_page_is_not_important_and_the_same_message_has_the_same_id(box: MailBox) -> None:
    server = opened(channel(box.port))
    assert [server.send(DIGEST), server.send(DIGEST), server.send(PAGE)] == [Sent(), Sent(), Sent()]
    assert "Importance" not in box.mails[0]
    names = [mail["Message-ID"] for mail in box.mails]
    assert names[0] == names[1] != names[2]


ODD = some.text(some.characters(), max_size=60) | some.text("\r\n <>@:\u2028\x00\x0bab", max_size=60)


SERVER = opened(channel(25))


@given(name=ODD, subject=ODD, title=ODD)
def test_nothing_in_a_message_becomes_a_header(name: str, subject: str, title: str) -> None:
    message = Message(name, subject, (Notice(name, EventKind.DRIFT, AT, title, plant=title),))
    mail, honest = SERVER.mail(message), SERVER.mail(DIGEST)
    content = mail.as_bytes()
    head = content.partition(b"\r\n\r\n")[0]
    assert mail.keys() == honest.keys()
    lines = [line for line in re.split(rb"[\r\n]+", head) if not line.startswith((b" ", b"\t"))]
    assert [line.partition(b":")[0].decode() for line in lines] == honest.keys()
    assert re.fullmatch(rb"<[A-Za-z0-9_-]{1,64}\.fleetcast@example\.com>", mail["Message-ID"].encode())


def test_a_hostile_subject_stays_one_header(box: MailBox) -> None:
    assert opened(channel(box.port)).send(HOSTILE) == Sent()
    (mail,), (recipients,) = box.mails, box.recipients
    assert "Bcc" not in mail
    assert "Bcc: someone@evil.example" in mail["Subject"]
    assert recipients == list(TO)


def test_starttls_checks_the_certificate_and_signs_in(certificates: Certificates) -> None:
    with mail_server(certificates, signing_in=True) as box:
        settings = signing_in(box.port)
        assert opened(settings, given="right", trusting=certificates).send(PAGE) == Sent()
        assert (box.encrypted, box.users) == ([True], [(b"ops", b"right")])
        refused = opened(settings, given="wr0ng", trusting=certificates).send(PAGE)
        assert isinstance(refused, TryLater)
        assert "refused user or password (535" in refused.why
        assert "wr0ng" not in refused.why
        distrusted = opened(settings, given="right").send(PAGE)
        assert isinstance(distrusted, TryLater)
        assert "a certificate that is not trusted" in distrusted.why
        assert len(box.mails) == 1
        assert box.users.count((b"ops", b"right")) == 1, "a password went to a server that nobody vouches for"


def test_tls_from_the_first_byte(certificates: Certificates) -> None:
    with mail_server(certificates, tls_at_once=True) as box:
        assert opened(channel(box.port, Security.TLS), trusting=certificates).send(PAGE) == Sent()
        other = replace(channel(box.port, Security.TLS), host="elsewhere.example.com")
        found = opened(other, trusting=certificates).send(PAGE)
        assert isinstance(found, TryLater)
        assert "not trusted" in found.why
        assert len(box.mails) == 1


def test_the_certificates_of_ssl_cert_file_are_trusted(certificates: Certificates) -> None:
    program = (
        "import sys; from tests.platforms.channels.test_mail import channel, opened, Security, PAGE\n"
        "print(type(opened(channel(int(sys.argv[1]), Security.TLS)).send(PAGE)).__name__)"
    )
    with mail_server(certificates, tls_at_once=True) as box:
        said = [
            subprocess.run(
                [sys.executable, "-c", program, str(box.port)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for more in ({}, {"SSL_CERT_FILE": str(certificates.authority)})
        ]
    assert said == ["TryLater", "Sent"]


def test_without_starttls_nothing_is_sent_in_the_clear(box: MailBox) -> None:
    found = opened(channel(box.port, Security.STARTTLS)).send(PAGE)
    assert found == TryLater(
        f"the mail server localhost:{box.port} offers no STARTTLS, and nothing is sent in the clear"
    )
    assert box.mails == []


def test_another_machine_is_not_spoken_to_in_the_clear() -> None:
    somewhere = replace(PUBLIC, networks=(ip_network("10.0.0.0/8"),))
    server = replace(opened(channel(25), outgoing=somewhere), resolve=lambda _host, _port: ["10.0.0.1"])
    found = server.send(PAGE)
    assert isinstance(found, TryLater)
    assert "is not this machine" in found.why


def test_a_private_address_is_not_connected_to_unless_it_is_allowed(box: MailBox) -> None:
    found = opened(channel(box.port), outgoing=PUBLIC).send(PAGE)
    assert isinstance(found, TryLater)
    assert "127.0.0.1 is loopback" in found.why
    assert "`notifications.allowed_networks`" in found.why
    assert box.mails == []


@pytest.mark.parametrize(
    ("field", "answer", "expected"),
    [
        ("to_data", "552 5.3.4 too large", Refused("does not take this mail (552 5.3.4)")),
        ("to_data", "452 4.3.1 the disk is full", TryLater("does not take this mail (452 4.3.1)")),
        ("to_data", "554 secret-echoed", Refused("does not take this mail (554)")),
        ("to_mail", "550 5.7.1 not you", Refused("does not take this mail (550 5.7.1)")),
        ("to_mail", "451 later", TryLater("does not take this mail (451)")),
    ],
)
def test_what_comes_of_each_answer(
    box: MailBox, field: str, answer: str, expected: Refused | TryLater
) -> None:
    setattr(box, field, answer)
    found = opened(channel(box.port)).send(PAGE)
    assert found == type(expected)(f"the mail server localhost:{box.port} {expected.why}")


def test_recipients_that_are_refused_are_named(box: MailBox) -> None:
    box.to_rcpt = {"bob@example.com": "550 5.1.1 nobody"}
    assert opened(channel(box.port)).send(PAGE) == Sent(
        f"the mail server localhost:{box.port} refused bob@example.com (550)"
    )
    assert box.recipients == [["ada@example.com"]]
    box.to_rcpt["ada@example.com"] = "551 gone"
    assert opened(channel(box.port)).send(PAGE) == Refused(
        f"the mail server localhost:{box.port} refused everybody: ada@example.com (551), bob@example.com (550)"
    )
    box.to_rcpt["ada@example.com"] = "450 later"
    assert isinstance(opened(channel(box.port)).send(PAGE), TryLater)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"421 4.3.2 busy\r\n", "takes nothing right now (421 4.3.2)"),
        (b"554 no\r\n", "takes nothing right now (554)"),
        (b"", "hung up"),
        (b"220 hel", "hung up"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SMTP as it should"),
        (b"220 hello\r\n250-first\r\n", "hung up"),
        (b"220-" + b"x" * 20_000 + b"\r\n", "takes nothing right now (500)"),
        (b"220-more\r\n" * 60_000, "hung up"),
    ],
    ids=lambda value: value[:12],
)
def test_servers_that_say_odd_things_or_close_half_way(said: bytes, why: str) -> None:
    def handle(client: socket.socket) -> None:
        client.sendall(said)

    with talking(handle) as port:
        found = opened(channel(port)).send(PAGE)
    assert isinstance(found, TryLater)
    assert found.why == f"the mail server localhost:{port} {why}"


How = Callable[[bytes, threading.Event], Callable[[socket.socket], None]]
GREETED = b"220 hello\r\n"


@pytest.mark.parametrize("security", list(Security))
@pytest.mark.parametrize(
    "said", [b"", GREETED, GREETED + b"250-STARTTLS\r\n250 OK\r\n220 go on\r\n"], ids=len
)
@pytest.mark.parametrize("how", [dribbles, hangs], ids=lambda how: how.__name__)
def test_a_server_that_is_slow_is_given_up(
    certificates: Certificates, how: How, said: bytes, security: Security
) -> None:
    over = threading.Event()
    try:
        with talking(how(said, over)) as port:
            began = time.monotonic()
            found = opened(channel(port, security), seconds=0.5, trusting=certificates).send(PAGE)
            assert time.monotonic() - began < 3
    finally:
        over.set()
    assert isinstance(found, TryLater)


def test_a_name_service_that_hangs_is_given_up() -> None:
    over = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        over.wait(30)
        return []

    try:
        began = time.monotonic()
        found = replace(opened(channel(25), seconds=0.3), resolve=resolve).send(PAGE)
        assert time.monotonic() - began < 3
    finally:
        over.set()
    assert found == TryLater("the mail server localhost:25 did not answer in time")


def test_nobody_there_and_no_such_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = opened(channel(port)).send(PAGE)
    assert isinstance(found, TryLater)
    assert "cannot be reached: Connection refused" in found.why

    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    found = replace(opened(channel(port)), resolve=unknown).send(PAGE)
    assert found == TryLater(f"the mail server localhost:{port} cannot be reached: its name is not known")


def test_a_password_is_in_no_text_of_the_channel() -> None:
    settings = signing_in(25)
    assert "right" not in repr(opened(settings, given="right"))
