"""The process's key ring."""

from functools import lru_cache

from app.kit.crypto import KeyRing
from app.settings import get_settings


@lru_cache
def keyring() -> KeyRing:
    return KeyRing(get_settings().secret_keys)
