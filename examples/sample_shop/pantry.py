"""Groceries in their bags, jars and bottles, and what is in them."""

import math
import random
from collections.abc import Sequence

from examples.sample_shop.canvas import BRASS, COLOURS, CREAM, OAK, Drawing, is_light, mix, shade, tint

TABLE = 610.0
FOOT = 650.0
COFFEE, LEAVES, HONEY, CHOCOLATE = "#4B2F22", "#4D5B3A", "#D98E1F", "#4A2C20"


def _label(drawing: Drawing, x: float, y: float, width: float, height: float, accent: str, paper: str = CREAM) -> None:
    """A paper label: a mark, a title and two lines, without words."""
    drawing.rect(x, y, width, height, paper, radius=8)
    middle = x + width / 2
    drawing.rect(x + 10, y + 10, width - 20, height - 20, "none", radius=4)
    drawing.path(f"M{x + 10} {y + 10} h{width - 20} v{height - 20} h{20 - width} Z", line=tint(accent, 0.35), width=2.5)
    mark = height * 0.13
    top = y + height * 0.3
    drawing.path(
        f"M{middle - mark} {top} L{middle} {top - mark} L{middle + mark} {top} L{middle} {top + mark} Z", accent
    )
    for share, wide, thick in ((0.54, 0.52, 0.07), (0.68, 0.38, 0.045), (0.79, 0.28, 0.045)):
        drawing.rect(
            middle - width * wide / 2, y + height * share, width * wide, height * thick, shade(accent, 0.2), radius=3
        )


def bag(drawing: Drawing, colour: str, accent: str) -> None:
    """A flat-bottomed bag with a folded top, as coffee comes in."""
    drawing.shadow(400, FOOT, 190)
    body = "M238 210 L562 210 L580 640 Q578 652 566 652 L234 652 Q222 652 220 640 Z"
    drawing.path(body, colour)
    with drawing.clipped(body):
        drawing.polygon([(500, 200), (600, 200), (600, 660), (520, 660)], shade(colour, 0.13))
        drawing.polygon([(238, 200), (266, 200), (252, 660), (210, 660)], tint(colour, 0.14))
        drawing.path("M220 600 Q400 622 580 600", line=shade(colour, 0.16), width=3)
    drawing.path("M240 136 L560 136 L562 214 L238 214 Z", shade(colour, 0.06))
    drawing.path("M500 136 L560 136 L562 214 L502 214 Z", shade(colour, 0.18))
    drawing.path("M238 214 L562 214", line=shade(colour, 0.28), width=5)
    drawing.rect(232, 160, 336, 20, BRASS if not is_light(colour) else OAK, radius=6)
    drawing.circle(400, 252, 12, shade(colour, 0.24))
    drawing.circle(400, 252, 5, shade(colour, 0.4))
    _label(drawing, 294, 300, 212, 250, accent)


def pouch(drawing: Drawing, colour: str, accent: str, filling: str) -> None:
    """A pouch with a window on what is inside, for grains."""
    drawing.shadow(400, FOOT, 190)
    body = "M230 150 L570 150 Q560 250 576 400 L588 632 Q586 652 562 652 L238 652 Q214 652 212 632 L224 400 Q240 250 230 150 Z"
    drawing.path(body, colour)
    with drawing.clipped(body):
        drawing.path("M510 140 Q500 400 540 660 L620 660 L620 140 Z", shade(colour, 0.1))
        drawing.rect(220, 140, 360, 40, shade(colour, 0.12))
    drawing.path("M234 196 L566 196", line=shade(colour, 0.22), width=4)
    window = "M300 470 Q300 452 318 452 L482 452 Q500 452 500 470 L500 584 Q500 602 482 602 L318 602 Q300 602 300 584 Z"
    drawing.path(window, shade(filling, 0.18))
    with drawing.clipped(window):
        for row in range(9):
            for column in range(13):
                x, y = 302 + column * 17 + (row % 2) * 8, 458 + row * 18
                turn = (row * 47 + column * 71) % 180
                grain = mix(filling, CREAM, ((row + column * 2) % 5) * 0.1)
                drawing.ellipse(x, y, 8.5, 5, grain, turn=turn)
    drawing.path(window, line=tint(colour, 0.4), width=5)
    _label(drawing, 296, 232, 208, 190, accent)


