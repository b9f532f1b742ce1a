"""A product file of the size and the untidiness that real shops have. The same seed makes the same file.

python -m benchmarks.catalogue.generating products.csv --variants 50000
"""

import argparse
import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MARKETS = ("Australia", "International", "United Kingdom")
METAFIELDS = (
    "Fabric (product.metafields.custom.fabric)",
    "Care (product.metafields.custom.care)",
    "Origin (product.metafields.custom.country_of_origin)",
    "Season (product.metafields.shop.season)",
)
GOOGLE = ("Google Product Category", "Gender", "Age Group", "MPN", "Condition", "Custom Label 0")
COLUMNS = (
    *("Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published"),
    *("Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value"),
    *("Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty"),
    *("Variant Inventory Policy", "Variant Fulfillment Service", "Variant Price", "Variant Compare At Price"),
    *("Variant Requires Shipping", "Variant Taxable", "Variant Barcode", "Image Src", "Image Position"),
    *("Image Alt Text", "Gift Card", "SEO Title", "SEO Description"),
    *(f"Google Shopping / {name}" for name in GOOGLE),
    *METAFIELDS,
    *("Variant Image", "Variant Weight Unit", "Variant Tax Code", "Cost per item"),
    *(f"{group} / {market}" for market in MARKETS for group in ("Included", "Price", "Compare At Price")),
    *("Collection", "Status"),
)

_ADJECTIVES = "Copper Oak Linen Storm Harbour Quiet Amber Field Élan Grüne Señora Łagodny 青い Тёплый".split()  # noqa: SIM905
_NOUNS = "Kettle Lantern Blanket Chair Satchel Mug Book Jacket Lamp Bowl Knife Tray Frühstücksbrett 茶碗 Плед".split()  # noqa: SIM905
_WORDS = (  # noqa: SIM905
    "made by hand from what the valley gives and meant to last it is washed twice before it leaves the workshop "
    "für jeden Tag geeignet très agréable au toucher з любов'ю 丈夫で軽い the colour deepens with the years"
).split()
_TAGS = "new home sale gift summer winter outdoor kitchen office kids handmade été «coup de cœur» 贈り物".split()  # noqa: SIM905
_TYPES = ("Kitchen", "Furniture", "Clothing", "Lighting", "Books", "Jewellery", "Outdoor & Garden", "")
_COLLECTIONS = ("Kitchen & Table", "Living", "To wear", "Café", "Outdoors", "Last chance")
_OPTIONS = (
    ("Size", ("XS", "S", "M", "L", "XL")),
    ("Colour", ("Navy", "Moss", "Écru", "Rost", "白", "Sand", "Kohle", "Plum", "Sky", "Ink")),
    ("Material", ("Cotton", "Wool")),
)
_TABLE = (
    '<table style="width: 100%; border-collapse: collapse;" data-mce-style="width: 100%;" border="1"><tbody><tr>'
    '<td style="width: 50%;" data-mce-fragment="1">Weight</td><td>{grams}&nbsp;g</td></tr><tr><td>Care</td>'
    "<td>cold\nhand wash</td></tr></tbody></table>"
)
_LONG_BODY_EVERY = 1500
_LONG_BODY_CHARACTERS = 60_000


@dataclass(frozen=True, slots=True)
class Made:
    products: int
    variants: int
    rows: int
    """Without the header."""


def write(target: TextIO, *, variants: int, seed: int = 20261122, body_words: tuple[int, int] = (25, 220)) -> Made:
    """Products with 1 to 100 variants, about four on average, until there are so many variants."""
    chance = random.Random(seed)
    writer = csv.DictWriter(target, COLUMNS, restval="")
    writer.writeheader()
    products = rows = made = 0
    while made < variants:
        products += 1
        count = min(_variant_count(chance), variants - made)
        made += count
        for row in _product(chance, products, count, body_words):
            writer.writerow(row)
            rows += 1
    return Made(products, made, rows)


def _variant_count(chance: random.Random) -> int:
    (lowest, highest), *_ = chance.choices(((1, 1), (2, 6), (7, 24), (25, 100)), weights=(52, 36, 10, 2))
    return chance.randint(lowest, highest)


def _product(chance: random.Random, number: int, count: int, body_words: tuple[int, int]) -> Iterator[dict[str, str]]:
    name = f"{chance.choice(_ADJECTIVES)} {chance.choice(_NOUNS)} {number}"
    handle = f"{'-'.join(name.lower().split())}"
    images = [
        f"https://cdn.shop.example/files/{number:06}-{n}.jpg?v=17{number:08}" for n in range(chance.randint(1, 7))
    ]
    price = chance.randint(190, 129_900)
    forms = _forms(count)
    first = _of_product(chance, number, name, body_words)
    for index, values in enumerate(forms):
        row = {"Handle": handle, **(first if index == 0 else {}), **_of_variant(chance, number, index, price)}
        for place, value in enumerate(values):
            row[f"Option{place + 1} Value"] = value
            if index == 0:
                row[f"Option{place + 1} Name"] = _OPTIONS[place][0] if count > 1 else "Title"
        if count > 1:
            row["Variant Image"] = images[index % len(images)] if chance.random() < 0.5 else ""
        if index < len(images):
            row |= _image(images, index, name)
        yield row
    for index in range(len(forms), len(images)):
        yield {"Handle": handle, **_image(images, index, name)}


