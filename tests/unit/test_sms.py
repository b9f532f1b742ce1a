"""Segments of a text message, as carriers bill them."""

import pytest

from app.messaging.sms import SmsEncoding, sms_length


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", SmsEncoding.GSM_7, 0, 1),
        ("a" * 160, SmsEncoding.GSM_7, 160, 1),
        ("a" * 161, SmsEncoding.GSM_7, 161, 2),
        ("a" * 306, SmsEncoding.GSM_7, 306, 2),
        ("a" * 307, SmsEncoding.GSM_7, 307, 3),
        ("Zoë pays 5 £, à demain, straße, ΔΩ", SmsEncoding.UCS_2, 34, 1),
        ("Øre £5 à demain, straße, ΔΩ", SmsEncoding.GSM_7, 27, 1),
        ("€" * 80, SmsEncoding.GSM_7, 160, 1),
        ("€" * 80 + "a", SmsEncoding.GSM_7, 161, 2),
        ("ё" * 70, SmsEncoding.UCS_2, 70, 1),
        ("ё" * 71, SmsEncoding.UCS_2, 71, 2),
        ("📦" * 35, SmsEncoding.UCS_2, 70, 1),
        ("ё" * 134, SmsEncoding.UCS_2, 134, 2),
    ],
)
def test_length_in_the_units_and_segments_of_its_alphabet(
    text: str, encoding: SmsEncoding, units: int, segments: int
) -> None:
    length = sms_length(text)
    assert (length.encoding, length.units, length.segments) == (encoding, units, segments)


def test_a_character_of_two_units_is_not_parted_between_segments() -> None:
    # 152 septets, then an escaped character that no longer fits: the first part stays one short.
    assert sms_length("a" * 152 + "€" + "a" * 151).segments == 2
    assert sms_length("a" * 152 + "€" + "a" * 152).segments == 3
    # 66 units, then a surrogate pair: 67 are not enough for it.
    assert sms_length("ё" * 66 + "📦" + "ё" * 65).segments == 2
    assert sms_length("ё" * 66 + "📦" + "ё" * 66).segments == 3