def jar(drawing: Drawing, filling: str, accent: str, *, lid: str = BRASS) -> None:
    drawing.shadow(400, FOOT, 172)
    glass = "M260 262 Q228 280 228 322 L228 606 Q228 650 272 650 L528 650 Q572 650 572 606 L572 322 Q572 280 540 262 Z"
    drawing.path(glass, tint(filling, 0.7))
    with drawing.clipped(glass):
        drawing.rect(228, 306, 344, 350, filling)
        drawing.ellipse(400, 306, 172, 16, tint(filling, 0.25))
        drawing.rect(510, 260, 70, 400, shade(filling, 0.2), opacity=0.5)
        drawing.rect(250, 300, 20, 320, CREAM, opacity=0.45)
    drawing.rect(250, 176, 300, 88, lid, radius=14)
    drawing.rect(476, 176, 74, 88, shade(lid, 0.14), radius=14)
    drawing.rect(250, 240, 300, 10, shade(lid, 0.2))
    drawing.rect(270, 188, 26, 50, tint(lid, 0.35), radius=8)
    _label(drawing, 276, 370, 248, 206, accent)


def bottle(drawing: Drawing, glass: str, accent: str) -> None:
    drawing.shadow(400, FOOT, 128)
    body = "M366 170 L434 170 L436 284 Q440 318 474 344 Q502 366 502 410 L502 620 Q502 650 472 650 L328 650 Q298 650 298 620 L298 410 Q298 366 326 344 Q360 318 364 284 Z"
    drawing.path(body, glass)
    with drawing.clipped(body):
        drawing.path("M440 160 L452 330 Q480 380 470 660 L520 660 L520 160 Z", shade(glass, 0.26))
        drawing.path("M320 620 L320 410 Q326 372 358 348", line=tint(glass, 0.35), width=13)
    drawing.rect(358, 112, 84, 72, BRASS, radius=10)
    drawing.rect(418, 112, 24, 72, shade(BRASS, 0.16), radius=8)
    drawing.rect(354, 176, 92, 16, shade(BRASS, 0.24), radius=5)
    _label(drawing, 306, 410, 188, 192, accent)


def tin(drawing: Drawing, colour: str, accent: str) -> None:
    drawing.shadow(400, FOOT, 178)
    drawing.rect(232, 250, 336, 400, colour, radius=16)
    drawing.rect(500, 250, 68, 400, shade(colour, 0.14), radius=14)
    drawing.rect(250, 260, 18, 380, tint(colour, 0.3), radius=9)
    drawing.rect(222, 196, 356, 74, tint(colour, 0.14), radius=16)
    drawing.rect(506, 196, 72, 74, shade(colour, 0.06), radius=16)
    drawing.rect(222, 254, 356, 12, shade(colour, 0.22))
    drawing.rect(232, 626, 336, 10, shade(colour, 0.2))
    _label(drawing, 288, 316, 224, 260, accent)


def chocolate(drawing: Drawing, colour: str, accent: str) -> None:
    with drawing.moved(0, 0, turn=-10):
        with drawing.moved(10, 16):
            drawing.rect(268, 130, 264, 560, shade(drawing.background, 0.5), radius=10, opacity=0.17)
        drawing.rect(276, 126, 248, 300, CHOCOLATE, radius=10)
        for row in range(3):
            for column in range(3):
                x, y = 286 + column * 78, 138 + row * 82
                drawing.rect(x, y, 72, 76, tint(CHOCOLATE, 0.1), radius=6)
                drawing.path(
                    f"M{x + 8} {y + 68} L{x + 64} {y + 68} L{x + 64} {y + 8}", line=shade(CHOCOLATE, 0.3), width=4
                )
        drawing.path(
            "M268 326 L300 306 L330 328 L364 304 L398 328 L432 306 L468 330 L500 306 L532 326 L532 360 L268 360 Z",
            "#D8D3CB",
        )
        drawing.rect(268, 346, 264, 344, colour, radius=6)
        drawing.rect(474, 346, 58, 344, shade(colour, 0.12), radius=6)
        _label(drawing, 300, 400, 200, 230, accent)


