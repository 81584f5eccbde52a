"""Whatever people type as text: what cannot be shown is refused by name and place, the rest is shown as it is."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from tests.found.story import CIRCUITS, Fleet, Said, Story

MARKUP = "[nope] [red]x[/] :boom:"
COMMAND = "##vso[task.setvariable variable=x]1 ::error::x"
REFUSED = {
    "a\nerror: all is lost": "a line break (U+000A) as character 2",
    "ab\x1b]0;title\x07": "an escape (U+001B) as character 3",
    "\x1b[2J": "an escape (U+001B) as character 1",
    "x\u202egnp.exe": "RIGHT-TO-LEFT OVERRIDE (U+202E) as character 2",
    "x\u200by": "ZERO WIDTH SPACE (U+200B) as character 2",
    "x\udcffy": "a byte that is no UTF-8 (0xff) as character 2",
    "x" * 120_000: "120,000 characters",
}

LONG = "it types some thirty commands"


def tell(story: Story) -> None:
    """An approver, and somebody who writes circuits and names a branch."""
    fleet = story.fleet(days=0)
    fleet.type("stage", "RegisterEnvironment", code=0)
    fleet.type("stage", "PromoteEnvironment", code=3)
    for text, said in REFUSED.items():
        refused = fleet.type("reject", "1", "--comment", text)
        _is_safe(story, refused)
        story.expect("it is refused", holds=refused.code == 1, saw=refused.code)
        story.says(refused, said)
    fleet.type("reject", "1", "--comment", f"{MARKUP} {COMMAND}", code=0)
    _decided(story, fleet)
    _declared(story, fleet)


def _decided(story: Story, fleet: Fleet) -> None:
    shown = fleet.type("approvals", "show", "1", code=0)
    _is_safe(story, shown)
    story.says(shown, MARKUP)
    logged = fleet.type("audit", "list", code=0)
    _is_safe(story, logged)
    document = fleet.type("approvals", "show", "1", "--format", "json", code=0)
    _is_safe(story, document)
    stored = document.json["decisions"][0]["comment"]
    story.expect("programs are given it exactly", holds=stored == f"{MARKUP} {COMMAND}", saw=stored)


def _declared(story: Story, fleet: Fleet) -> None:
    """What circuits are said to be: a label is a line, and what is refused is named at its line of the file."""
    path = fleet.folder / CIRCUITS
    declared = path.read_text(encoding="utf-8")
    path.write_text(declared.replace("CIRCUIT01: {}", f'CIRCUIT01: {{owner: "{MARKUP}"}}'), encoding="utf-8")
    shown = fleet.type("circuits", "show", "PLANT001/CIRCUIT01", code=0)
    story.says(shown, MARKUP)
    for label in (r"\e[2J", r"a\u202Eb", r"a\n##vso[x]", "x" * 1_000):
        _write_owner(path, declared, label)
        refused = fleet.type("validate")
        _is_safe(story, refused)
        story.expect("validate refuses it", holds=refused.code == 1, saw=refused.code)
        story.says(refused, "a label has" if label.startswith("x") else "a label holds")
    path.write_text(declared, encoding="utf-8")
    odd = fleet.type("circuits", "show", "PLANT\x1b[2J/\u202e##vso[x]")
    _is_safe(story, odd)


def _write_owner(path: Path, declared: str, label: str) -> None:
    path.write_text(declared.replace("CIRCUIT01: {}", f'CIRCUIT01: {{owner: "{label}"}}'), encoding="utf-8")
    print(f"\nowner: {label[:40]}")


def _is_safe(story: Story, said: Said) -> None:
    """Nothing that it printed moves a cursor, turns a text, or is obeyed by an agent of CI."""
    text = said.out + said.err
    odd = sorted(
        {hex(ord(sign)) for sign in text if sign != "\n" and unicodedata.category(sign) in ("Cc", "Cf", "Cs")}
    )
    story.expect("no sign is hidden or obeyed", holds=not odd, saw=odd)
    story.expect("no agent of CI is commanded", holds="##vso[" not in text and "::error::" not in text)
    claims = [line for line in text.splitlines() if line.startswith("error: all is lost")]
    story.expect("nothing passes for a line of our own", holds=not claims, saw=claims)
