"""What people are told, in words: a message as a card, as mail, as one line, and on the page of a pipeline's run.

Text of users is brought onto one line, legibly, cut where it is too long, and escaped by
the template for what reads it there.
"""

from __future__ import annotations

import heapq
import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlsplit

from fleetcast.domain.ci import Ci
from fleetcast.domain.errors import BadInput, Complaint
from fleetcast.domain.legible import legible
from fleetcast.domain.notice import PAGES, EventKind, Notice
from fleetcast.domain.wording import counted
from fleetcast.ports.channels import Mail, Message
from fleetcast.views import moments
from fleetcast.views.ci import finding_line, summary_line
from fleetcast.views.markdown import in_markdown, in_summary

try:
    from jinja2 import Environment, PackageLoader, StrictUndefined, Template
except ModuleNotFoundError as error:
    raise BadInput(
        "putting notices into words needs a library that is not installed",
        fix="pip install 'fleetcast[notifications]'",
    ) from error

_LONGEST_LINE = 500
_LONGEST_SUBJECT = 200
_LONGEST_URL = 2_000
_MOST_IN_CARD, _MOST_IN_MAIL = 100, 100
_MOST_IN_LINE = 5
_BUTTONS = 6
"""As many as Teams shows of one card."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_ODD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ELSEWHERE = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'"})


class Tone(StrEnum):
    """How a notice is to be taken; the most urgent comes first."""

    ATTENTION = "attention"
    WARNING = "warning"
    ACCENT = "accent"
    """Somebody is to do something."""
    DEFAULT = "default"
    GOOD = "good"


_URGENCY = list(Tone)
_TONES: Mapping[EventKind, Tone] = {
    EventKind.TRAINING_STARTED: Tone.DEFAULT,
    EventKind.TRAINING_COMPLETED: Tone.GOOD,
    EventKind.TRAINING_FAILED: Tone.ATTENTION,
    EventKind.TRAINING_LONG_RUNNING: Tone.WARNING,
    EventKind.APPROVAL_REQUIRED: Tone.ACCENT,
    EventKind.APPROVAL_DECIDED: Tone.DEFAULT,
    EventKind.APPROVAL_EXPIRING: Tone.WARNING,
    EventKind.DEPLOYMENT_STARTED: Tone.DEFAULT,
    EventKind.DEPLOYMENT_STEP: Tone.DEFAULT,
    EventKind.DEPLOYMENT_COMPLETED: Tone.GOOD,
    EventKind.ROLLED_BACK: Tone.ATTENTION,
    EventKind.DRIFT: Tone.WARNING,
    EventKind.DATA_STALE: Tone.ATTENTION,
    EventKind.ENDPOINT_DOWN: Tone.ATTENTION,
    EventKind.ALARM: Tone.WARNING,
    EventKind.RECOVERED: Tone.GOOD,
    EventKind.CHANNEL_DISABLED: Tone.ATTENTION,
    EventKind.SCHEDULE_FAILED: Tone.ATTENTION,
}


@dataclass(frozen=True, slots=True)
class ShownFact:
    """One line of a notice."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ShownLink:
    """Where to read more, or to act."""

    says: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """One thing that happened."""

    id: str
    title: str
    what: str
    """`Rolled back`."""
    where: str
    """`prod / PLANT001 / CIRCUIT01`; empty: nowhere in particular."""
    circuit: str
    """Empty: all of the plant."""
    at: str
    tone: Tone
    is_page: bool
    facts: Sequence[ShownFact]
    links: Sequence[ShownLink]

    @property
    def line(self) -> str:
        """What it is, where and when."""
        return " · ".join(part for part in (self.what, self.where, self.at) if part)

    @property
    def line_in_group(self) -> str:
        """The same where environment and plant were said."""
        return " · ".join(part for part in (self.what, self.circuit, self.at) if part)


@dataclass(frozen=True, slots=True)
class Group:
    """What happened in one environment and plant."""

    where: str
    counts: str
    """`2 training failed, 1 drift`, of all that happened, shown or not."""
    notices: Sequence[ShownNotice]


@dataclass(frozen=True, slots=True)
class Told:
    """A message as it is shown."""

    id: str
    subject: str
    total: int
    tone: Tone
    summary: str
    """What all of it is, in counts."""
    groups: Sequence[Group]
    left_out: int
    """Notices that are not shown."""
    more: ShownLink | None
    """Where those are."""

    @property
    def shown(self) -> Sequence[ShownNotice]:
        """All notices that are shown."""
        return [notice for group in self.groups for notice in group.notices]

    @property
    def only(self) -> ShownNotice | None:
        """The notice, where there is but one."""
        return self.shown[0] if self.total == 1 and self.shown else None


