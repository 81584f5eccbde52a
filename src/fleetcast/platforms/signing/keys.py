"""The key that this user signs with: from the environment, or one that was made for this user once."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.settings import SIGNING_KEY_VARIABLE
from fleetcast.domain.signing_key import VAULT, KeySource, OwnKeys, PublicKey, TrustedKey
from fleetcast.platforms.signing.ed25519 import (
    Ed25519Signer,
    Ed25519TrustedKeys,
    new_private,
    private_from,
    private_pem,
    public_from,
    public_of,
    public_pem,
)
from fleetcast.platforms.signing.key_files import (
    UnusableKey,
    check_folder,
    read_given_file,
    read_own_file,
    understood,
)
from fleetcast.platforms.signing.key_vault import secret_in_vault
from fleetcast.platforms.signing.user_state import user_state
from fleetcast.ports.clock import Clock
from fleetcast.stored.durable import make_private_folder, write_secret

KEY_FILE = "signing.key"
_EARLIER = re.compile(re.escape(KEY_FILE) + r"\.[0-9a-f]{16}")
_FILE = "file:"
_WHAT_TO_GIVE = (
    "give it a private key (PEM, 32 bytes in base64, file:PATH, or keyvault:VAULT/SECRET), or unset it"
)


@dataclass(frozen=True, slots=True)
class OpenKeys:
    """The own key, open to sign with; it shows nothing of the private part."""

    own: OwnKeys
    _private: Ed25519PrivateKey

    def signer(self, clock: Clock) -> Ed25519Signer:
        """Signs with the own key."""
        return Ed25519Signer(self._private, clock)

    def trusted(self, declared: Iterable[TrustedKey]) -> Ed25519TrustedKeys:
        """Trusts the own keys and those declared; what is declared of an own key holds, as it may be revoked."""
        own = (TrustedKey(public) for public in (self.own.public, *self.own.earlier))
        return Ed25519TrustedKeys([*own, *declared])


def open_keys(environment: Mapping[str, str]) -> OpenKeys:
    """Find the own key; where the environment names none, the one made for this user, which is made if need be.

    Args:
        environment: Variables by name.

    Raises:
        UnusableKey: There is a key that cannot be read, or that others can.
        BadInput: The variable names a file that is not there, or this user has no home.
        Unavailable: The disk refuses.
    """
    given = environment.get(SIGNING_KEY_VARIABLE)
    if given is not None and given.startswith(_FILE):
        return _from_file(Path(given.removeprefix(_FILE)))
    if given is not None and given.startswith(VAULT):
        private = understood(given, secret_in_vault(given).encode(), private_from, fix=_WHAT_TO_GIVE)
        return OpenKeys(OwnKeys(public_of(private), KeySource.VAULT, given), private)
    if given is not None:
        private = understood(SIGNING_KEY_VARIABLE, given.encode(), private_from, fix=_WHAT_TO_GIVE)
        return OpenKeys(OwnKeys(public_of(private), KeySource.VARIABLE, SIGNING_KEY_VARIABLE), private)
    folder = user_state(environment)
    return _embedded(folder, _made_once(folder))


def rotate(environment: Mapping[str, str]) -> tuple[PublicKey, OpenKeys]:
    """Replace the key that was made for this user by a new one; the public part of the old one stays beside it.

    What the old one signed stays trusted by this user for as long as that file is there; its private part is gone.
    Killed anywhere, either the old key signs still, or the new one does.

    Returns:
        The key that was replaced, and the new one.

    Raises:
        BadInput: The environment names the key, so that it is not ours to replace; or there is none yet.
        UnusableKey: The present key cannot be read, or others can read it.
        Unavailable: The disk refuses.
    """
    if SIGNING_KEY_VARIABLE in environment:
        raise BadInput(
            f"{SIGNING_KEY_VARIABLE} names the key, so it is not fleetcast's to replace",
            fix="put a new key where it comes from, and the public key of the old one below "
            "`signing.trusted` in fleetcast.yaml, or what it signed is not trusted any more",
        )
    folder = user_state(environment)
    try:
        with _alone(folder):
            return _replaced(folder)
    except FileNotFoundError:
        raise BadInput(
            "there is no key to replace yet", fix="`fleetcast keys show` makes the first one"
        ) from None


def _from_file(path: Path) -> OpenKeys:
    try:
        private = read_given_file(path, private_from)
    except FileNotFoundError:
        raise BadInput(
            f"{SIGNING_KEY_VARIABLE} names {path}, which is not there", fix="put the key there"
        ) from None
    return OpenKeys(OwnKeys(public_of(private), KeySource.FILE, str(path)), private)


def _made_once(folder: Path) -> Ed25519PrivateKey:
    path = folder / KEY_FILE
    try:
        check_folder(folder)
        return _read(path)
    except FileNotFoundError:
        with _disk(folder):
            make_private_folder(folder)
            check_folder(folder)
            # Whoever was first at the same moment: all sign with what is in the file.
            write_secret(path, private_pem(new_private()))
            return _read(path)


def _read(path: Path) -> Ed25519PrivateKey:
    return read_own_file(
        path,
        private_from,
        fix="bring it back from a backup; if there is none, move it away: the next command makes a new key, and "
        "what the lost one signed stays trusted where its public key stands below `signing.trusted`",
    )


def _replaced(folder: Path) -> tuple[PublicKey, OpenKeys]:
    path = folder / KEY_FILE
    old, made = public_of(_read(path)), new_private()
    with _disk(folder):
        write_secret(folder / f"{KEY_FILE}.{old.id}", public_pem(old))
        write_secret(path, private_pem(made), replace=True)
    return old, _embedded(folder, made)


def _embedded(folder: Path, private: Ed25519PrivateKey) -> OpenKeys:
    public, path = public_of(private), folder / KEY_FILE
    earlier = tuple(key for key in _earlier(folder) if key != public)
    return OpenKeys(OwnKeys(public, KeySource.EMBEDDED, str(path), earlier), private)


def _earlier(folder: Path) -> Iterator[PublicKey]:
    with _disk(folder):
        names = sorted(entry.name for entry in folder.iterdir())
    for name in filter(_EARLIER.fullmatch, names):
        path = folder / name
        fix = f"remove {path}, and write the key below `signing.trusted` if you have it elsewhere"
        try:
            found = read_own_file(path, public_from, fix=fix)
        except FileNotFoundError:  # removed just now
            continue
        if not name.endswith(f".{found.id}"):
            raise UnusableKey(f"{path} holds the key {found.id}, which is another one", fix=fix)
        yield found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time replace the key."""
    check_folder(folder)
    with _disk(folder):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(folder / f"{KEY_FILE}.lock", flags, 0o600)
    try:
        with _disk(folder):
            os.fchmod(opened, 0o600)
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"the signing key in {folder} cannot be kept: {error.strerror}",
            fix=f"see whether this user may write there, or name a key in {SIGNING_KEY_VARIABLE}",
        ) from error
