"""What is not a thing on a shelf: a gift card, downloads, services."""

from examples.sample_shop.canvas import BRASS, COLOURS, CREAM, OAK, STEEL, Drawing, shade, tint


def gift_card(drawing: Drawing, colour: str) -> None:
    with drawing.moved(0, 30, turn=-7):
        with drawing.moved(12, 18):
            drawing.rect(110, 226, 580, 366, shade(drawing.background, 0.5), radius=28, opacity=0.18)
        drawing.rect(110, 226, 580, 366, COLOURS["Chalk"], radius=28)
        drawing.polygon([(110, 270), (400, 440), (690, 270), (690, 560), (110, 560)], shade(COLOURS["Chalk"], 0.07))
        drawing.rect(146, 150, 508, 330, colour, radius=24)
        with drawing.clipped("M146 150 h508 v330 h-508 Z"):
            drawing.polygon([(520, 140), (700, 140), (700, 500), (430, 500)], shade(colour, 0.1))
            drawing.rect(250, 140, 40, 350, BRASS)
            drawing.rect(140, 254, 530, 40, BRASS)
            drawing.rect(278, 140, 12, 350, shade(BRASS, 0.15))
            drawing.rect(140, 282, 530, 12, shade(BRASS, 0.15))
        for side in (-1, 1):
            drawing.path(
                f"M270 274 Q{270 + side * 46} 196 {270 + side * 96} 226 Q{270 + side * 110} 276 270 274 Z",
                tint(BRASS, 0.2),
            )
            drawing.path(f"M270 274 Q{270 + side * 40} 226 {270 + side * 78} 238", line=shade(BRASS, 0.2), width=4)
            drawing.path(
                f"M270 274 Q{270 + side * 30} 330 {270 + side * 62} 366 L{270 + side * 30} 372 Q{270 + side * 8} 330 270 274 Z",
                BRASS,
            )
        drawing.circle(270, 274, 22, tint(BRASS, 0.3))
        drawing.path("M540 226 L572 194 L604 226 L572 258 Z", CREAM)
        drawing.path(
            "M110 300 L110 564 Q110 592 138 592 L662 592 Q690 592 690 564 L690 300 L400 478 Z",
            tint(COLOURS["Chalk"], 0.3),
        )
        drawing.path("M110 578 L360 452 M690 578 L440 452", line=shade(COLOURS["Chalk"], 0.13), width=4)


def sewing_pattern(drawing: Drawing, colour: str) -> None:
    with drawing.moved(0, 0, turn=-4):
        with drawing.moved(10, 14):
            drawing.rect(150, 130, 500, 560, shade(drawing.background, 0.5), radius=8, opacity=0.16)
        drawing.rect(150, 130, 500, 560, "#F1E4C8", radius=8)
        for y in range(160, 690, 44):
            drawing.path(f"M150 {y} L650 {y}", line=shade("#F1E4C8", 0.07), width=2)
        for x in range(180, 650, 44):
            drawing.path(f"M{x} 130 L{x} 690", line=shade("#F1E4C8", 0.07), width=2)
        front = "M220 190 L340 190 Q352 250 410 262 L410 520 L220 520 Z"
        drawing.path(front, tint(colour, 0.5), line=colour, width=5)
        drawing.path("M206 176 L352 176 Q364 240 424 250 L424 534 L206 534 Z", line=tint(colour, 0.3), width=3)
        drawing.path("M466 220 Q530 180 596 220 L580 430 L482 430 Z", tint(colour, 0.5), line=colour, width=5)
        drawing.path("M314 300 L314 470 M302 318 L314 300 L326 318 M302 452 L314 470 L326 452", line=colour, width=4)
        drawing.path("M531 270 L531 380 M519 288 L531 270 L543 288 M519 362 L531 380 L543 362", line=colour, width=4)
    for side in (-1, 1):
        drawing.ring(560 + side * 34, 668, 34, 24, COLOURS["Rust"], 15, turn=side * 24)
        drawing.polygon(
            [(560 - side * 6, 636), (560 - side * 64, 480), (560 - side * 44, 486), (560 + side * 16, 630)],
            STEEL if side < 0 else shade(STEEL, 0.18),
        )
    drawing.circle(560, 608, 8, shade(STEEL, 0.4))


