"""Where things are kept: a folder, or a place in an object store, named by URI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fleetcast.domain.errors import BadInput

SCHEMES = ("file", "s3", "az", "abfss")
_EXAMPLES = "file:///folder, s3://bucket/folder, az://container/folder or abfss://container@account.dfs.core.windows.net/folder"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._+=/-]*")
_SECRET = re.compile(r"(?i)\b(sig|signature|x-amz-[a-z-]+|token|key|password)=[^&\s\"']+")


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
                f"{_without_secrets(self.uri)[:80]!r} is not a storage URI", fix=f"write {_EXAMPLES}"
            )
        secret = parts.query or parts.fragment or parts.password
        if secret or (parts.username and parts.scheme != "abfss"):
            raise BadInput(
                "a storage URI holds no keys, tokens or signatures",
                fix="keep the part before `?` and `@`, and let a managed identity or the environment sign in",
            )
        if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/") or ".." in parts.path):
            raise BadInput(f"{self.uri!r} is not an absolute file URI", fix="write file:///folder")
        if parts.scheme != "file" and not parts.netloc:
            raise BadInput(f"{self.uri!r} names no bucket or container", fix=f"write {_EXAMPLES}")
        if parts.scheme == "abfss" and not (parts.username and "." in (parts.hostname or "")):
            raise BadInput(f"{self.uri!r} names no account", fix=f"write {_EXAMPLES}")
        if parts.scheme != "file" and not _PLAIN_PATH.fullmatch(parts.path):
            raise BadInput(
                f"{self.uri!r} has blanks or odd characters, which not every client reads alike",
                fix="use letters, digits and . _ - + = /",
            )
        object.__setattr__(self, "uri", self.uri.rstrip("/"))

    def __str__(self) -> str:
        return self.uri

    def __truediv__(self, below: str) -> Location:
        return Location(f"{self.uri}/{below.strip('/')}")

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
        return Path(urlsplit(self.uri).path) if self.scheme == "file" else None


def without_secrets(text: str) -> str:
    """The first line of an error's text, with signatures and keys in URLs blotted out."""
    return _without_secrets(text.strip().partition("\n")[0])


def _without_secrets(text: str) -> str:
    return _SECRET.sub(r"\1=…", text)
