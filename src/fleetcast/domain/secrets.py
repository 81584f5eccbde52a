"""What may not be shown: passwords and tokens in addresses, and values of the environment that are secrets.

The one place that blots them out, for errors, logs, artifacts, reports, lines of progress and pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit

BLOT = "…"
"""What stands in place of a secret."""

_WORDS = (
    "sig|signature|secret|token|key|password|passwd|pwd|passphrase|credentials?|sas|authorization"
    "|accesstoken|authtoken|sessiontoken|apikey|accesskey|subscriptionkey|clientsecret"
)
_SECRET_NAME = re.compile(
    rf"(?i:(?:^|[^a-z])(?:{_WORDS})$)|[a-z](?:Sig|Signature|Secret|Token|Key|Password|Pwd)$"
)
_ADDRESS = re.compile(r"(?i)(?P<scheme>\b[a-z][a-z0-9+.-]*:/+|//+)(?P<rest>[^\s<>]+)")
_PAIR = re.compile(r"(?<![\w.%~$-])(?P<name>[\w.%~$-]+)=(?P<value>[^\s&]+)")
_QUOTED = re.compile(rf"(?i)(?P<before>(['\"])[\w.-]*({_WORDS})\2\s*:\s*)(?P<mark>['\"]).*?(?P=mark)")
_BEARER = re.compile(r"(?i)\b(bearer|basic|sharedaccesssignature)\s+[a-z0-9._~+/=-]{8,}")
_KNOWN = re.compile(
    r"\b(fc[a-z]{1,2}_\d+_[\w-]{8,}|fck_[\w-]{8,}|gh[oprsu]_\w{16,}|github_pat_\w{16,}|xox[a-z]-[\w-]{8,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_KEY_BLOCK = re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)")
_END = "'\"`)]},;>"
_OPEN_USERS = ("abfss", "abfs", "ssh", "git+ssh")
"""Where what stands before `@` alone is no secret: a container, a system user."""
_SECRET_VARIABLE = re.compile(
    r"(?i)(token|secret|password|passwd|pwd$|key|_pat$|credential|sas|webhook|database_url|connection|dsn|cookie)"
)
_SHORTEST = 6
"""Shorter values are words that stand in any text."""


def without_secrets(text: str) -> str:
    """A text with what is secret in the addresses, names and tokens in it blotted out; the rest stays as it is.

    >>> without_secrets("https://ana:hunter2@host/feed?page=2&sig=abc is not there")
    'https://…@host/feed?page=2&sig=… is not there'
    """
    text = _KEY_BLOCK.sub(BLOT, text)
    text = _one_after_another(_ADDRESS, _address, text)
    text = _one_after_another(_PAIR, _pair, text)
    text = _QUOTED.sub(lambda found: f"{found['before']}{found['mark']}{BLOT}{found['mark']}", text)
    text = _BEARER.sub(lambda found: f"{found[1]} {BLOT}", text)
    return _KNOWN.sub(BLOT, text)


def first_line(text: str) -> str:
    """The first line of an error's text, without secrets."""
    return without_secrets(text.strip().partition("\n")[0])


def blotted(text: str, values: Iterable[str]) -> str:
    """A text without secrets, and without these values, longest first."""
    for value in sorted(set(values), key=len, reverse=True):
        text = text.replace(value, BLOT)
    return without_secrets(text)


def secret_values(environment: Mapping[str, str], named: Iterable[str] = ()) -> frozenset[str]:
    """Values of the environment that nobody may see.

    Args:
        environment: Of the process.
        named: More variables that hold secrets, such as those that settings name.
    """
    also = set(named)
    return frozenset(
        part
        for name, value in environment.items()
        if name in also or _SECRET_VARIABLE.search(name)
        for part in _parts(value)
        if len(part) >= _SHORTEST
    )


def _parts(value: str) -> Iterable[str]:
    """A secret as it may stand in a text: whole, line by line, and the password of an address by itself."""
    if value.startswith("/"):  # where one is, and no secret itself
        return
    yield value.strip()
    yield from (line.strip() for line in value.splitlines())
    try:
        password = urlsplit(value).password or ""
    except ValueError:
        return
    yield password
    yield unquote(password)
    yield quote(unquote(password), safe="")


def _one_after_another(
    pattern: re.Pattern[str], blot: Callable[[re.Match[str]], tuple[str, int]], text: str
) -> str:
    """A text in which each match gives way to what `blot` makes of its beginning; the next is sought right after."""
    parts, at = list[str](), 0
    while (found := pattern.search(text, at)) is not None:
        parts.append(text[at : found.start()])
        part, at = blot(found)
        parts.append(part)
    return "".join([*parts, text[at:]])


def _address(found: re.Match[str]) -> tuple[str, int]:
    """An address up to its host, without what signs in there: what stands before `@` and may hold a password."""
    scheme, rest = found["scheme"], found["rest"]
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    # A password may hold any sign, `/` and `@` too: where somebody wrote one, the last `@` ends it.
    user = rest.rpartition("@")[0]
    user = user if ":" in user else authority.rpartition("@")[0]
    open_user = scheme.partition(":")[0].lower() in _OPEN_USERS and ":" not in unquote(user)
    if not user or open_user:
        return scheme, found.start("rest")
    return scheme + BLOT, found.start("rest") + len(user)


def _pair(found: re.Match[str]) -> tuple[str, int]:
    """One `name=value`: the name alone where the value may be seen, which is looked at next."""
    name, value = unquote(unquote(found["name"])), found["value"].rstrip(_END)
    secret = _SECRET_NAME.search(name) or name.lower().startswith("x-amz-")
    secret = secret or (name == "code" and found.string[: found.start()].endswith(("?", "&")))
    decoded = unquote(value)
    if value and (secret or (decoded != value and without_secrets(decoded) != decoded)):
        return f"{found['name']}={BLOT}", found.start("value") + len(value)
    return f"{found['name']}=", found.start("value")
