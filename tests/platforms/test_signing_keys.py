"""Where the own signing key comes from, and what is refused."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.settings import SIGNING_KEY_VARIABLE
from fleetcast.domain.signing_key import KeySource, PublicKey
from fleetcast.platforms.signing.ed25519 import private_pem, public_pem
from fleetcast.platforms.signing.key_files import UnusableKey
from fleetcast.platforms.signing.keys import open_keys, rotate
from fleetcast.platforms.signing.user_state import user_state
from tests.clocks import FixedClock
from tests.signing import private, public

PEM = private_pem(private(1))
IN_BASE64 = b64encode(bytes([1] * 32))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "home" / "state"


@pytest.fixture
def user(state: Path) -> Mapping[str, str]:
    """A user who has said nothing about keys."""
    return {"XDG_STATE_HOME": str(state)}


@pytest.fixture
def key_file(state: Path) -> Path:
    return state / "fleetcast" / "signing.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(number: int) -> Iterator[None]:
    before = os.umask(number)
    try:
        yield
    finally:
        os.umask(before)


def at_the_same_moment(act: Callable[[], PublicKey]) -> list[PublicKey]:
    """What four threads got."""
    ready = threading.Barrier(4)

    def together(_number: int) -> PublicKey:
        ready.wait()
        return act()

    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(together, range(4)))


def secrets_of(number: int) -> list[str]:
    """The private key in every form that could slip into a text."""
    raw = bytes([number] * 32)
    body = private_pem(private(number)).decode().splitlines()[1]
    return [raw.hex(), b64encode(raw).decode(), body, repr(raw), body[-20:]]


# Given in the environment


@pytest.mark.parametrize("written", [PEM, IN_BASE64, IN_BASE64 + b"\n", b"\n" + PEM + b"\n"])
def test_a_key_in_the_environment_is_taken_as_pem_or_base64(written: bytes, tmp_path: Path) -> None:
    found = open_keys({SIGNING_KEY_VARIABLE: written.decode()})
    assert found.own.public == public(1)
    assert (found.own.source, found.own.place) == (KeySource.VARIABLE, SIGNING_KEY_VARIABLE)
    path = tmp_path / "key"
    path.write_bytes(written)
    path.chmod(0o600)
    found = open_keys({SIGNING_KEY_VARIABLE: f"file:{path}"})
    assert found.own.public == public(1)
    assert (found.own.source, found.own.place) == (KeySource.FILE, str(path))


def _locked() -> bytes:
    return private(1).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"sesame"),
    )


def _of_another_kind() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


WRONG = [
    (b"", "is empty"),
    (b"  \n", "is empty"),
    (b"sesame, open!", "is neither PEM nor base64"),
    ("schlüssel".encode(), "is neither PEM nor base64"),
    (IN_BASE64[:20], "has 15 bytes in base64, not 32"),
    (b64encode(bytes([1] * 64)), "has 64 bytes in base64, not 32"),
    (PEM[:70], "is torn, or no key in PEM"),
    (PEM.replace(b"MC4", b"MC5"), "is torn, or no key in PEM"),
    (public_pem(public(1)), "is a public key: that cannot sign"),
    (_locked(), "is locked with a password"),
    (_of_another_kind(), "is a key of another kind than Ed25519"),
]


@pytest.mark.parametrize(("written", "says"), WRONG)
def test_what_is_no_key_is_one_error_that_names_its_place_and_never_shows_it(
    written: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_bytes(written)
    path.chmod(0o600)
    for environment, place in (
        ({SIGNING_KEY_VARIABLE: written.decode()}, SIGNING_KEY_VARIABLE),
        ({SIGNING_KEY_VARIABLE: f"file:{path}"}, str(path)),
    ):
        with pytest.raises(UnusableKey, match=says) as caught:
            open_keys(environment)
        assert f"the signing key in {place} " in str(caught.value)
        assert caught.value.fix
        shown = f"{caught.value!r} {caught.value.fix} {caught.value.__cause__!r}"
        assert not [secret for secret in secrets_of(1) if secret in shown]
        assert "sesame" not in shown


def test_a_file_that_is_named_and_not_there_is_an_error_and_makes_no_key(
    user: Mapping[str, str], state: Path
) -> None:
    with pytest.raises(BadInput, match="which is not there"):
        open_keys({**user, SIGNING_KEY_VARIABLE: "file:nowhere/key"})
    with pytest.raises(UnusableKey, match="is empty"):
        open_keys({**user, SIGNING_KEY_VARIABLE: ""})
    assert not state.exists()


@pytest.mark.parametrize("number", [0o604, 0o644, 0o620, 0o660, 0o777])
def test_a_named_file_that_anybody_can_read_or_the_group_can_write_is_refused(
    number: int, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_bytes(PEM)
    path.chmod(number)
    with pytest.raises(UnusableKey, match=rf"mode {number:04o}") as caught:
        open_keys({SIGNING_KEY_VARIABLE: f"file:{path}"})
    assert f"chmod 0640 {path}" in caught.value.fix


def test_a_named_file_may_be_a_link_as_mounted_secrets_are(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(PEM)
    path.chmod(0o440)
    (tmp_path / "link").symlink_to(path)
    assert open_keys({SIGNING_KEY_VARIABLE: f"file:{tmp_path / 'link'}"}).own.public == public(1)


def test_a_named_folder_or_pipe_is_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in (".", "pipe"):
        with pytest.raises(UnusableKey, match="is no plain file"):
            open_keys({SIGNING_KEY_VARIABLE: f"file:{tmp_path / name}"})


# Made for this user


@pytest.mark.parametrize("number", [0o000, 0o022, 0o077, 0o277])
def test_the_first_use_makes_a_key_that_its_owner_alone_can_read_whatever_the_umask(
    number: int, user: Mapping[str, str], key_file: Path
) -> None:
    with umask(number):
        made = open_keys(user)
    assert (made.own.source, made.own.place, made.own.earlier) == (KeySource.EMBEDDED, str(key_file), ())
    assert (mode(key_file.parent), mode(key_file)) == (0o700, 0o600)
    assert mode(key_file.parent.parent) == 0o700
    assert [path.name for path in key_file.parent.iterdir()] == ["signing.key"]
    assert open_keys(user).own == made.own


def test_two_users_have_two_keys(tmp_path: Path) -> None:
    one, other = (open_keys({"XDG_STATE_HOME": str(tmp_path / name)}) for name in ("a", "b"))
    assert one.own.public != other.own.public


def test_a_folder_that_is_there_keeps_what_is_in_it(user: Mapping[str, str], key_file: Path) -> None:
    key_file.parent.mkdir(parents=True, mode=0o755)
    (key_file.parent / "else").write_text("something")
    open_keys(user)
    assert (key_file.parent / "else").read_text() == "something"
    assert mode(key_file) == 0o600


def test_the_state_folder_is_the_users_own_unless_the_environment_names_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = tmp_path / ".local" / "state" / "fleetcast"
    assert user_state({}) == expected
    assert user_state({"XDG_STATE_HOME": "relative/is/not/heeded"}) == expected
    assert user_state({"XDG_STATE_HOME": "/elsewhere"}) == Path("/elsewhere/fleetcast")


def test_processes_that_make_the_first_key_at_the_same_moment_have_one_and_the_same(
    user: Mapping[str, str], key_file: Path
) -> None:
    code = (
        "import os, sys; from fleetcast.platforms.signing.keys import open_keys; sys.stdin.read(1);"
        "print(open_keys(os.environ).own.public.base64)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | user,
        )
        for _ in range(4)
    ]
    for process in started:  # all have imported what they need, and wait for this
        assert process.stdin is not None
        process.stdin.write("!")
        process.stdin.flush()
    said = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert said == {open_keys(user).own.public.base64 + "\n"}
    assert [path.name for path in key_file.parent.iterdir()] == ["signing.key"]


def _own(user: Mapping[str, str]) -> PublicKey:
    return open_keys(user).own.public


def test_threads_that_make_the_first_key_at_the_same_moment_have_one_and_the_same(tmp_path: Path) -> None:
    for turn in range(20):
        user = {"XDG_STATE_HOME": str(tmp_path / str(turn))}
        found = at_the_same_moment(partial(_own, user))
        assert set(found) == {open_keys(user).own.public}


@pytest.mark.parametrize("number", [0o640, 0o604, 0o660, 0o602, 0o777])
def test_a_key_that_others_can_read_or_write_is_refused(
    number: int, user: Mapping[str, str], key_file: Path
) -> None:
    open_keys(user)
    key_file.chmod(number)
    with pytest.raises(UnusableKey, match=rf"other users can read or write .*mode {number:04o}") as caught:
        open_keys(user)
    assert f"chmod 0600 {key_file}" in caught.value.fix


def test_a_link_in_place_of_the_key_is_refused(
    user: Mapping[str, str], key_file: Path, tmp_path: Path
) -> None:
    open_keys(user)
    key_file.rename(tmp_path / "elsewhere")
    for target in (tmp_path / "elsewhere", tmp_path / "not there"):
        key_file.unlink(missing_ok=True)
        key_file.symlink_to(target)
        with pytest.raises(UnusableKey, match="is a link"):
            open_keys(user)
    assert not (tmp_path / "not there").exists()


def test_a_folder_that_others_can_write_to_is_refused(user: Mapping[str, str], key_file: Path) -> None:
    open_keys(user)
    key_file.parent.chmod(0o770)
    with pytest.raises(UnusableKey, match="other users can write to") as caught:
        open_keys(user)
    assert caught.value.fix == f"chmod 0700 {key_file.parent}"
    with pytest.raises(UnusableKey, match="other users can write to"):
        rotate(user)


def test_a_link_in_place_of_the_folder_is_refused(user: Mapping[str, str], key_file: Path) -> None:
    open_keys(user)
    key_file.parent.rename(key_file.parent.with_name("moved"))
    key_file.parent.symlink_to(key_file.parent.with_name("moved"))
    with pytest.raises(UnusableKey, match="is a link, or no folder"):
        open_keys(user)


def test_a_torn_key_is_one_error_wherever_it_was_cut_and_is_not_replaced(
    user: Mapping[str, str], key_file: Path
) -> None:
    open_keys(user)
    whole = key_file.read_bytes()
    for length in range(0, len(whole) - 1, 7):
        key_file.write_bytes(whole[:length])
        with pytest.raises(UnusableKey, match=rf"^the signing key in {key_file} is ") as caught:
            open_keys(user)
        assert "bring it back from a backup" in caught.value.fix
        assert key_file.read_bytes() == whole[:length]


def test_a_rotation_that_the_disk_refuses_leaves_the_old_key_signing(
    user: Mapping[str, str], key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_keys(user).own

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="cannot be kept: No space left on device"):
            rotate(user)
    assert open_keys(user).own.public == first.public
    assert not list(key_file.parent.glob("*.partial"))


def test_a_disk_that_refuses_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match="cannot be"):
        open_keys({"XDG_STATE_HOME": str(tmp_path / "file")})


# Replaced


def test_rotating_makes_a_new_key_and_keeps_the_public_part_of_the_old_one(
    user: Mapping[str, str], key_file: Path
) -> None:
    first = open_keys(user).own.public
    secret = key_file.read_bytes()
    replaced, second = rotate(user)
    assert replaced == first
    assert second.own.earlier == (first,)
    assert second.own == open_keys(user).own
    replaced, third = rotate(user)
    assert replaced == second.own.public
    assert set(third.own.earlier) == {first, replaced}
    names = {"signing.key", "signing.key.lock", f"signing.key.{first.id}", f"signing.key.{replaced.id}"}
    files = list(key_file.parent.iterdir())
    assert {path.name for path in files} == names
    assert {mode(path) for path in files} == {0o600}
    assert not [path for path in files if path.read_bytes() == secret]


def test_what_is_given_or_not_there_yet_is_not_replaced(user: Mapping[str, str], state: Path) -> None:
    with pytest.raises(BadInput, match="there is no key to replace yet"):
        rotate(user)
    with pytest.raises(BadInput, match="is not fleetcast's to replace") as caught:
        rotate({**user, SIGNING_KEY_VARIABLE: PEM.decode()})
    assert "signing.trusted" in caught.value.fix
    assert not state.exists()
    (state / "fleetcast").mkdir(parents=True, mode=0o700)
    with pytest.raises(BadInput, match="there is no key to replace yet"):
        rotate(user)


def test_rotations_at_the_same_moment_lose_no_key(user: Mapping[str, str]) -> None:
    first = open_keys(user).own.public
    made = at_the_same_moment(lambda: rotate(user)[1].own.public)
    own = open_keys(user).own
    assert len(set(made)) == 4
    assert {own.public, *own.earlier} == {first, *made}


def test_a_rotation_that_was_cut_short_leaves_the_old_key_signing(
    user: Mapping[str, str], key_file: Path
) -> None:
    first = open_keys(user).own
    (key_file.parent / f"signing.key.{first.public.id}").touch(mode=0o600)
    (key_file.parent / f"signing.key.{first.public.id}").write_bytes(public_pem(first.public))
    assert open_keys(user).own == first
    assert rotate(user)[1].own.earlier == (first.public,)


def test_an_earlier_key_that_is_torn_or_under_a_wrong_name_is_one_error(
    user: Mapping[str, str], key_file: Path
) -> None:
    first = open_keys(user).own.public
    rotate(user)
    kept = key_file.with_name(f"signing.key.{first.id}")
    kept.write_bytes(public_pem(public(9)))
    with pytest.raises(UnusableKey, match=f"holds the key {public(9).id}, which is another one"):
        open_keys(user)
    kept.write_bytes(b"-----BEGIN")
    with pytest.raises(UnusableKey, match="is torn, or no public key in PEM") as caught:
        open_keys(user)
    assert f"remove {kept}" in caught.value.fix


# Never shown


def test_nothing_that_can_be_printed_holds_the_private_key() -> None:
    opened = open_keys({SIGNING_KEY_VARIABLE: PEM.decode()})
    signer = opened.signer(FixedClock())
    signature = signer.sign(b"a message")
    printed = f"{opened!r} {opened} {signer!r} {signer} {opened.own!r} {signature!r} {opened.trusted(())!r}"
    assert not [secret for secret in secrets_of(1) if secret in printed]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_key_of_another_user_is_refused(user: Mapping[str, str], key_file: Path) -> None:
    open_keys(user)
    os.chown(key_file, 65_534, 65_534)
    with pytest.raises(FleetcastError, match=r"belongs to another user \(uid 65534\)"):
        open_keys(user)