def recordings(drawing: Drawing, colour: str) -> None:
    with drawing.moved(10, 14):
        drawing.rect(150, 170, 440, 440, shade(drawing.background, 0.5), radius=8, opacity=0.16)
    drawing.circle(560, 390, 196, COLOURS["Ink"])
    for radius in (170, 146, 122, 98):
        drawing.ring(560, 390, radius, radius, tint(COLOURS["Ink"], 0.14), 3)
    drawing.circle(560, 390, 64, COLOURS["Rust"])
    drawing.circle(560, 390, 11, CREAM)
    drawing.rect(150, 170, 440, 440, colour, radius=8)
    with drawing.clipped("M150 170 h440 v440 h-440 Z"):
        drawing.circle(450, 300, 66, COLOURS["Mustard"])
        for number, y in enumerate((420, 462, 504, 546)):
            wave = "".join("q28 -26 56 0 t56 0 " for _ in range(6))
            drawing.path(f"M{90 - number * 22} {y} {wave} L700 700 L80 700 Z", shade(colour, 0.1 + number * 0.1))
    for number, height in enumerate((26, 58, 90, 44, 112, 70, 34, 84, 52, 100, 40, 22)):
        drawing.rect(206 + number * 28, 688 - height / 2, 13, height, shade(drawing.background, 0.45), radius=6)


def plans(drawing: Drawing, colour: str) -> None:
    blue = COLOURS["Navy"]
    with drawing.moved(0, 0, turn=5):
        with drawing.moved(10, 14):
            drawing.rect(120, 170, 560, 440, shade(drawing.background, 0.5), radius=8, opacity=0.18)
        drawing.rect(120, 170, 560, 440, blue, radius=8)
        for step in range(1, 14):
            drawing.path(f"M{120 + step * 40} 170 L{120 + step * 40} 610", line=tint(blue, 0.1), width=2)
        for step in range(1, 11):
            drawing.path(f"M120 {170 + step * 40} L680 {170 + step * 40}", line=tint(blue, 0.1), width=2)
        line = CREAM
        drawing.path("M196 330 L470 330 L500 354 L166 354 Z M166 354 L500 354 L500 372 L166 372 Z", line=line, width=5)
        drawing.path(
            "M196 372 L184 530 M212 372 L204 530 M454 372 L466 530 M470 372 L482 530 M200 470 L466 470",
            line=line,
            width=5,
        )
        drawing.path("M184 556 L482 556 M184 546 L184 566 M482 546 L482 566", line=COLOURS["Mustard"], width=4)
        drawing.path("M560 330 h80 v80 h-80 Z M560 360 h30 v20 h-30 M610 330 v30 h30", line=line, width=5)
        drawing.path("M540 470 h110 M540 500 h84 M540 530 h100", line=tint(blue, 0.5), width=7)
    with drawing.moved(210, 250, turn=-38):
        drawing.rect(290, 384, 220, 28, COLOURS["Mustard"], radius=4)
        drawing.rect(290, 402, 220, 10, shade(COLOURS["Mustard"], 0.16))
        drawing.polygon([(290, 384), (290, 412), (240, 398)], tint(OAK, 0.4))
        drawing.polygon([(258, 393), (258, 403), (240, 398)], COLOURS["Ink"])
        drawing.rect(510, 384, 34, 28, COLOURS["Clay"], radius=5)


