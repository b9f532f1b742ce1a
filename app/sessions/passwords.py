"""Passwords: argon2id, off the event loop, as slow for an unknown address as for a known one."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 256

_hasher = PasswordHasher()


@cache
def _decoy() -> str:
    return _hasher.hash("nobody has this password")


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password)


async def password_matches(stored: str | None, password: str) -> bool:
    """With `stored` None (no such user) it does the same work, and answers False."""

    def verify() -> bool:
        try:
            _hasher.verify(stored or _decoy(), password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    return await asyncio.to_thread(verify)


def needs_rehash(stored: str) -> bool:
    return _hasher.check_needs_rehash(stored)
