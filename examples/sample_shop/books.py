"""Books: a cover each, standing, lying open, or as an e-book."""

import math
from collections.abc import Callable

from examples.sample_shop.canvas import BRASS, COLOURS, CREAM, OAK, Drawing, is_light, shade, tint

TABLE = 620.0
FOOT = 664.0
LEFT, TOP, WIDTH, HEIGHT = 232, 120, 356, 530

Art = Callable[[Drawing, str], None]


def cover(drawing: Drawing, colour: str, title: list[str], author: str, art: Art) -> None:
    """The front cover, with the spine at its left."""
    drawing.shadow(404, FOOT - 6, 206)
    drawing.rect(LEFT + 12, TOP + 10, WIDTH, HEIGHT, "#EFE7D6", radius=4)
    drawing.rect(LEFT + WIDTH + 2, TOP + 12, 10, HEIGHT - 4, shade("#EFE7D6", 0.14), radius=3)
    drawing.rect(LEFT - 16, TOP, WIDTH + 16, HEIGHT, colour, radius=6)
    outline = f"M{LEFT - 16} {TOP} h{WIDTH + 16} v{HEIGHT} h{-WIDTH - 16} Z"
    with drawing.clipped(outline):
        art(drawing, colour)
        drawing.rect(LEFT - 16, TOP, 16, HEIGHT, shade(colour, 0.2))
        drawing.rect(LEFT, TOP, 7, HEIGHT, shade(colour, 0.34), opacity=0.5)
        drawing.polygon([(LEFT, TOP), (LEFT + 120, TOP), (LEFT, TOP + 340)], "#FFFFFF", opacity=0.06)
    middle = LEFT + WIDTH / 2
    ink = COLOURS["Ink"] if is_light(colour) else CREAM
    drawing.path(f"M{LEFT + 24} {TOP + HEIGHT - 62} h{WIDTH - 48} v46 h{48 - WIDTH} Z", colour, opacity=0.88)
    for number, line in enumerate(title):
        drawing.text(
            middle, TOP + 76 + number * 46, line, ink, size=38, family="DejaVu Serif, serif", extra='font-weight="bold"'
        )
    name = author.upper()
    drawing.text(
        middle, TOP + HEIGHT - 26, name, ink, size=19, family="DejaVu Sans, sans-serif", extra='letter-spacing="3"'
    )


def loaf(drawing: Drawing, colour: str) -> None:
    bread = "#C98B4A"
    drawing.circle(410, 440, 140, tint(colour, 0.2))
    drawing.path("M278 490 Q262 376 410 370 Q558 376 542 490 Q530 526 410 526 Q290 526 278 490 Z", bread)
    drawing.path("M470 378 Q566 400 542 490 Q534 520 440 526 Q520 470 470 378 Z", shade(bread, 0.16))
    for x in (336, 400, 464):
        drawing.path(f"M{x} 396 Q{x + 34} 420 {x + 20} 470", line="#F0D9AE", width=13)
    for x, turn in ((300, -24), (520, 24)):
        drawing.path(f"M{x} 600 Q{x + turn} 560 {x + turn * 1.6} 520", line=CREAM, width=5)


def gull(drawing: Drawing, colour: str) -> None:
    drawing.circle(480, 330, 58, COLOURS["Mustard"])
    for y, tone in ((470, 0.12), (510, 0.24), (550, 0.36)):
        wave = "".join("q22 -20 44 0 t44 0 " for _ in range(6))
        drawing.path(f"M200 {y} {wave} L700 700 L200 700 Z", shade(colour, tone))
    drawing.path(
        "M270 400 Q330 330 398 398 Q452 320 540 366 Q460 372 424 434 Q404 462 380 436 Q344 386 270 400 Z", CREAM
    )
    drawing.path("M398 398 Q452 320 540 366 Q470 366 430 420 Z", shade(CREAM, 0.12))
    drawing.path("M376 432 Q362 452 340 450 Q360 436 364 420 Z", COLOURS["Rust"])


