"""Whatever somebody typed: nothing of it is hidden or obeyed where it is shown, and nothing of it is lost in JSON."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput, Complaint
from fleetcast.domain.given import LONGEST_LINE, check_line, check_lines
from fleetcast.domain.legible import legible, legible_json, legible_lines, one_line, unseen

SIGNS = st.one_of(
    st.characters(),
    st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs"]),
    st.sampled_from(
        ["\x1b]0;title\x07", "\x1b[2J", "\u202e", "\u200b", "\r\n", "##vso[", "##[", "::error::"]
    ),
)
TEXTS = st.lists(SIGNS, max_size=40).map("".join)
COMMANDS = re.compile(r"##\w*\[|^\s*::(error|warning|debug|set-output|stop-commands)\b", re.IGNORECASE)


def hidden(text: str, but: str = "") -> list[str]:
    """Signs of a text that a terminal obeys or does not show, by the Unicode database alone."""
    return [
        sign for sign in text if sign not in but and unicodedata.category(sign)[0] in "CZ" and sign != " "
    ]


def whole(text: str) -> str:
    """A text in which two halves of a sign, as JSON cannot tell them apart, are that sign."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(TEXTS)
def test_one_line_has_nothing_that_is_hidden_or_obeyed(text: str) -> None:
    shown = legible(text)
    assert all(unicodedata.category(sign) == "Zs" for sign in hidden(shown))
    assert len(shown.splitlines()) <= 1
    assert not COMMANDS.search(shown)


@given(TEXTS)
def test_text_of_several_lines_keeps_its_lines_and_nothing_else(text: str) -> None:
    shown = legible_lines(text)
    assert all(unicodedata.category(sign) == "Zs" for sign in hidden(shown, "\n\t"))
    assert not COMMANDS.search(shown)
    assert shown.count("\n") == text.count("\n")


@given(TEXTS)
def test_a_program_sets_breaks_only_around_a_line(text: str) -> None:
    assert "\n" not in one_line(text).strip("\n")
    assert one_line(f"\n{legible(text)}") == f"\n{legible(text)}"


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S"], exclude_characters="#:")))
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert legible(text) == legible_lines(text) == text


@given(st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_json_says_exactly_what_is_stored_and_shows_nothing_that_is_obeyed(stored: dict[str, str]) -> None:
    document = legible_json(json.dumps(stored, indent=2, ensure_ascii=False))
    assert json.loads(document) == {whole(name): whole(text) for name, text in stored.items()}
    assert all(unicodedata.category(sign) == "Zs" for sign in hidden(document, "\n"))
    assert not COMMANDS.search(document)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;t\x07", r"\x1b[2J\x1b]0;t\x07"),
        ("a\nb\tc", r"a\nb\tc"),
        ("a\u202eb\u200bc", r"a\u202eb\u200bc"),
        ("caf\udce9", r"caf\udce9"),
        ("##vso[task.setvariable variable=x]1", r"\x23#vso[task.setvariable variable=x]1"),
        ("so ::ERROR::x", r"so \x3a:ERROR::x"),
        ("[red]x[/] :boom: 10:30::15 # 1 ## two", "[red]x[/] :boom: 10:30::15 # 1 ## two"),
        ("10 °C\N{NO-BREAK SPACE}!", "10 °C\N{NO-BREAK SPACE}!"),
    ],
)
def test_signs_are_written_so(text: str, shown: str) -> None:
    assert legible(text) == shown


@given(TEXTS)
def test_what_is_taken_is_shown_as_it_was_typed_but_for_what_agents_obey(text: str) -> None:
    if unseen(text):
        with pytest.raises(
            BadInput, match=r"^the comment holds .+ \((U\+|0x).*\) as character \d+$"
        ) as refused:
            check_line(text, "the comment")
        assert str(refused.value).isprintable()
    else:
        assert check_line(text, "the comment") == text
        assert legible(text).replace("\\x23", "#").replace("\\x3a", ":") == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ab\x1b[2J", "the comment holds an escape (U+001B) as character 3"),
        ("a\nb", "the comment holds a line break (U+000A) as character 2"),
        ("a\0", "the comment holds a NUL (U+0000) as character 2"),
        ("\u202eb", "the comment holds RIGHT-TO-LEFT OVERRIDE (U+202E) as character 1"),
        ("a\udcff", "the comment holds a byte that is no UTF-8 (0xff) as character 2"),
        ("x" * 120_000, "the comment has 120,000 characters"),
    ],
)
def test_what_is_refused_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_line(text, "the comment")
    assert str(refused.value) == said
    assert refused.value.fix


def test_a_line_may_be_so_long_and_lines_may_break() -> None:
    assert check_line("x" * LONGEST_LINE, "the comment")
    assert check_lines("a\n\tb\n", "a description")
    with pytest.raises(BadInput, match="an escape"):
        check_lines("a\n\x1bb", "a description")


def test_a_complaint_about_a_file_is_one_line() -> None:
    assert (
        str(Complaint("a\nb.yaml", 1, "x\x1b[2J", "y\n##vso[z]")) == r"a\nb.yaml:1: x\x1b[2J (y\n\x23#vso[z])"
    )