@dataclass(frozen=True, slots=True)
class _Size:
    """How much is shown of a message."""

    notices: int
    facts: int = 20
    longest: int = _LONGEST_LINE
    links: int = _BUTTONS


@dataclass(frozen=True, slots=True)
class Written:
    """Puts messages into words, each kind by a template of its own."""

    more: str | None = None
    """Where all notices are shown; None: a command shows them."""

    def card(self, message: Message, most: int) -> bytes:
        """A message to Microsoft Teams as JSON, with an Adaptive Card 1.4, of at most so many bytes.

        The less urgent is left out until the rest fits, with how many those are; of a single notice that is too long,
        facts are left out.
        """
        for size in self._sizes(message, most):
            drawn = self._card(message, size)
            if len(drawn) <= most:
                return drawn
        raise ValueError(f"no card fits into {most:,} bytes")

    def mail(self, message: Message) -> Mail:
        """A message as mail, which reads well on a phone, in the dark, and without HTML."""
        told = self._told(message, _Size(_MOST_IN_MAIL))
        return Mail(
            told.subject,
            _template("mail.txt.jinja").render(told=told),
            _template("mail.html.jinja").render(told=told),
        )

    def line(self, message: Message) -> tuple[str, str]:
        """A title and a short text, without any marks."""
        told = self._told(message, _Size(_MOST_IN_LINE, facts=3, longest=160, links=1))
        return anywhere(told.subject), _template("line.txt.jinja").render(told=told).strip()

    def markdown(self, message: Message) -> str:
        """A message for the page of a pipeline's run."""
        return _template("summary.md.jinja").render(told=self._told(message, _Size(_MOST_IN_MAIL)))

    def agent_lines(self, message: Message, summary: str) -> Sequence[str]:
        """What Azure Pipelines is told on the output: what went wrong, or may, and the file with all of it."""
        told = self._told(message, _Size(_MOST_IN_MAIL, facts=3, longest=160, links=1))
        issues = [
            finding_line(
                Ci.AZURE_DEVOPS,
                Complaint("", None, f"{notice.title} ({notice.line})"),
                warning=notice.tone is Tone.WARNING,
            )
            for notice in told.shown
            if notice.tone in (Tone.ATTENTION, Tone.WARNING)
        ]
        shown = summary_line(Ci.AZURE_DEVOPS, summary)
        return [*issues, *([shown] if shown else [])]

    def _sizes(self, message: Message, most: int) -> Iterator[_Size]:
        """From the most that fits to the least there is."""
        fits, too_many = 0, min(len(message.notices), _MOST_IN_CARD) + 1
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if len(self._card(message, _Size(middle))) <= most:
                fits = middle
            else:
                too_many = middle
        if fits:
            yield _Size(fits)
        yield from (_Size(1, 10, 200, 3), _Size(1, 5, 100, 1), _Size(1, 0, 100, 0), _Size(0, 0, 100, 0))

    def _card(self, message: Message, size: _Size) -> bytes:
        drawn = _template("card.json.jinja").render(told=self._told(message, size))
        return json.dumps(json.loads(drawn), ensure_ascii=False, separators=(",", ":")).encode()

    def _told(self, message: Message, size: _Size) -> Told:
        kept = heapq.nsmallest(
            max(size.notices, 1), message.notices, key=lambda one: (_urgency(one), one.at, one.id)
        )
        first, kept = kept[0], kept[: size.notices]
        places: dict[tuple[str, str], list[Notice]] = {}
        counts: dict[tuple[str, str], Counter[EventKind]] = {}
        for notice in kept:
            places.setdefault(_place(notice), []).append(notice)
        for notice in message.notices:
            counts.setdefault(_place(notice), Counter())[notice.kind] += 1
        left_out = len(message.notices) - len(kept)
        return Told(
            id=plain(message.id, 100),
            subject=plain(message.subject, min(size.longest, _LONGEST_SUBJECT)) or "fleetcast",
            total=len(message.notices),
            tone=_TONES[first.kind],
            summary=_counts(Counter(notice.kind for notice in message.notices)),
            groups=[
                Group(
                    " / ".join(plain(part, 100) for part in place if part) or "fleet",
                    _counts(counts[place]),
                    [_shown(notice, size) for notice in notices],
                )
                for place, notices in places.items()
            ],
            left_out=left_out,
            more=ShownLink("Show all", self.more) if left_out and self.more else None,
        )


