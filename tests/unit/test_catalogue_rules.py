"""Slugs, and products moved about."""

import pytest

from app.catalogue.rules import MAX_SLUG_CHARS, moved, slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Café “Noir”, 250 g", "cafe-noir-250-g"),
        ("  Straße__Nr. 5 ", "strasse-nr-5"),
        ("ガラス 瓶", "ガラス-瓶"),
        ("!!!", ""),
        ("-a-", "a"),
    ],
)
def test_a_slug_is_made_from_letters_and_digits(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_a_long_name_leaves_room_for_a_number() -> None:
    assert len(slug_of("word " * 100)) <= MAX_SLUG_CHARS - 10
    assert not slug_of("word " * 100).endswith("-")


@pytest.mark.parametrize(
    ("moves", "result"),
    [
        ([], "abcd"),
        ([("d", 1)], "dabc"),
        ([("a", 2)], "bacd"),
        ([("a", 99)], "bcda"),
        ([("d", 1), ("a", 1)], "adbc"),
        ([("b", 2)], "abcd"),
    ],
)
def test_moves_take_effect_one_after_the_other(moves: list[tuple[str, int]], result: str) -> None:
    assert moved("abcd", moves) == list(result)
