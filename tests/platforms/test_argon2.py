"""Hashes of passwords: slow on purpose, salted, and as slow where there is none."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from fleetcast.platforms.passwords.argon2 import SECOND_RECOMMENDED, Argon2Passwords, Work
from tests.passwords import GOOD, LIGHT, WRONG, light_passwords


def test_a_password_fits_its_own_hashes_and_no_other() -> None:
    passwords = light_passwords()
    first, second = passwords.hashed(GOOD), passwords.hashed(GOOD)
    assert first != second
    assert GOOD not in first
    for kept in (first, second):
        assert passwords.fits(GOOD, kept)
        assert not passwords.fits(WRONG, kept)


def test_new_hashes_are_made_as_rfc_9106_recommends_where_memory_is_scarce() -> None:
    made = extract_parameters(Argon2Passwords().hashed(GOOD))
    assert made.type is Type.ID
    assert (made.time_cost, made.memory_cost, made.parallelism) == (3, 65_536, 4)
    assert (made.salt_len, made.hash_len) == (16, 32)
    assert SECOND_RECOMMENDED.memory_kib == made.memory_cost


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "nonsense",
        "$argon2id$v=19$m=8,t=1,p=1$",
        "$argon2id$v=19$m=8,t=1,p=1$!!!!$????",
        "$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
        "$argon2id$v=19$m=8,t=99999999,p=1$c29tZXNhbHQ$iWh06vD8Fy27wf9npn6FXWiCX4K6pW6Ue1Bnzz07Z8A",
    ],
)
def test_nothing_fits_where_there_is_no_hash_that_can_be_read(kept: str | None) -> None:
    passwords = light_passwords()
    for typed in (GOOD, "", None):
        assert not passwords.fits(typed, kept)


def test_no_password_fits_nothing() -> None:
    passwords = light_passwords()
    assert not passwords.fits(None, passwords.hashed(""))


def test_a_hash_is_outdated_when_new_ones_take_more_work() -> None:
    light, heavier = light_passwords(), Argon2Passwords(Work(passes=2, memory_kib=64, lanes=1))
    kept = light.hashed(GOOD)
    assert not light.outdated(kept)
    assert heavier.outdated(kept)
    assert heavier.fits(GOOD, kept)
    assert not light.outdated(heavier.hashed(GOOD))
    assert light.outdated(kept.replace("argon2id", "argon2i"))


def worked(act: Callable[[], object]) -> float:
    """The least time on processors that something took, of several tries; waiting for others is not in it."""
    spent = []
    for _ in range(5):
        before = time.process_time()
        act()
        spent.append(time.process_time() - before)
    return min(spent)


def test_a_name_without_an_account_takes_as_much_work_as_a_wrong_password() -> None:
    passwords = Argon2Passwords(Work(passes=3, memory_kib=8 * 1024, lanes=1))
    kept = passwords.hashed(GOOD)
    wrong = worked(lambda: passwords.fits(WRONG, kept))
    for nothing in (
        lambda: passwords.fits(WRONG, None),
        lambda: passwords.fits(None, kept),
        lambda: passwords.fits(WRONG, "damaged"),
    ):
        assert 0.5 < worked(nothing) / wrong < 2


def test_the_work_of_tests_is_light() -> None:
    assert LIGHT.memory_kib < SECOND_RECOMMENDED.memory_kib
