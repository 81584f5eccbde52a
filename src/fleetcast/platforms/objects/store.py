"""Object stores behind one small interface: put, put once, get, ask.

Credentials are found where the clouds' own tools find them: a managed identity, a federated token or the
environment; never in a URI or a file of the fleet. `HTTPS_PROXY`, `NO_PROXY` and the private authority in
`SSL_CERT_FILE` hold for this client and for delta-rs alike, as both are built on the same Rust libraries.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.foreseen import why
from fleetcast.domain.location import Location
from fleetcast.stored.durable import sync

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_TRIES = 4
_PATIENCE = timedelta(seconds=30)
_RIGHTS = {
    "s3": "s3:GetObject, s3:PutObject and s3:ListBucket on the bucket",
    "az": "the role Storage Blob Data Contributor on the container",
    "abfss": "the role Storage Blob Data Contributor on the container",
    "file": "the right to write to the folder",
}


class ObjectFolder:
    """Small files below a location; each appears whole or not at all."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._store = _open(location)

    def put(self, name: str, content: bytes) -> None:
        """Write an object, in place of an earlier one.

        Raises:
            Unavailable: The store does not answer.
            BadInput: It refuses.
        """
        with self._translated():
            obstore.put(self._store, name, content)
            self._sync(name)

    def put_once(self, name: str, content: bytes) -> bool:
        """Write an object unless it is there; gives whether it was written."""
        with self._translated():
            try:
                obstore.put(self._store, name, content, mode="create")
            except AlreadyExistsError:
                return False
            self._sync(name)
            return True

    def get(self, name: str) -> bytes | None:
        """An object's content; None if there is none."""
        with self._translated():
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        with self._translated(), suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    def remove_all(self, folder: str) -> None:
        """Remove all objects below a folder."""
        with self._translated():
            names = [str(found["path"]) for some in obstore.list(self._store, folder) for found in some]
        for name in names:
            self.remove(name)

    def holds(self, name: str) -> bool:
        """Whether there is such an object."""
        with self._translated():
            try:
                obstore.head(self._store, name)
            except FileNotFoundError:
                return False
            return True

    def names(self, folder: str) -> Collection[str]:
        """The objects and folders right below a folder, with it in front; none if there is no such folder."""
        with self._translated():
            listed = obstore.list_with_delimiter(self._store, folder)
            return {*listed["common_prefixes"], *(found["path"] for found in listed["objects"])}

    def _sync(self, name: str) -> None:
        """Clouds answer once an object is safe; a folder of this machine has to be told."""
        if self.location.folder is not None:
            path = self.location.folder / name
            sync(path)
            for folder in path.parents[: len(PurePosixPath(name).parts)]:
                sync(folder)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise BadInput(
                f"{self.location} refuses: {why(error)}",
                fix=f"give this identity {_RIGHTS[self.location.scheme]}",
            ) from error
        except ValueError as error:
            raise BadInput(
                f"{self.location} takes no file of that name: {why(error)}",
                fix="rename the file, without signs that cannot be seen",
            ) from error
        except (BaseError, OSError) as error:
            raise Unavailable(
                f"{self.location} cannot be used: {why(error)}",
                fix="see whether the store is up, the network lets you through, and the bucket or container exists",
            ) from error


def delta_options(location: Location) -> Mapping[str, str]:
    """What delta-rs and polars need to know besides what they find in the environment."""
    return {"account_name": location.account} if location.account else {}


def _open(location: Location) -> ObjectStore:
    from obstore.store import AzureStore, LocalStore, S3Store

    patience = {"max_retries": _TRIES, "retry_timeout": _PATIENCE}
    try:
        if location.folder is not None:
            return LocalStore(location.folder, mkdir=True)
        prefix = location.path or None
        if location.scheme == "s3":
            return S3Store(location.bucket, prefix=prefix, retry_config=patience)  # type: ignore[arg-type]
        account = {"account_name": location.account} if location.account else {}
        return AzureStore(location.bucket, prefix=prefix, retry_config=patience, **account)  # type: ignore[arg-type]
    except (BaseError, OSError) as error:
        account_hint = (
            ""
            if location.account or "AZURE_STORAGE_ACCOUNT_NAME" in os.environ
            else ("; for az:// set AZURE_STORAGE_ACCOUNT_NAME" if location.scheme == "az" else "")
        )
        raise BadInput(
            f"{location} cannot be opened: {why(error)}",
            fix=f"check the URI and the environment{account_hint}",
        ) from error
