"""Passwords for tests, and hashes that cost little."""

from __future__ import annotations

from fleetcast.platforms.passwords.argon2 import Argon2Passwords, Work

GOOD = "correct horse battery"
OTHER = "staple of the century"
WRONG = "incorrect horse battery"
LIGHT = Work(passes=1, memory_kib=8, lanes=1)


def light_passwords() -> Argon2Passwords:
    """As a server's, with next to no work."""
    return Argon2Passwords(LIGHT)