def plain(text: str, longest: int = _LONGEST_LINE) -> str:
    """Text on one line with single blanks, of which nothing is hidden and nothing obeyed; cut where it is too long."""
    words = legible(" ".join(text[: 4 * longest].split()))
    return (
        words if len(words) <= longest and len(text) <= 4 * longest else words[: longest - 1].rstrip() + "…"
    )


def anywhere(text: str) -> str:
    """Text without what one service or another makes a link or a mention of: who will show it is not known."""
    return text.translate(_ELSEWHERE).replace("://", ":／／").replace("www.", "www ")


def _shown(notice: Notice, size: _Size) -> ShownNotice:
    where = " / ".join(
        plain(part, size.longest) for part in (notice.environment, notice.plant, notice.circuit) if part
    )
    facts = [ShownFact(plain(fact.name, 60), plain(fact.value, size.longest)) for fact in notice.facts]
    if notice.owner:
        facts.append(ShownFact("owner", plain(notice.owner, size.longest)))
    links = []
    for link in notice.links:
        if is_web(link.url):
            links.append(ShownLink(plain(link.says, 60) or "Open", quoted(link.url)))
        else:
            facts.append(ShownFact(plain(link.says, 60), plain(link.url, size.longest)))
    if notice.runbook and is_web(notice.runbook):
        links.append(ShownLink("Runbook", quoted(notice.runbook)))
    elif notice.runbook:
        facts.append(ShownFact("what to do", plain(notice.runbook, size.longest)))
    left_out = max(0, len(facts) - size.facts)
    facts = facts[: size.facts]
    if left_out:
        facts.append(ShownFact("…", f"and {counted(left_out, 'more line')}"))
    return ShownNotice(
        plain(notice.id, 100),
        plain(notice.title, size.longest) or _what(notice.kind),
        _what(notice.kind),
        where,
        plain(notice.circuit or "", size.longest),
        moments.shown(notice.at),
        _TONES[notice.kind],
        notice.kind in PAGES,
        facts,
        links[: size.links],
    )


def is_web(url: str) -> bool:
    """Whether an address may be made a link: of a page of a named host, and no longer than programs take."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and _HOST.fullmatch(parts.netloc.removesuffix(f":{port}")) is not None
        and len(quoted(url)) <= _LONGEST_URL
        and not any(sign.isspace() or not sign.isprintable() for sign in url)
    )


def quoted(url: str) -> str:
    """An address in ASCII, without signs that end one in Markdown or HTML."""
    before, mark, part = url.partition("#")
    safe = "/?:@!$&*+,=%~-._"
    return _ODD_PERCENT.sub("%25", quote(before, safe=safe) + mark + quote(part, safe=safe))


def _urgency(notice: Notice) -> tuple[bool, int]:
    return notice.kind not in PAGES, _URGENCY.index(_TONES[notice.kind])


def _place(notice: Notice) -> tuple[str, str]:
    return notice.environment or "", notice.plant or ""


def _what(kind: EventKind) -> str:
    return kind.value.replace("-", " ").capitalize()


def _counts(kinds: Counter[EventKind]) -> str:
    ranked = sorted(kinds, key=lambda kind: (_URGENCY.index(_TONES[kind]), kind.value))
    return ", ".join(f"{kinds[kind]:,} {_what(kind).lower()}" for kind in ranked)


def _wrapped(text: str, indent: str = "", first: str | None = None) -> str:
    """Text in lines of at most 76 signs; a word that is longer, as an address may be, stays whole."""
    return textwrap.fill(
        text,
        76,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _environment(*, html: bool) -> Environment:
    made = Environment(
        loader=PackageLoader("fleetcast.views", "notice_templates"),
        autoescape=html,  # noqa: S701  # each other template escapes for what reads it
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "md": in_markdown,
        "json": lambda value: json.dumps(value, ensure_ascii=False),
        "cell": in_summary,
        "wrapped": _wrapped,
        "anywhere": anywhere,
        "number": lambda value: f"{value:,}",
    }
    return made


_HTML, _TEXT = _environment(html=True), _environment(html=False)


def _template(name: str) -> Template:
    return (_HTML if ".html." in name else _TEXT).get_template(name)