def _forms(count: int) -> Sequence[tuple[str, ...]]:
    if count == 1:
        return [("Default Title",)]
    sizes, colours, materials = (values for _, values in _OPTIONS)
    if count <= len(sizes):
        return [(size,) for size in sizes[:count]]
    if count <= len(sizes) * len(colours):
        return [(size, colour) for colour in colours for size in sizes][:count]
    return [(size, colour, stuff) for stuff in materials for colour in colours for size in sizes][:count]


def _of_product(chance: random.Random, number: int, name: str, body_words: tuple[int, int]) -> dict[str, str]:
    row = {
        "Title": name,
        "Body (HTML)": _body(chance, number, body_words),
        "Vendor": chance.choice(("Tradewind", "Maison Œuvre", "O'Neill & Sons", "株式会社 風")),
        "Product Category": "Home & Garden > Kitchen & Dining" if chance.random() < 0.7 else "",
        "Type": chance.choice(_TYPES),
        "Tags": ", ".join(chance.sample(_TAGS, chance.randint(0, 8))),
        "Published": chance.choice(("true", "TRUE", "true", "false")),
        "Gift Card": "false",
        "SEO Title": f"{name} | Tradewind" if chance.random() < 0.5 else "",
        "SEO Description": " ".join(chance.choices(_WORDS, k=20)) if chance.random() < 0.5 else "",
        "Collection": chance.choice(_COLLECTIONS) if chance.random() < 0.6 else "",
        "Status": chance.choice(("active", "active", "active", "active", "draft", "archived")),
    }
    row |= {f"Google Shopping / {name}": chance.choice(("", f"{name} {number % 50}")) for name in GOOGLE}
    row |= {column: " ".join(chance.choices(_WORDS, k=3)) for column in METAFIELDS if chance.random() < 0.6}
    return row


def _body(chance: random.Random, number: int, words: tuple[int, int]) -> str:
    text = " ".join(chance.choices(_WORDS, k=chance.randint(*words)))
    body = (
        f'<p class="p1" style="margin: 0px;"><span data-mce-fragment="1">{text}</span></p>\n'
        f"<ul>\n<li>{chance.choice(_WORDS)}</li>\n<li><b>{chance.choice(_WORDS)}</b> &amp; more</li>\n</ul>"
    )
    if chance.random() < 0.3:
        body += "\r\n" + _TABLE.format(grams=number)
    if number % _LONG_BODY_EVERY == 0:
        body += "<div>" + "<p>A long story, told once more.</p>" * (_LONG_BODY_CHARACTERS // 36) + "</div>"
    return body


def _of_variant(chance: random.Random, number: int, index: int, price: int) -> dict[str, str]:
    minor = price + 100 * (index % 7)
    was = minor + 500 if chance.random() < 0.3 else 0
    row = {
        "Variant SKU": chance.choice((f"TW-{number:05}-{index:03}", f"'{number:06}{index:03}", "")),
        "Variant Grams": chance.choice(("0", "0.0", f"{chance.randint(40, 9000)}", "4.1")),
        "Variant Inventory Tracker": "shopify" if chance.random() < 0.9 else "",
        "Variant Inventory Qty": str(chance.randint(-2, 250)),
        "Variant Inventory Policy": "continue" if chance.random() < 0.1 else "deny",
        "Variant Fulfillment Service": "manual",
        "Variant Price": f"{minor // 100:,}.{minor % 100:02}",
        "Variant Compare At Price": f"{was / 100:.2f}" if was else "",
        "Variant Requires Shipping": "true",
        "Variant Taxable": chance.choice(("true", "TRUE", "false")),
        "Variant Barcode": f"{4_006_381_000_000 + number * 100 + index}" if chance.random() < 0.6 else "",
        "Variant Weight Unit": "kg",
        "Cost per item": f"{minor * 4 // 1000}.{minor % 100:02}" if chance.random() < 0.7 else "",
    }
    for place, market in enumerate(MARKETS):
        row |= {f"Included / {market}": "true", f"Price / {market}": f"{minor * (10 + place) / 1000:.2f}"}
    return row


def _image(images: list[str], index: int, name: str) -> dict[str, str]:
    return {"Image Src": images[index], "Image Position": str(index + 1), "Image Alt Text": f"{name}, view {index + 1}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--variants", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--body-words", type=int, nargs=2, default=(25, 220), help="fewest and most of a description")
    arguments = parser.parse_args()
    with arguments.file.open("w", encoding="utf-8", newline="") as target:
        made = write(target, variants=arguments.variants, seed=arguments.seed, body_words=arguments.body_words)
    print(f"{made.products:,} products, {made.variants:,} variants, {made.rows:,} rows")


if __name__ == "__main__":
    main()
