"""Every picture of the sample shop by its file name: what is drawn, in which colour, on which ground."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from examples.sample_shop import books, clothing, furniture, gifts, kitchen, outdoors, pantry
from examples.sample_shop.canvas import (
    BLUSH,
    BRASS,
    BUTTER,
    COLOURS,
    IRON,
    LILAC,
    MIST,
    OAK,
    SAGE,
    SAND,
    SIZE,
    STONE,
    WALNUT,
    Drawing,
    mix,
    shade,
)

Draw = Callable[[Drawing], None]
Piece = Callable[[Drawing, str], None]


@dataclass(frozen=True)
class Picture:
    name: str
    background: str
    draw: Draw
    ground: float | None = None
    scale: float = 1.0

    def svg(self) -> str:
        drawing = Drawing(self.background, ground=self.ground)
        with drawing.moved(scale=self.scale):
            self.draw(drawing)
        return drawing.svg()


def slug(colour: str) -> str:
    return colour.lower().replace(" ", "-")


def in_colours(
    name: str, piece: Piece, colours: str, background: str, *, ground: float | None = None, scale: float = 1.0
) -> Iterator[Picture]:
    """A picture for each colour, named after both."""
    for colour in colours.split():
        yield Picture(f"{name}-{slug(colour)}", background, _of(piece, COLOURS[colour]), ground, scale)


def _of(piece: Piece, colour: str) -> Draw:
    return lambda drawing: piece(drawing, colour)


def together(name: str, piece: Piece, colours: str, background: str) -> Picture:
    """All colours of something flat, spread out."""
    values = [COLOURS[colour] for colour in colours.split()]
    scale, places = {
        2: (0.82, [(-150, -60), (150, 60)]),
        3: (0.68, [(-180, -120), (180, -120), (0, 150)]),
        4: (0.64, [(-175, -165), (175, -165), (-175, 165), (175, 165)]),
    }[len(values)]

    def draw(drawing: Drawing) -> None:
        for (x, y), colour in zip(places, values, strict=True):
            with drawing.moved(x, y, scale=scale):
                piece(drawing, colour)

    return Picture(name, background, draw)


def in_a_row(name: str, piece: Piece, colours: str, background: str, *, scale: float, step: float) -> Picture:
    """All colours of something that stands."""
    values = [COLOURS[colour] for colour in colours.split()]

    def draw(drawing: Drawing) -> None:
        for index, colour in enumerate(values):
            with drawing.moved((index - (len(values) - 1) / 2) * step, 650 - (400 + 250 * scale), scale=scale):
                piece(drawing, colour)

    return Picture(name, background, draw, 590)


def detail(
    name: str, piece: Piece, colour: str, background: str, *, at: tuple[float, float], scale: float = 2.2
) -> Picture:
    """Close up, around a point of the picture."""
    x, y = at

    def draw(drawing: Drawing) -> None:
        with drawing.moved((400 - x) * scale, (400 - y) * scale, scale=scale):
            piece(drawing, colour)

    return Picture(name, shade(background, 0.06), draw, SIZE)


def measured(name: str, piece: Piece, colour: str, box: tuple[float, float, float, float], size: str) -> Picture:
    """With its measures; `box` is left, right, top and bottom of the piece as it is drawn in full size."""
    left, right, top, bottom = box
    width, height = size.split(" x ")

    def draw(drawing: Drawing) -> None:
        with drawing.moved(-30, -14, scale=0.86):
            piece(drawing, colour)
        across = [370 + (x - 400) * 0.86 for x in (left, right)]
        upright = [386 + (y - 400) * 0.86 for y in (top, bottom)]
        furniture.dimensions(drawing, across[0], across[1], upright[0], upright[1], f"{width} cm", f"{height} cm")

    return Picture(name, MIST, draw, furniture.FLOOR)


def _clothes() -> Iterator[Picture]:
    pieces: tuple[tuple[str, Piece, str, float], ...] = (
        ("everyday-organic-tee", clothing.tee, "Chalk Navy Moss Clay", 1.14),
        ("harbor-striped-long-sleeve", clothing.striped_long_sleeve, "Navy Rust", 1.14),
        ("washed-linen-shirt", clothing.linen_shirt, "Sky Sand", 1.14),
        ("merino-crew-sweater", clothing.sweater, "Rust Charcoal Oat", 1.14),
        ("fisherman-cardigan", clothing.cardigan, "Oat Navy", 1.14),
        ("canvas-chore-jacket", clothing.chore_jacket, "Forest Ink", 1.14),
        ("drizzle-rain-jacket", clothing.rain_jacket, "Mustard Slate", 1.08),
        ("twill-work-trousers", clothing.trousers, "Sand Navy", 1.12),
        ("merino-hiking-socks", clothing.socks, "Slate Rust Forest", 1.1),
    )
    for name, piece, colours, scale in pieces:
        yield from in_colours(name, piece, colours, SAND, scale=scale)
        yield together(f"{name}-colours", piece, colours, SAND)
    yield from in_colours("ribbed-wool-beanie", clothing.beanie, "Mustard Forest Charcoal Clay Oat", SAND, scale=1.14)
    yield from in_colours("lambswool-scarf", clothing.scarf, "Moss Navy Rust", SAND, scale=1.06)
    yield from in_colours("bridle-leather-belt", clothing.belt, "Tan Black", SAND)


def _furniture() -> Iterator[Picture]:
    pieces: tuple[tuple[str, Piece, str, str, tuple[float, float, float, float]], ...] = (
        ("milking-stool", furniture.stool, "Oak Walnut", "45 x 38", (204, 596, 328, 662)),
        ("spindle-chair", furniture.chair, "Oak Walnut", "56 x 78", (216, 584, 150, 662)),
        ("entry-bench", furniture.bench, "Oak", "130 x 44", (72, 728, 440, 662)),
        ("pedestal-side-table", furniture.side_table, "Oak Walnut", "60 x 55", (204, 596, 304, 662)),
        ("open-bookcase", furniture.bookcase, "Oak", "80 x 113", (206, 594, 110, 658)),
        ("two-drawer-desk", furniture.desk, "Oak Walnut", "150 x 72", (72, 728, 352, 662)),
        ("pleated-floor-lamp", furniture.floor_lamp, "Chalk Moss Clay", "60 x 136", (276, 524, 100, 662)),
    )
    for name, piece, colours, size, box in pieces:
        yield from in_colours(name, piece, colours, MIST, ground=furniture.FLOOR, scale=1.06)
        yield measured(f"{name}-dimensions", piece, COLOURS[colours.split()[0]], box, size)
    yield Picture("peg-rail", MIST, _of(furniture.wall_hooks, OAK))
    yield Picture("wood-samples", MIST, lambda drawing: furniture.wood_samples(drawing, OAK, WALNUT))


def _kitchen() -> Iterator[Picture]:
    table = kitchen.TABLE
    yield from in_colours(
        "enamel-camp-mug", kitchen.enamel_mug, "Forest Chalk Navy Clay", BUTTER, ground=table, scale=1.06
    )
    yield in_a_row(
        "enamel-camp-mug-colours", kitchen.enamel_mug, "Forest Chalk Navy Clay", BUTTER, scale=0.36, step=178
    )
    yield from in_colours("stove-kettle", kitchen.kettle, "Moss Chalk Navy", BUTTER, ground=table, scale=1.06)
    yield from in_colours("workshop-apron", kitchen.apron, "Slate Rust", BUTTER)
    standing: tuple[tuple[str, Piece, str], ...] = (
        ("stoneware-dinner-set", kitchen.plates, "Chalk"),
        ("stacked-mixing-bowls", kitchen.mixing_bowls, "Slate"),
        ("pour-over-set", kitchen.pour_over, "Chalk"),
        ("table-carafe", kitchen.carafe, "Sky"),
    )
    for name, piece, colour in standing:
        yield Picture(name, BUTTER, _of(piece, COLOURS[colour]), table, 1.08)
    lying: tuple[tuple[str, Piece, str], ...] = (
        ("cast-iron-skillet", kitchen.skillet, IRON),
        ("chefs-knife", kitchen.knife, WALNUT),
        ("end-grain-board", kitchen.cutting_board, OAK),
        ("linen-tea-towels", kitchen.tea_towels, COLOURS["Chalk"]),
    )
    for name, piece, colour in lying:
        yield Picture(name, BUTTER, _of(piece, colour))
    yield detail("stoneware-dinner-set-detail", kitchen.plates, COLOURS["Chalk"], BUTTER, at=(410, 450))
    yield detail("cast-iron-skillet-detail", kitchen.skillet, IRON, BUTTER, at=(370, 420))
    yield detail("chefs-knife-detail", kitchen.knife, WALNUT, BUTTER, at=(520, 320), scale=2.4)
    yield detail("end-grain-board-detail", kitchen.cutting_board, OAK, BUTTER, at=(390, 330), scale=2.6)
    yield detail("linen-tea-towels-detail", kitchen.tea_towels, COLOURS["Chalk"], BUTTER, at=(490, 420), scale=2.6)
    yield detail("stacked-mixing-bowls-detail", kitchen.mixing_bowls, COLOURS["Slate"], BUTTER, at=(420, 430))


def _pantry() -> Iterator[Picture]:
    colour = COLOURS.__getitem__
    packs: tuple[tuple[str, Draw], ...] = (
        ("harbor-house-espresso", lambda d: pantry.bag(d, colour("Ink"), colour("Clay"))),
        ("first-light-filter-coffee", lambda d: pantry.bag(d, colour("Oat"), colour("Forest"))),
        ("breakfast-tea", lambda d: pantry.tin(d, colour("Forest"), colour("Forest"))),
        ("cold-pressed-olive-oil", lambda d: pantry.bottle(d, "#5C6B3A", colour("Moss"))),
        ("wildflower-honey", lambda d: pantry.jar(d, pantry.HONEY, colour("Mustard"))),
        ("arborio-rice", lambda d: pantry.pouch(d, colour("Moss"), colour("Forest"), "#EFE6CF")),
        ("maple-pecan-granola", lambda d: pantry.pouch(d, colour("Clay"), colour("Rust"), "#C99A56")),
        ("flaked-sea-salt", lambda d: pantry.tin(d, colour("Sky"), colour("Slate"))),
    )
    for name, draw in packs:
        yield Picture(name, SAGE, draw, pantry.TABLE, 1.06)
    yield Picture("seventy-percent-chocolate", SAGE, lambda d: pantry.chocolate(d, colour("Rust"), colour("Rust")))
    beans = [pantry.COFFEE, "#5A3A2A", "#3E271C", "#6B4734"]
    yield Picture("coffee-beans", SAGE, lambda d: pantry.heap(d, beans, rx=27, ry=18, count=300, seam=True))
    tea = [pantry.LEAVES, "#3B3A2A", "#5E5636", "#2F2E22"]
    yield Picture("tea-leaves", SAGE, lambda d: pantry.heap(d, tea, rx=20, ry=5, count=700))
    rice = ["#F3ECDA", "#EDE3CB", "#E4D6B8"]
    yield Picture("rice-grains", SAGE, lambda d: pantry.heap(d, rice, rx=14, ry=6.5, count=900))
    oats = ["#D9B57C", "#C99A56", "#E5CB9C", "#8A5A3A"]
    yield Picture("granola", SAGE, lambda d: pantry.heap(d, oats, rx=22, ry=16, count=320))
    salt = ["#FBFAF6", "#E9EDEE", "#DCE3E6"]
    yield Picture("salt-flakes", SAGE, lambda d: pantry.heap(d, salt, rx=12, ry=10, count=700))
    yield Picture("olive-oil-and-bread", SAGE, lambda d: pantry.drizzle(d, "#A9A53C"))
    yield Picture("honey-and-bread", SAGE, lambda d: pantry.drizzle(d, pantry.HONEY))


def _books() -> Iterator[Picture]:
    covers: tuple[tuple[str, str, list[str], str, books.Art, str], ...] = (
        ("the-slow-loaf", "Clay", ["The Slow", "Loaf"], "Ines Halloran", books.loaf, "open ebook"),
        ("birds-of-the-shore", "Sky", ["Birds of", "the Shore"], "T. Okafor-Lind", books.gull, "open ebook"),
        ("the-lighthouse-year", "Navy", ["The Lighthouse", "Year"], "Mara Venn", books.lighthouse, "ebook"),
        ("small-fires", "Ink", ["Small Fires"], "Jonas Adeyemi", books.fires, "ebook"),
        ("good-joinery", "Oat", ["Good Joinery"], "Ruth Calloway", books.dovetails, "open"),
        ("maps-for-staying-put", "Forest", ["Maps for", "Staying Put"], "Leila Brandt", books.contours, "open ebook"),
        (
            "otto-and-the-night-train",
            "Slate",
            ["Otto and the", "Night Train"],
            "Pia Sorensen",
            books.night_train,
            "open",
        ),
        ("a-garden-by-the-month", "Chalk", ["A Garden", "by the Month"], "Tom Arkwright", books.garden, "open"),
    )
    for name, colour, title, author, art, views in covers:
        yield _book(name, COLOURS[colour], title, author, art)
        for view in views.split():
            yield _book_view(
                f"{name}-{view}", COLOURS[colour], art, books.open_pages if view == "open" else books.ebook
            )


def _book(name: str, colour: str, title: list[str], author: str, art: books.Art) -> Picture:
    return Picture(name, BLUSH, lambda d: books.cover(d, colour, title, author, art), books.TABLE, 1.08)


def _book_view(name: str, colour: str, art: books.Art, view: Callable[[Drawing, str, books.Art], None]) -> Picture:
    return Picture(name, BLUSH, lambda d: view(d, colour, art))


def _outdoors() -> Iterator[Picture]:
    ground = outdoors.GROUND
    yield from in_colours(
        "daywalk-backpack", outdoors.backpack, "Forest Mustard Navy", STONE, ground=ground, scale=1.06
    )
    yield in_a_row("daywalk-backpack-colours", outdoors.backpack, "Forest Mustard Navy", STONE, scale=0.62, step=238)
    yield from in_colours("camp-lantern", outdoors.lantern, "Forest Rust", STONE, ground=ground, scale=1.06)
    yield from in_colours("trail-flask", outdoors.flask, "Sky Forest Clay", STONE, ground=ground, scale=1.06)
    yield in_a_row("trail-flask-colours", outdoors.flask, "Sky Forest Clay", STONE, scale=0.84, step=210)
    yield from in_colours("porch-hammock", outdoors.hammock, "Clay Sky", SAGE, ground=ground)
    yield from in_colours("folding-camp-chair", outdoors.camp_chair, "Sand Moss", STONE, ground=ground, scale=1.08)
    tent, bag, green = COLOURS["Mustard"], COLOURS["Navy"], COLOURS["Forest"]
    yield Picture("ridgeline-tent", MIST, _of(outdoors.tent, tent), 600)
    yield Picture("three-season-sleeping-bag", STONE, _of(outdoors.sleeping_bag, bag))
    yield Picture("brass-compass", STONE, _of(outdoors.compass, BRASS))
    yield Picture("roll-top-dry-bag", MIST, _of(outdoors.dry_bag, tent), ground, 1.06)
    yield Picture("striped-wool-blanket", STONE, _of(outdoors.wool_blanket, green), ground, 1.1)
    yield detail("ridgeline-tent-detail", outdoors.tent, tent, MIST, at=(400, 400))
    yield detail("three-season-sleeping-bag-detail", outdoors.sleeping_bag, bag, STONE, at=(450, 330))
    yield detail("brass-compass-detail", outdoors.compass, BRASS, STONE, at=(430, 390), scale=2)
    yield detail("roll-top-dry-bag-detail", outdoors.dry_bag, tent, MIST, at=(400, 220))
    yield detail("striped-wool-blanket-detail", outdoors.wool_blanket, green, STONE, at=(480, 490), scale=2.4)


def _gifts() -> Iterator[Picture]:
    pieces: tuple[tuple[str, Piece, str], ...] = (
        ("tradewind-gift-card", gifts.gift_card, COLOURS["Forest"]),
        ("wrap-skirt-pattern", gifts.sewing_pattern, COLOURS["Clay"]),
        ("sounds-of-the-coast", gifts.recordings, COLOURS["Sky"]),
        ("workbench-plans", gifts.plans, OAK),
        ("knife-sharpening", gifts.sharpening, WALNUT),
        ("mending-service", gifts.repair, COLOURS["Navy"]),
    )
    for name, piece, colour in pieces:
        yield Picture(name, LILAC, _of(piece, colour))


def _collections() -> Iterator[Picture]:
    """A quiet arrangement for the head of each collection."""

    def still_life(*pieces: tuple[Piece, str, float, float, float]) -> Draw:
        def draw(drawing: Drawing) -> None:
            for piece, colour, x, y, scale in pieces:
                with drawing.moved(x, y, scale=scale):
                    piece(drawing, colour)

        return draw

    c = COLOURS
    yield Picture(
        "collection-clothing",
        SAND,
        still_life(
            (clothing.chore_jacket, c["Forest"], -130, 20, 0.86),
            (clothing.beanie, c["Mustard"], 200, -190, 0.5),
            (clothing.socks, c["Rust"], 200, 170, 0.6),
        ),
    )
    yield Picture(
        "collection-furniture",
        MIST,
        still_life(
            (furniture.floor_lamp, c["Chalk"], 240, 0, 1.0),
            (furniture.chair, OAK, -130, 20, 0.96),
            (furniture.stool, WALNUT, 170, 120, 0.55),
        ),
        furniture.FLOOR,
    )
    yield Picture(
        "collection-pantry",
        SAGE,
        still_life(
            (lambda d, _: pantry.bag(d, c["Ink"], c["Clay"]), "", -190, 30, 0.74),
            (lambda d, _: pantry.bottle(d, "#5C6B3A", c["Moss"]), "", 40, 20, 0.8),
            (lambda d, _: pantry.jar(d, pantry.HONEY, c["Mustard"]), "", 230, 90, 0.52),
        ),
        pantry.TABLE,
    )
    yield Picture(
        "collection-books",
        BLUSH,
        still_life(
            (
                lambda d, _: books.cover(d, c["Navy"], ["The Lighthouse", "Year"], "Mara Venn", books.lighthouse),
                "",
                -170,
                10,
                0.82,
            ),
            (
                lambda d, _: books.cover(d, c["Clay"], ["The Slow", "Loaf"], "Ines Halloran", books.loaf),
                "",
                180,
                40,
                0.72,
            ),
        ),
        books.TABLE,
    )
    yield Picture(
        "collection-kitchen-table",
        BUTTER,
        still_life((kitchen.kettle, c["Moss"], -130, 26, 0.8), (kitchen.enamel_mug, c["Navy"], 200, 110, 0.5)),
        kitchen.TABLE,
    )
    yield Picture(
        "collection-outdoors",
        mix(MIST, SAGE, 0.5),
        still_life(
            (outdoors.tent, c["Mustard"], 40, -10, 0.92),
            (outdoors.backpack, c["Forest"], -210, 130, 0.46),
            (outdoors.lantern, c["Rust"], 240, 150, 0.4),
        ),
        590,
    )
    yield Picture("collection-gifts-services", LILAC, still_life((gifts.gift_card, c["Rust"], 0, 0, 1.0)))
    yield Picture(
        "collection-last-chance",
        STONE,
        still_life((clothing.scarf, c["Moss"], -190, -20, 0.66), (clothing.linen_shirt, c["Sand"], 170, 30, 0.72)),
    )


def all_pictures() -> list[Picture]:
    return [
        *_clothes(),
        *_furniture(),
        *_kitchen(),
        *_pantry(),
        *_books(),
        *_outdoors(),
        *_gifts(),
        *_collections(),
    ]
