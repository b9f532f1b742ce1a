"""Passwords: argon2id off the event loop, as slow for an unknown address as for a known one.

A hash takes some 50 ms of a processor and 64 MiB of memory, so only a few are worked on at once, whoever asks for how
many: the others wait their turn, and the event loop serves everybody else meanwhile.
"""

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import CommonErrorCode, DomainError

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 256
AT_ONCE = 2
"""Hashes that one process works on; each uses several cores by itself."""

T = TypeVar("T")

_hasher = PasswordHasher()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")


@cache
def _decoy() -> str:
    return _hasher.hash("nobody has this password")


async def hash_password(password: str) -> str:
    return await _in_thread(lambda: _hasher.hash(_bytes(password)))


async def password_matches(stored: str | None, password: str) -> bool:
    """With `stored` None (no such user) it does the same work, and answers False."""

    def verify() -> bool:
        try:
            _hasher.verify(stored or _decoy(), _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    return await _in_thread(verify)


def needs_rehash(stored: str) -> bool:
    """Whether it was made with weaker parameters than those of today."""
    return _hasher.check_needs_rehash(stored)


def check_new(password: str, *, email: str, field: Sequence[str | int]) -> None:
    """Raises DomainError(INVALID) for a password that nobody should choose: 10 to 256 characters, not the own email.

    Length is what counts (NIST SP 800-63B, section 5.1.1.2): no digits or signs are asked for.
    """
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        message = f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters."
        raise DomainError(CommonErrorCode.INVALID, message, field)
    if password.strip().casefold() == email.strip().casefold():
        raise DomainError(CommonErrorCode.INVALID, "The email address is no password.", field)


def _bytes(password: str) -> bytes:
    """One spelling of what may be typed in several (ü as one character or two), cut to what is ever hashed."""
    text = unicodedata.normalize("NFC", password[:MAX_PASSWORD_CHARS])
    return text.encode("utf-8", "surrogatepass")


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads(), work)
