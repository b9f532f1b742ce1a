"""Codes of gift cards: made of the card's id under the key ring, typed by people, kept as a hash.

A code can be made again for a mail that has to be sent once more, for as long as the key that it was made under is in
the ring; nothing in the database leads to it.
"""

import hashlib
import uuid

from app.keys import keyring
from app.kit.crypto import hash_token, token_matches
from app.promotions.coupons import ALPHABET

PURPOSE = "gift_card"
CODE_CHARS = 16
"""23^16 codes, 72 bits: a million guesses a second against a million cards find one in a hundred and fifty years."""
GROUP = 4
MAX_TYPED_CHARS = 64
_ALIKE = str.maketrans({"8": "B", "U": "V", " ": None, "-": None, "\t": None})


def new_code(card_id: uuid.UUID) -> str:
    """Of a card that is about to be issued, in groups: `BCDF-GHJK-MNPQ-RTVW`."""
    return _spelled(keyring().derive_token(PURPOSE, card_id))


def code_of(card_id: uuid.UUID, code_hash: bytes) -> str | None:
    """The code of an issued card; None when the key that it was made under has left the ring."""
    codes = (_spelled(token) for token in keyring().derivations(PURPOSE, card_id))
    return next((code for code in codes if token_matches(normalised(code), code_hash)), None)


def normalised(typed: str) -> str:
    """As it is hashed: without spaces and hyphens, in upper case, with what is mistaken for a letter put right."""
    return typed.upper().translate(_ALIKE)


def hash_of(typed: str) -> bytes:
    return hash_token(normalised(typed))


def _spelled(token: str) -> str:
    number = int.from_bytes(hashlib.sha256(token.encode()).digest())
    letters = ""
    for _ in range(CODE_CHARS):
        number, place = divmod(number, len(ALPHABET))
        letters += ALPHABET[place]
    return "-".join(letters[start : start + GROUP] for start in range(0, CODE_CHARS, GROUP))
