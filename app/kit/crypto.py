"""Tokens and signatures under a ring of keys: the first key signs, every key in the ring verifies."""

import base64
import hashlib
import hmac
import uuid

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import BadData, URLSafeSerializer


class KeyRing:
    """`keys` newest first. Rotating means putting a new key in front and dropping the last when its promises ended."""

    def __init__(self, keys: list[str]) -> None:
        if not keys:
            raise ValueError("a key ring needs a key")
        self._keys = keys
        self._serializers: dict[str, URLSafeSerializer] = {}
        """By purpose: the program's own few."""

    def derive_token(self, purpose: str, subject: uuid.UUID) -> str:
        """A 128-bit secret of one object, made again at will and stored only as a hash (see `hash_token`)."""
        return self._derive(self._keys[0], purpose, subject)

    def derivations(self, purpose: str, subject: uuid.UUID) -> list[str]:
        """The token under every key, newest first: to find the one whose hash was stored before a rotation."""
        return [self._derive(key, purpose, subject) for key in self._keys]

    @staticmethod
    def _derive(key: str, purpose: str, subject: uuid.UUID) -> str:
        digest = hmac.digest(key.encode(), f"token:{purpose}:".encode() + subject.bytes, "sha256")
        return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()

    def sign(self, purpose: str, payload: object) -> str:
        """URL-safe text that carries the JSON payload in clear and cannot be altered."""
        return self._serializer(purpose).dumps(payload)

    def unsign(self, purpose: str, text: str) -> object | None:
        """The payload, or None for anything that was not signed here for this purpose."""
        try:
            payload: object = self._serializer(purpose).loads(text)
        except BadData:
            return None
        return payload

    def encrypt(self, purpose: str, content: bytes) -> bytes:
        """For what has to be read again; the newest key encrypts."""
        return self._fernet(purpose).encrypt(content)

    def decrypt(self, purpose: str, stored: bytes) -> bytes | None:
        """None when the key that it was encrypted under has left the ring, or it was for another purpose."""
        try:
            return self._fernet(purpose).decrypt(stored)
        except InvalidToken:
            return None

    def _fernet(self, purpose: str) -> MultiFernet:
        keys = [hmac.digest(key.encode(), f"encryption:{purpose}".encode(), "sha256") for key in self._keys]
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        if (serializer := self._serializers.get(purpose)) is None:
            self._serializers[purpose] = serializer = URLSafeSerializer(
                list(reversed(self._keys)),
                salt=f"tradewind.{purpose}",
                signer_kwargs={"digest_method": hashlib.sha256},
            )
        return serializer


def hash_token(token: str) -> bytes:
    """How secrets of high entropy are stored: plain SHA-256 (a password would need argon2)."""
    return hashlib.sha256(token.encode()).digest()


def token_matches(token: str, stored: bytes) -> bool:
    return hmac.compare_digest(hash_token(token), stored)
