"""Keys of other systems: encrypted under the key ring, never shown again."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.settings import get_settings


def _fernet() -> MultiFernet:
    """The newest key encrypts, every key of the ring decrypts."""
    keys = [hmac.digest(key.encode(), b"crm-credentials", hashlib.sha256) for key in get_settings().secret_keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])


def encrypt(api_key: str) -> bytes:
    return _fernet().encrypt(api_key.encode())


def decrypt(stored: bytes) -> str | None:
    """None when the key that it was encrypted under has left the ring: staff have to enter it again."""
    try:
        return _fernet().decrypt(stored).decode()
    except InvalidToken:
        return None
