"""Where things are kept: a folder, or a place in an object store, named by URI.

The one place that makes a URI of a folder and a folder of a URI.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from fleetcast.domain.errors import BadInput
from fleetcast.domain.secrets import without_secrets

SCHEMES = ("file", "s3", "az", "abfss")
_EXAMPLES = "file:///folder, s3://bucket/folder, az://container/folder or abfss://container@account.dfs.core.windows.net/folder"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._+=/-]*")
_PLAIN_PLACE = re.compile(r"([A-Za-z0-9$._-]+@)?[A-Za-z0-9$._-]+(:[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Location:
    """A URI that ends without a slash; never with a secret in it."""

    uri: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.uri)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in SCHEMES:
            raise BadInput(
                f"{without_secrets(self.uri)[:80]!r} is not a storage URI", fix=f"write {_EXAMPLES}"
            )
        if parts.scheme == "file" and (parts.query or parts.fragment):
            raise BadInput(
                f"{without_secrets(self.uri)[:80]!r} has a `?` or `#`, which end the path of a URI",
                fix="write %3F for `?` and %23 for `#`",
            )
        secret = parts.query or parts.fragment or parts.password
        if secret or (parts.username and parts.scheme != "abfss"):
            raise BadInput(
                "a storage URI holds no keys, tokens or signatures",
                fix="keep the part before `?` and `@`, and let a managed identity or the environment sign in",
            )
        if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
            raise BadInput(f"{self.uri!r} is not an absolute file URI", fix="write file:///folder")
        if climbs(parts.path) or "\0" in unquote(parts.path):
            raise BadInput(
                f"{self.uri!r} names a folder by way of another", fix="write where it is, without `..` or %2e"
            )
        if parts.scheme != "file" and not parts.netloc:
            raise BadInput(f"{self.uri!r} names no bucket or container", fix=f"write {_EXAMPLES}")
        if parts.scheme == "abfss" and not (parts.username and "." in (parts.hostname or "")):
            raise BadInput(f"{self.uri!r} names no account", fix=f"write {_EXAMPLES}")
        plain = _PLAIN_PATH.fullmatch(parts.path) and _PLAIN_PLACE.fullmatch(parts.netloc)
        if parts.scheme != "file" and not plain:
            raise BadInput(
                f"{self.uri!r} has blanks or odd characters, which not every client reads alike",
                fix="use letters, digits and . _ - + = /",
            )
        object.__setattr__(self, "uri", self.uri.rstrip("/"))

    def __str__(self) -> str:
        return self.uri

    def __truediv__(self, below: str) -> Location:
        name = below.strip("/")
        return Location(f"{self.uri}/{quote(name) if self.scheme == 'file' else name}")

    @property
    def scheme(self) -> str:
        """`file`, `s3`, `az` or `abfss`."""
        return self.uri.partition("://")[0]

    @property
    def bucket(self) -> str:
        """The bucket or container; empty for a folder."""
        host = urlsplit(self.uri).netloc
        return host.partition("@")[0] if self.scheme == "abfss" else host

    @property
    def account(self) -> str:
        """The storage account, where the URI names it."""
        return (urlsplit(self.uri).hostname or "").partition(".")[0] if self.scheme == "abfss" else ""

    @property
    def path(self) -> str:
        """What comes after the bucket, without slashes at its ends."""
        return urlsplit(self.uri).path.strip("/")

    @property
    def folder(self) -> Path | None:
        """The folder of this machine, for `file://`."""
        return Path(unquote(urlsplit(self.uri).path)) if self.scheme == "file" else None


def file_uri(folder: Path) -> str:
    """The URI of a folder or file of this machine: `file:///a%20b`."""
    return folder.absolute().as_uri()


def climbs(path: str) -> bool:
    """Whether a path leads to another folder than it seems to, once somebody reads `%2e` as a dot or `%2F` as a slash.

    Plain `..` climbs too. What is decoded once is decoded again by some, so it is looked at to the bottom.
    """
    while True:
        if ".." in path.replace("\\", "/").split("/"):
            return True
        decoded = unquote(path)
        if decoded == path:
            return False
        if any(decoded.count(sign) > path.count(sign) for sign in "/\0"):
            return True
        path = decoded
