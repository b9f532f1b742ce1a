"""Keys and values of the storefront's own, such as an engraving: kept and shown, never interpreted."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from app.errors import CommonErrorCode, DomainError
from app.kit.text import check_text

MAX_ATTRIBUTES = 25
MAX_KEY_CHARS = 100
MAX_VALUE_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Attribute:
    key: str
    value: str

    def as_json(self) -> dict[str, str]:
        return {"key": self.key, "value": self.value}


def check_attributes(attributes: Sequence[Attribute], field: Sequence[str | int]) -> list[DomainError]:
    """What is wrong with them: TOO_MANY, REQUIRED for an empty key, INVALID for a key given twice, TOO_LONG."""
    if len(attributes) > MAX_ATTRIBUTES:
        return [DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_ATTRIBUTES} attributes.", field)]
    errors: list[DomainError | None] = []
    keys: set[str] = set()
    for index, attribute in enumerate(attributes):
        if not attribute.key.strip():
            errors.append(DomainError(CommonErrorCode.REQUIRED, "An attribute needs a key.", [*field, index, "key"]))
        elif attribute.key in keys:
            errors.append(DomainError(CommonErrorCode.INVALID, "This key is given twice.", [*field, index, "key"]))
        keys.add(attribute.key)
        errors.append(check_text(attribute.key, MAX_KEY_CHARS, [*field, index, "key"]))
        errors.append(check_text(attribute.value, MAX_VALUE_CHARS, [*field, index, "value"]))
    return [error for error in errors if error]


def attributes_key(attributes: Sequence[Attribute], customized: str = "", gift: str = "") -> str:
    """The same for the same attributes in any order; empty where there are none.

    Args:
        customized: `customizations_key` of the same line, which tells lines apart as well.
        gift: `GiftOptions.key` of the same line, likewise.
    """
    if not attributes and not gift:
        return customized
    pairs = sorted((attribute.key, attribute.value) for attribute in attributes)
    if gift:
        return hashlib.sha256(orjson.dumps({"attributes": pairs, "customized": customized, "gift": gift})).hexdigest()
    return hashlib.sha256(orjson.dumps([*pairs, customized] if customized else pairs)).hexdigest()
