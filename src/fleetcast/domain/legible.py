"""How text is shown that somebody typed or that comes from elsewhere, at terminals, in logs and in documents.

What people give is checked when they give it (`domain/given.py`); what is shown may be older than that, or nobody's to
refuse: a commit's subject, a file's name, a platform's answer. Each sign that cannot be seen, moves a cursor or turns
what follows is written as its escape, and what an agent of CI would obey is broken up. Whoever needs the text exactly
asks for JSON.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_COMMAND = re.compile(
    r"##(?=\w*\[)"
    r"|::(?=(?:error|warning|notice|debug|group|endgroup|set-output|set-env|save-state|add-path|add-mask"
    r"|add-matcher|remove-matcher|stop-commands|echo)\b)",
    re.IGNORECASE,
)
"""What agents of CI obey in what a command prints: Azure Pipelines and TeamCity wherever it stands in a line, GitHub at
its beginning, which may be where a table breaks a long text."""
_BYTES = range(0xDC80, 0xDD00)
"""How Python keeps bytes that are no UTF-8."""
_CALLED = {
    "\0": "a NUL",
    "\t": "a tab",
    "\n": "a line break",
    "\r": "a carriage return",
    "\x1b": "an escape",
    "\x85": "a line break",
}


def is_seen(sign: str) -> bool:
    """Whether a sign stands for itself where it is shown: no control, no invisible or turning one, no half of one."""
    return sign.isprintable() or unicodedata.category(sign) == "Zs"


def has_bytes(text: str) -> bool:
    """Whether a text from the operating system holds bytes that are no UTF-8."""
    return any(ord(sign) in _BYTES for sign in text)


def unseen(text: str, but: str = "") -> str:
    """Which sign of a text cannot be shown, `but` for some, and where the first such is; empty where all can."""
    if text.isprintable():
        return ""
    place, odd = next(
        ((place, sign) for place, sign in enumerate(text, 1) if not (is_seen(sign) or sign in but)), (0, "")
    )
    if not odd:
        return ""
    if ord(odd) in _BYTES:
        return f"a byte that is no UTF-8 (0x{ord(odd) - 0xDC00:02x}) as character {place:,}"
    called = _CALLED.get(odd) or unicodedata.name(odd, "no sign that can be shown")
    return f"{called} (U+{ord(odd):04X}) as character {place:,}"


def legible(text: str) -> str:
    """Text on one line of which nothing is hidden and nothing obeyed: what cannot be seen is written as its escape."""
    return _shown(text, is_seen, _escape)


def one_line(text: str) -> str:
    """The same with the line breaks before and after it, where a program sets them."""
    inside = text.strip("\n")
    if not inside:
        return text
    before, after = text.split(inside, 1) if len(inside) < len(text) else ("", "")
    return f"{before}{legible(inside)}{after}"


def legible_lines(text: str) -> str:
    """Text of several lines, as legible: line breaks and tabs stay."""
    return _shown(text.replace("\r\n", "\n"), lambda sign: sign in "\n\t" or is_seen(sign), _escape)


def legible_json(document: str) -> str:
    """A JSON document with the same values, of which a terminal shows each sign and an agent of CI obeys none."""
    return _shown(document, lambda sign: sign == "\n" or is_seen(sign), _json_escape)


def _shown(text: str, stays: Callable[[str], bool], escape: Callable[[str], str]) -> str:
    if not text.isprintable():
        text = "".join(sign if stays(sign) else escape(sign) for sign in text)
    if "##" in text or "::" in text:
        text = _COMMAND.sub(lambda found: escape(found[0][0]) + found[0][1:], text)
    return text


def _escape(sign: str) -> str:
    escaped = ascii(sign)[1:-1]
    return escaped if escaped != sign else f"\\x{ord(sign):02x}"


def _json_escape(sign: str) -> str:
    utf16 = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{utf16[start : start + 4]}" for start in range(0, len(utf16), 4))
