"""What a product has to be, however it came in: through the API, an import or a test.

Truths about the rows, which every writer keeps and every reader relies on:

- `product_options.position`, `product_images.position` and `product_variants.position` count from 1;
  `collection_products.position` only gives an order.
- A variant's `option_values` hold one value for each of the product's options, in the options' order, spelled as in
  `product_options.values`. No two variants of a product have the same ones.
- Its `name` is those values joined by " / ". A product without options has exactly one variant, whose `option_values`
  are empty and whose name is the product's.
- `products.min_price_minor` and `max_price_minor` are the range over the variants that are not removed.
- A variant that leaves its product stays as a row with `removed_at` set, since carts, holds and orders name it. It is
  not sold, counted or listed any more; adding the same option values again brings it back under its old id.
- `track_inventory` false: nothing is counted, any quantity can be had. `inventory_policy` CONTINUE: it is counted, and
  can be had beyond what is there. Only ACTIVE products are on sale.
- `description_html` is sanitised, `description` is what a reader sees of it.
- Writers lock a product's row (FOR NO KEY UPDATE), several in the order of their ids, before they change what hangs
  off it.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

MAX_VARIANTS = 2048
MAX_OPTIONS = 3
MAX_IMAGES = 250
MAX_TAGS = 250
MAX_SLUG_CHARS = 255

_SLUG = re.compile(r"[^\W_]+(?:[-_.][^\W_]+)*")
_NOT_IN_SLUGS = re.compile(r"[\W_]+")
_LATIN_ACCENTS = re.compile(r"[\u0300-\u036f]")
_ROOM_FOR_NUMBER = 20


def is_slug(text: str) -> bool:
    """Small letters and digits of any script, in words that - or _ or . join."""
    return text == text.lower() and _SLUG.fullmatch(text) is not None


def slug_of(name: str) -> str:
    """A slug made from a name: "Café Noir, 250 g" becomes "cafe-noir-250-g". Scripts other than Latin stay.

    Empty for a name of signs alone.
    """
    plain = _LATIN_ACCENTS.sub("", unicodedata.normalize("NFKD", name.casefold()))
    slug = _NOT_IN_SLUGS.sub("-", unicodedata.normalize("NFC", plain)).strip("-")
    return slug[: MAX_SLUG_CHARS - _ROOM_FOR_NUMBER].strip("-")


def moved(order: Sequence[T], moves: Sequence[tuple[T, int]]) -> list[T]:
    """The order after each of `moves` in turn: what is taken out, and the place from 1 on that it gets.

    A place beyond the end is the end.
    """
    result = list(order)
    for item, place in moves:
        result.remove(item)
        result.insert(place - 1, item)
    return result
