"""Messages that people are shown in tests, and in the documents' pictures.

`python -m tests.views.notices` writes the reviewed files anew.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fleetcast.domain.notice import EventKind, Fact, Notice, NoticeLink
from fleetcast.domain.place import EnvironmentName
from fleetcast.ports.channels import Message
from fleetcast.views.notices import Written

AT = datetime(2025, 11, 3, 2, 14, tzinfo=UTC)
SITE = "https://fleetcast.example.org"

ROLLED_BACK = Notice(
    "evt-4711",
    EventKind.ROLLED_BACK,
    AT,
    "PLANT001 went back to release 41 by itself",
    (
        Fact("from", "release 42 (share 25 %)"),
        Fact("to", "release 41"),
        Fact("why", "errors 7.4 % of 1,180 requests, allowed 2 %"),
        Fact("since", "2025-11-03 02:11 UTC"),
    ),
    EnvironmentName("prod"),
    "PLANT001",
    "CIRCUIT02",
    owner="cooling-team",
    links=(NoticeLink("Show the rollout", f"{SITE}/releases/42"),),
    runbook=f"{SITE}/docs/DEPLOYMENT#rolled-back",
)
APPROVAL = Notice(
    "evt-4712",
    EventKind.APPROVAL_REQUIRED,
    AT - timedelta(hours=3),
    "3 models wait for approval into prod",
    (
        Fact("models", "PLANT001/CIRCUIT01:1.1.0, PLANT001/CIRCUIT04:1.0.0, PLANT002/CIRCUIT01:2.0.0"),
        Fact("gate", "QA, 1 of 2 votes"),
        Fact("lapses", "2025-11-05 23:14 UTC"),
    ),
    EnvironmentName("prod"),
    links=(NoticeLink("Decide", f"{SITE}/approvals/17"), NoticeLink("Show the run", f"{SITE}/runs/88")),
    people=("ada",),
)


def notice(number: int, kind: EventKind, plant: str, title: str, *facts: tuple[str, str]) -> Notice:
    """One of many."""
    return Notice(
        f"evt-{number}",
        kind,
        AT - timedelta(minutes=number),
        title,
        tuple(Fact(name, value) for name, value in facts),
        EnvironmentName("dev"),
        plant,
        f"CIRCUIT{number:02d}",
        links=(NoticeLink("Show the job", f"{SITE}/jobs/{number}"),),
    )


PAGE = Message("msg-4711", "prod / PLANT001: rolled back", (ROLLED_BACK,))
REQUEST = Message("msg-4712", "3 models wait for approval into prod", (APPROVAL,))
DIGEST = Message(
    "msg-4713",
    "Run 88 of cooling-team: 4 trained, 1 failed",
    (
        notice(
            5,
            EventKind.TRAINING_COMPLETED,
            "PLANT001",
            "plant001-circuit05:4 was trained",
            ("skill", "0.31 (was 0.28)"),
        ),
        notice(
            4, EventKind.TRAINING_COMPLETED, "PLANT001", "plant001-circuit04:2 was trained", ("skill", "0.12")
        ),
        notice(
            3,
            EventKind.TRAINING_FAILED,
            "PLANT002",
            "training of PLANT002/CIRCUIT03 failed",
            ("why", "too few readings: 812 of 4,000 since 2025-06-01"),
            ("tries", "2"),
        ),
        notice(
            2, EventKind.TRAINING_COMPLETED, "PLANT002", "plant002-circuit02:3 was trained", ("skill", "0.40")
        ),
        notice(
            1,
            EventKind.DRIFT,
            "PLANT002",
            "PLANT002/CIRCUIT01 runs otherwise than it did",
            ("sensors", "inlet_temperature, flow"),
            ("distance", "0.24, expected at most 0.15"),
        ),
    ),
)
HOSTILE_TITLE = (
    "<at>everyone</at> **now** [click](https://evil.example) \u202egnp.exe\r\n# owned "
    "##vso[task.setvariable variable=x]y"
)
HOSTILE = Message(
    "msg-4714",
    f"Subject: {HOSTILE_TITLE}\r\nBcc: someone@evil.example",
    (
        Notice(
            "evt-4714",
            EventKind.TRAINING_FAILED,
            AT,
            HOSTILE_TITLE,
            (
                Fact(
                    "<b>name</b> | x",
                    "<script>alert(1)</script> | https://evil.example www.evil.example\n- a\n1. b",
                ),
                Fact("`code`", 'a\u2028b\u0000c\u200bd {{ 7*7 }} &amp; "quoted" \\* \ud800'),
            ),
            EnvironmentName("dev"),
            "PLANT001",
            owner="</td><at>boss</at>",
            links=(
                NoticeLink("](https://evil.example) x", f"{SITE}/a b"),
                NoticeLink("Run it", "javascript:alert(1)"),
                NoticeLink('Odd "address"', f"{SITE}/(x)<y>\"z'?a=1&copy;=2"),
            ),
            runbook="docs/DEPLOYMENT.md",
        ),
    ),
)
MANY = Message(
    "msg-4715",
    "2,000 notices",
    tuple(
        notice(
            number,
            EventKind.DRIFT if number % 3 else EventKind.TRAINING_FAILED,
            f"PLANT{number % 40:03d}",
            f"CIRCUIT{number} drifts",
        )
        for number in range(2_000, 0, -1)
    ),
)
MESSAGES = {"page": PAGE, "request": REQUEST, "digest": DIGEST, "hostile": HOSTILE}
GOLDEN = Path(__file__).parents[1] / "golden" / "notices"
WORDS = Written(more=f"{SITE}/notices")
LARGEST = 28_000


def golden_files() -> dict[str, str]:
    """What each of the messages is in each form, by the names of reviewed files."""
    files: dict[str, str] = {}
    for name, message in MESSAGES.items():
        mail = WORDS.mail(message)
        card = json.loads(WORDS.card(message, LARGEST))
        files[f"{name}.card.json"] = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
        files[f"{name}.mail.txt"] = f"Subject: {mail.subject}\n\n{mail.text}"
        files[f"{name}.mail.html"] = mail.html
        files[f"{name}.line.txt"] = "\n".join(WORDS.line(message)) + "\n"
        files[f"{name}.summary.md"] = WORDS.markdown(message)
        files[f"{name}.agent.txt"] = "\n".join(WORDS.agent_lines(message, "/agent/summary.md")) + "\n"
    return files


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, content in golden_files().items():
        (GOLDEN / name).write_text(content, encoding="utf-8")