def lighthouse(drawing: Drawing, colour: str) -> None:
    drawing.polygon([(404, 330), (640, 250), (640, 400)], COLOURS["Mustard"], opacity=0.75)
    drawing.polygon([(404, 330), (190, 270), (190, 380)], COLOURS["Mustard"], opacity=0.4)
    drawing.path("M180 560 Q300 500 420 548 T660 540 L660 700 L180 700 Z", shade(colour, 0.35))
    drawing.polygon([(376, 360), (432, 360), (452, 566), (356, 566)], CREAM)
    for top in (396, 462, 528):
        spread = (top - 360) * 0.1
        drawing.polygon(
            [(374 - spread, top), (434 + spread, top), (438 + spread, top + 32), (370 - spread, top + 32)],
            COLOURS["Rust"],
        )
    drawing.rect(368, 348, 72, 14, COLOURS["Ink"], radius=4)
    drawing.rect(382, 308, 44, 42, COLOURS["Mustard"])
    drawing.path("M374 310 Q404 268 434 310 Z", COLOURS["Rust"])
    for x, y in ((268, 300), (300, 350), (520, 420), (250, 430), (560, 300), (520, 470)):
        drawing.circle(x, y, 3.5, CREAM)


def fires(drawing: Drawing, colour: str) -> None:
    for number, (x, y, size) in enumerate(
        ((330, 500, 1.0), (470, 470, 0.75), (410, 390, 0.55), (300, 370, 0.4), (510, 360, 0.34))
    ):
        flame = COLOURS["Mustard"] if number % 2 else COLOURS["Rust"]
        for scale, tone in ((1.0, flame), (0.62, tint(flame, 0.3)), (0.3, CREAM)):
            h, w = 110 * size * scale, 52 * size * scale
            drawing.path(
                f"M{x} {y - h} Q{x + w * 1.5} {y - h * 0.2} {x + w * 0.7} {y + h * 0.24} Q{x} {y + h * 0.55} {x - w * 0.7} {y + h * 0.24} Q{x - w * 1.5} {y - h * 0.2} {x} {y - h} Z",
                tone,
            )


def dovetails(drawing: Drawing, colour: str) -> None:
    left, right = OAK, "#8A5A3A"
    drawing.rect(256, 330, 310, 230, left)
    drawing.rect(411, 330, 155, 230, right)
    for row in range(3):
        y = 338 + row * 76
        drawing.polygon([(411, y + 16), (476, y), (476, y + 62), (411, y + 46)], left)
        drawing.path(f"M411 {y + 16} L476 {y} L476 {y + 62} L411 {y + 46}", line=shade(left, 0.4), width=4)
    for y in (360, 420, 470, 530):
        drawing.path(f"M262 {y} Q330 {y - 8} 404 {y + 4}", line=shade(left, 0.14), width=3)
        drawing.path(f"M484 {y} Q520 {y + 8} 560 {y - 4}", line=shade(right, 0.16), width=3)


def contours(drawing: Drawing, colour: str) -> None:
    line = CREAM if not is_light(colour) else COLOURS["Forest"]
    for number in range(6):
        points = []
        for step in range(48):
            angle = step * math.tau / 48
            reach = (
                26 + number * 27 + math.sin(angle * 3 + number * 0.3) * (6 + number * 2.2) + math.cos(angle * 2) * 12
            )
            points.append(
                (round(392 + math.cos(angle) * reach * 1.1, 1), round(440 + math.sin(angle) * reach * 0.9, 1))
            )
        d = "M" + " L".join(f"{x} {y}" for x, y in points) + " Z"
        drawing.path(d, line=line, width=3.5, opacity=0.85 - number * 0.05)
    drawing.path("M392 410 Q420 410 420 436 Q420 456 392 486 Q364 456 364 436 Q364 410 392 410 Z", COLOURS["Rust"])
    drawing.circle(392, 436, 10, CREAM)