def sharpening(drawing: Drawing, colour: str) -> None:
    with drawing.moved(0, 60, turn=0):
        drawing.shadow(400, 590, 290)
        drawing.rect(130, 540, 540, 54, OAK, radius=8)
        drawing.rect(130, 574, 540, 20, shade(OAK, 0.16), radius=8)
        drawing.rect(176, 470, 448, 40, COLOURS["Slate"], radius=6)
        drawing.rect(176, 506, 448, 38, tint(COLOURS["Slate"], 0.4), radius=6)
        drawing.rect(176, 470, 448, 10, tint(COLOURS["Slate"], 0.25), radius=5)
        for x, y in ((250, 452), (330, 444), (520, 450)):
            drawing.path(f"M{x} {y} q9 -14 18 0 q0 16 -9 16 q-9 0 -9 -16 Z", COLOURS["Sky"])
    with drawing.moved(-20, -20, turn=-16):
        drawing.path("M120 400 Q190 500 340 496 L500 496 L500 400 Z", STEEL)
        drawing.path("M120 400 Q190 500 340 496 L500 496 L500 468 L340 468 Q210 462 120 400 Z", tint(STEEL, 0.55))
        drawing.rect(496, 394, 20, 108, BRASS, radius=5)
        drawing.path("M514 404 L690 400 Q718 404 716 436 Q716 462 690 464 Q640 454 514 466 Z", colour)
        drawing.path("M514 446 Q640 436 716 444 Q712 464 690 464 Q640 454 514 466 Z", shade(colour, 0.2))
        for x in (560, 616, 672):
            drawing.circle(x, 432, 8, BRASS)
    for d in ("M150 250 l0 44 M128 272 l44 0", "M250 180 l0 28 M236 194 l28 0", "M104 356 l0 24 M92 368 l24 0"):
        drawing.path(d, line=COLOURS["Mustard"], width=7)


def repair(drawing: Drawing, colour: str) -> None:
    with drawing.moved(8, 12):
        drawing.path("M180 180 L620 160 L640 620 L200 640 Z", shade(drawing.background, 0.5), opacity=0.16)
    cloth = "M180 180 L620 160 L640 620 L200 640 Z"
    drawing.path(cloth, colour)
    with drawing.clipped(cloth):
        for step in range(14):
            drawing.path(f"M{170 + step * 36} 150 L{190 + step * 36} 660", line=shade(colour, 0.06), width=9)
            drawing.path(f"M160 {170 + step * 36} L660 {150 + step * 36}", line=shade(colour, 0.06), width=9)
    drawing.path("M316 316 L490 306 L500 486 L324 494 Z", COLOURS["Mustard"])
    drawing.path("M440 308 L490 306 L500 486 L452 488 Z", shade(COLOURS["Mustard"], 0.1))
    for number in range(6):
        x, y = 306 + number * 34, 318 - number * 2
        drawing.path(f"M{x} {y - 14} l12 28", line=CREAM, width=6)
        drawing.path(f"M{x + 10} {y + 160} l12 28", line=CREAM, width=6)
    for number in range(5):
        y = 344 + number * 32
        drawing.path(f"M{308 + number * 2} {y} l28 -10", line=CREAM, width=6)
        drawing.path(f"M{480 + number * 2} {y - 8} l28 -10", line=CREAM, width=6)
    drawing.path("M520 490 Q600 540 560 610 Q520 680 620 700", line=CREAM, width=5)
    drawing.path("M494 470 L636 300", line=STEEL, width=9)
    drawing.path("M624 314 L636 300", line=shade(STEEL, 0.4), width=5)
    spool = COLOURS["Rust"]
    with drawing.moved(-220, 236):
        drawing.ellipse(400, 454, 74, 20, shade(OAK, 0.2))
        drawing.rect(346, 360, 108, 92, spool, radius=6)
        for y in range(370, 450, 14):
            drawing.path(f"M346 {y} Q400 {y + 12} 454 {y}", line=shade(spool, 0.2), width=4)
        drawing.ellipse(400, 358, 74, 20, OAK)
        drawing.ellipse(400, 358, 18, 6, shade(OAK, 0.5))
