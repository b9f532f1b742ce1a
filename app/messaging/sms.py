"""How long a text message is, in the segments that carriers count and bill.

Source: 3GPP TS 23.038 (alphabets) and 23.040 (concatenation). A message whose characters are all in the GSM 7-bit
alphabet has 160 septets, or 153 in each part of a longer one; any other character makes the whole message UCS-2, with
70 or 67 code units of 16 bits.
"""

from dataclasses import dataclass
from enum import StrEnum

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Two septets each: an escape and the character, never parted between segments."""

_SIZES = {"GSM_7": (160, 153), "UCS_2": (70, 67)}


class SmsEncoding(StrEnum):
    GSM_7 = "GSM_7"
    UCS_2 = "UCS_2"


@dataclass(frozen=True, slots=True)
class SmsLength:
    encoding: SmsEncoding
    units: int
    """Septets of GSM-7, or 16-bit units of UCS-2."""
    segments: int


def sms_length(text: str) -> SmsLength:
    """Encoding, size and number of segments of a text. An empty text has one segment."""
    if all(character in _GSM_BASIC or character in _GSM_EXTENDED for character in text):
        encoding = SmsEncoding.GSM_7
        widths = [2 if character in _GSM_EXTENDED else 1 for character in text]
    else:
        encoding = SmsEncoding.UCS_2
        widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    units = sum(widths)
    alone, part = _SIZES[encoding]
    return SmsLength(encoding, units, 1 if units <= alone else _parts(widths, part))


def _parts(widths: list[int], capacity: int) -> int:
    """Segments needed when a character of two units may not be parted."""
    parts, used = 1, 0
    for width in widths:
        if used + width > capacity:
            parts, used = parts + 1, 0
        used += width
    return parts
