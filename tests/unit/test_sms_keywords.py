"""What the words of a reply mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messaging.sms_rules import SmsKeyword, keyword

STOPS = ["STOP", "STOPALL", "QUIT", "END", "REVOKE", "OPT OUT", "OPTOUT", "CANCEL", "UNSUBSCRIBE"]
NOISE = st.text(alphabet=" \t\n.,!?*'\"()-_;:…", max_size=4)


@given(st.sampled_from(STOPS), st.data(), NOISE, NOISE)
def test_case_and_punctuation_do_not_matter(word: str, data: st.DataObject, before: str, after: str) -> None:
    spelt = "".join(letter.lower() if data.draw(st.booleans()) else letter for letter in word)
    assert keyword(before + spelt + after) is SmsKeyword.STOP


@given(st.sampled_from(STOPS), st.sampled_from(["please {}", "{} please", "pls {} now", "{} thanks", "{} texting me"]))
def test_inside_short_phrases(word: str, phrase: str) -> None:
    assert keyword(phrase.format(word.lower())) is SmsKeyword.STOP


@pytest.mark.parametrize(
    "text",
    [
        "",
        "👍",
        "12345",
        "Is this still on sale until the end of the week or not?",
        "I want to cancel my order",
        "cancel my order",
        "the weekend",
        "don't stop",
        "please do not stop",
        "Can I stop by the shop tomorrow to pick up my parcel?",
        "I need help with the size of the blue one please",
        "yes I would like the blue one",
        "let us start over with the address",
        "stopper",
    ],
)
def test_anything_else_is_for_people_to_read(text: str) -> None:
    assert keyword(text) is None


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("help", SmsKeyword.HELP),
        ("INFO!", SmsKeyword.HELP),
        ("I need help", SmsKeyword.HELP),
        ("unstop", SmsKeyword.START),
        ("Start.", SmsKeyword.START),
        ("Sí", SmsKeyword.YES),
        ("yes please", SmsKeyword.YES),
        ("help, stop", SmsKeyword.STOP),
        ("stop yes", SmsKeyword.STOP),
    ],
)
def test_keywords(text: str, meaning: SmsKeyword) -> None:
    assert keyword(text) is meaning


@given(st.text(max_size=400))
def test_any_text_has_a_meaning_or_none(text: str) -> None:
    assert keyword(text) in (*SmsKeyword, None)