def night_train(drawing: Drawing, colour: str) -> None:
    drawing.circle(480, 316, 56, COLOURS["Mustard"])
    drawing.circle(504, 300, 50, colour)
    for x, y in ((280, 290), (330, 350), (400, 300), (560, 400), (270, 400), (430, 370)):
        drawing.circle(x, y, 4, CREAM)
    drawing.path("M180 560 Q320 470 460 540 T680 520 L680 700 L180 700 Z", shade(colour, 0.4))
    drawing.rect(190, 558, 460, 8, shade(CREAM, 0.2))
    for x, tone in ((250, COLOURS["Clay"]), (362, COLOURS["Moss"]), (474, COLOURS["Rust"])):
        drawing.rect(x, 470, 102, 76, tone, radius=10)
        for window in range(2):
            drawing.rect(x + 14 + window * 44, 486, 30, 28, COLOURS["Mustard"], radius=5)
        for wheel in (24, 78):
            drawing.circle(x + wheel, 548, 14, COLOURS["Ink"])
            drawing.circle(x + wheel, 548, 5, CREAM)
    for x, y, size in ((540, 440, 12), (520, 420, 16), (488, 402, 20)):
        drawing.circle(x, y, size, CREAM, opacity=0.5)


def garden(drawing: Drawing, colour: str) -> None:
    drawing.rect(216, 500, 390, 200, shade(COLOURS["Clay"], 0.3))
    for x, y in ((290, 520), (410, 520), (530, 520)):
        drawing.path(f"M{x} {y} Q{x - 4} {y - 70} {x} {y - 120}", line=COLOURS["Forest"], width=7)
        for step in range(3):
            for side in (-1, 1):
                leaf_y = y - 34 - step * 34
                leaf = COLOURS["Moss" if side < 0 else "Forest"]
                drawing.ellipse(x + side * 24, leaf_y, 24, 11, leaf, turn=side * -28)
        drawing.path(
            f"M{x - 22} {y} Q{x} {y - 20} {x + 22} {y} Q{x + 14} {y + 60} {x} {y + 80} Q{x - 14} {y + 60} {x - 22} {y} Z",
            COLOURS["Rust"],
        )
        for line in (16, 34, 50):
            drawing.path(f"M{x - 12} {y + line} q8 5 16 0", line=shade(COLOURS["Rust"], 0.25), width=3)
    drawing.circle(500, 318, 36, COLOURS["Mustard"])


def open_pages(drawing: Drawing, colour: str, art: Art) -> None:
    """Lying open: a picture at the left, text at the right."""
    drawing.shadow(400, 610, 320, 22)
    drawing.polygon([(64, 236), (736, 236), (760, 604), (40, 604)], colour)
    left = "M400 250 Q250 204 84 236 L62 580 Q250 552 400 592 Z"
    right = "M400 250 Q550 204 716 236 L738 580 Q550 552 400 592 Z"
    drawing.path(left, CREAM)
    drawing.path(right, shade(CREAM, 0.05))
    with drawing.clipped("M376 280 Q250 240 118 262 L102 540 Q250 520 376 552 Z"):
        drawing.rect(80, 220, 320, 380, colour)
        with drawing.moved(-164, 0, scale=0.92):
            art(drawing, colour)
    for row in range(9):
        y = 292 + row * 30
        short = 60 if row in (3, 8) else 0
        drawing.path(f"M436 {y} Q560 {y - 34} {694 - short} {y - 18 + short * 0.05}", line=shade(CREAM, 0.3), width=6)
    drawing.path("M400 250 L400 592", line=shade(CREAM, 0.28), width=7)
    drawing.path("M470 236 L470 330 L484 316 L498 330 L498 230 Z", BRASS)


def ebook(drawing: Drawing, colour: str, art: Art) -> None:
    """On a reader: the electronic edition."""
    with drawing.moved(0, 0, turn=6):
        with drawing.moved(12, 16):
            drawing.rect(230, 110, 340, 580, shade(drawing.background, 0.5), radius=36, opacity=0.18)
        drawing.rect(230, 110, 340, 580, COLOURS["Ink"], radius=36)
        drawing.rect(256, 146, 288, 472, CREAM, radius=10)
        with drawing.clipped("M276 170 h248 v220 h-248 Z"):
            drawing.rect(270, 160, 260, 240, colour)
            with drawing.moved(-8, -112, scale=0.74):
                art(drawing, colour)
        for row in range(6):
            drawing.rect(276, 418 + row * 30, 248 if row != 3 else 150, 8, shade(CREAM, 0.3), radius=4)
        drawing.circle(400, 654, 15, shade(COLOURS["Ink"], 0.4))