def _bowl(drawing: Drawing, colour: str) -> None:
    """From above, so that what is in it can be seen."""
    drawing.circle(410, 418, 282, shade(drawing.background, 0.5), opacity=0.16)
    drawing.circle(400, 400, 280, colour)
    drawing.circle(400, 400, 252, shade(colour, 0.24))
    drawing.path("M196 246 Q280 136 420 134", line=tint(colour, 0.35), width=9)


def heap(
    drawing: Drawing, colours: Sequence[str], *, rx: float, ry: float, count: int = 260, seam: bool = False
) -> None:
    """A bowl full of one small thing: beans, grains, leaves."""
    _bowl(drawing, OAK)
    dice = random.Random(count)  # the same picture every time
    inside = "M400 154 A246 246 0 1 1 399 154 Z"
    drawing.path(inside, shade(colours[0], 0.2))
    with drawing.clipped(inside):
        for number in range(count):
            reach = math.sqrt((count - number) / count) * 246
            angle = number * 2.399963 + dice.uniform(-0.35, 0.35)
            x = 400 + math.cos(angle) * reach + dice.uniform(-6, 6)
            y = 400 + math.sin(angle) * reach + dice.uniform(-6, 6)
            colour = dice.choice(colours)
            x, y = round(x), round(y)
            with drawing.turned(dice.randrange(180), x, y):
                drawing.ellipse(x + 2, y + 4, rx, ry, shade(colours[0], 0.6), opacity=0.35)
                drawing.ellipse(x, y, rx, ry, colour)
                if seam:
                    curve = f"M{x - rx * 0.8:.0f} {y} q{rx * 0.8:.0f} {ry * 0.7:.0f} {rx * 1.6:.0f} 0"
                    drawing.path(curve, line=shade(colour, 0.5), width=3.5)
                else:
                    light = tint(colour, 0.4)
                    drawing.ellipse(round(x - rx * 0.25), round(y - ry * 0.3), rx * 0.4, ry * 0.3, light, opacity=0.7)


def drizzle(drawing: Drawing, colour: str) -> None:
    """A bowl of something that runs: oil or honey, with bread."""
    _bowl(drawing, COLOURS["Slate"])
    drawing.circle(372, 400, 196, shade(COLOURS["Chalk"], 0.1))
    drawing.circle(368, 394, 192, COLOURS["Chalk"])
    drawing.circle(368, 398, 164, shade(colour, 0.14))
    drawing.circle(368, 402, 158, colour)
    drawing.path("M246 380 Q272 292 366 276", line=tint(colour, 0.5), width=13, opacity=0.8)
    for x, y, turn in ((560, 300, 24), (590, 470, -12)):
        with drawing.moved(x - 400, y - 400, turn=turn, scale=1.25):
            crust = "M318 420 Q306 350 356 344 Q400 322 446 344 Q494 350 482 420 Q476 452 400 452 Q324 452 318 420 Z"
            with drawing.moved(5, 8):
                drawing.path(crust, shade(COLOURS["Slate"], 0.6), opacity=0.3)
            drawing.path(crust, "#B97B3E")
            with drawing.moved(0, -1, scale=0.88):
                drawing.path(crust, "#F0D9AE")
            for dx, dy in ((-36, -4), (10, 8), (34, -16), (-8, -24), (-20, 22)):
                drawing.ellipse(400 + dx, 394 + dy, 8, 5, "#DDBB83")
