"""Single cells: text in, a value out, or ValueError with a sentence for the person who wrote the cell."""

import re
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import urlsplit

import orjson

from app.catalogue.rules import is_slug
from app.kit.money import MAX_AMOUNT_MINOR, exponent

KINDS = ("PHYSICAL", "DIGITAL", "SERVICE", "GIFT_CARD")
MAX_QUANTITY = 2_000_000_000
MAX_WEIGHT_GRAMS = 100_000_000
MAX_URL_CHARACTERS = 2048

_TRUE = frozenset({"true", "yes", "1", "wahr", "vrai", "verdadero"})
_FALSE = frozenset({"false", "no", "0", "falsch", "faux", "falso"})
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_PLAIN = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE]\+?\d{1,2})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"\d+(?:\.\d{3})*,\d{1,2}", re.ASCII)
# A backslash means something before a comma or another backslash alone.
_PARTS = re.compile(r"(?:\\[\\,]|[^,])+")
_ESCAPED = re.compile(r"\\([\\,])")
_TO_ESCAPE = re.compile(r"([\\,])")
_IMAGE_SIZE = re.compile(r"(\d{1,6})?x(\d{1,6})?", re.ASCII)
_NOT_IN_HANDLE = re.compile(r"[^\w]+|_+")


def price_minor(text: str, currency: str) -> int:
    """Minor units of `50`, `69.99` or `1,299.00`. What could mean two amounts is refused, never guessed."""
    if _DECIMAL_COMMA.fullmatch(text):
        raise ValueError(f"“{text}” has a decimal comma; write it with a point, such as 1299.90")
    digits = exponent(currency)
    if text.startswith("-"):
        raise ValueError(f"“{text}” is negative")
    if _GROUPED.fullmatch(text):
        if "." not in text and digits == 3:
            raise ValueError(f"“{text}” could mean thousands or a decimal comma; write it without commas")
        number = text.replace(",", "")
    elif _PLAIN.fullmatch(text):
        number = text
    else:
        raise ValueError(f"“{text[:40]}” is not a price; write the number alone, such as 1299.90")
    fraction = number.partition(".")[2]
    if len(fraction) > max(digits, 2) or (len(fraction) > digits and fraction.strip("0")):
        raise ValueError(f"“{text[:40]}” has more digits after the point than {currency} ({digits})")
    minor = int(Decimal(number).scaleb(digits))
    if minor > MAX_AMOUNT_MINOR:
        raise ValueError(f"“{text[:40]}” is larger than is possible")
    return minor


def grams(text: str) -> int:
    """Whole grams of `0`, `0.0` or `4.1`; what weighs anything weighs at least one."""
    number = _number(text, "a weight in grams")
    if number < 0:
        raise ValueError(f"“{text[:40]}” is negative")
    if number > MAX_WEIGHT_GRAMS:
        raise ValueError(f"“{text[:40]}” is more than {MAX_WEIGHT_GRAMS // 1_000_000} tonnes")
    rounded = int(number.quantize(Decimal(1)))
    return max(rounded, 1) if number else 0


def quantity(text: str) -> int:
    """A whole number; below zero, as Shopify writes what it has oversold, there is nothing left."""
    number = _number(text, "a whole number")
    if number != number.to_integral_value():
        raise ValueError(f"“{text[:40]}” is not a whole number")
    if abs(number) > MAX_QUANTITY:
        raise ValueError(f"“{text[:40]}” is larger than is possible")
    return max(int(number), 0)


def position(text: str) -> int:
    number = _number(text, "a position")
    if number != number.to_integral_value() or not 1 <= number <= 100_000:
        raise ValueError(f"“{text[:40]}” is not a position from 1 on")
    return int(number)


def _number(text: str, what: str) -> Decimal:
    # Spreadsheets turn long numbers into 1.5E+03.
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"“{text[:40]}” is not {what}")
    return Decimal(text)


def boolean(text: str) -> bool:
    """TRUE and FALSE, also as spreadsheets in German, French and Spanish write them."""
    lowered = text.casefold()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError(f"“{text[:40]}” is neither TRUE nor FALSE")


def continues_selling(text: str) -> bool:
    """`continue` or `deny`; newer files have TRUE and FALSE in this column."""
    lowered = text.casefold()
    if lowered in ("continue", "deny"):
        return lowered == "continue"
    try:
        return boolean(text)
    except ValueError:
        raise ValueError(f"“{text[:40]}” is neither continue nor deny") from None


def handle(text: str) -> str:
    """The address of a product: lower case, words joined by hyphens, letters of any script.

    What is an address already stays as it is, with the points and underscores that staff may give one.
    """
    if any(character in text for character in '<>"\n\r,'):
        raise ValueError(f"“{text[:40]}” is not a handle; a quotation mark or comma before it may be misplaced")
    if is_slug(text):
        return text
    slug = _NOT_IN_HANDLE.sub("-", text.casefold()).strip("-")
    if not slug:
        raise ValueError(f"“{text[:40]}” is not a handle; letters, digits and hyphens are")
    return slug


def tags(text: str) -> list[str]:
    """Comma-separated, each once, in the file's order. A comma within a tag has a backslash before it."""
    seen: dict[str, str] = {}
    for part in _PARTS.findall(text):
        tag = " ".join(_ESCAPED.sub(r"\1", part).split())
        if tag:
            seen.setdefault(tag.casefold(), tag)
    return list(seen.values())


def joined(parts: Iterable[str]) -> str:
    """What `tags` reads again."""
    return ", ".join(_TO_ESCAPE.sub(r"\\\1", part) for part in parts)


def sku(text: str) -> str:
    """Without the apostrophe by which spreadsheets keep a number from losing its zeros, or from being a formula."""
    return text.removeprefix("'").strip()


def kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"“{text[:40]}” is none of {', '.join(KINDS)}")
    return text


def image_size(text: str) -> tuple[int | None, int | None]:
    """Width and height in pixels, of `800x600`; either may be missing."""
    match = _IMAGE_SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text[:40]}” is not a size such as 800x600")
    width, height = (int(side) if side else None for side in match.groups())
    return width, height


def json_object(text: str) -> dict[str, object]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or "\\u0000" in text:
        raise ValueError("the text is not a JSON object")
    return value


def image_url(text: str) -> str:
    """An http(s) address, or a path on this server (`/media/…`)."""
    if len(text) > MAX_URL_CHARACTERS:
        raise ValueError(f"the address is longer than {MAX_URL_CHARACTERS} characters")
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    remote = parts.scheme in ("http", "https") and parts.netloc
    local = text.startswith("/") and not text.startswith("//")
    if not (remote or local) or text.split() != [text]:
        raise ValueError(f"“{text[:60]}” is not an http or https address")
    return text
