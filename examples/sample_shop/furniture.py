"""Furniture, standing on the floor. Each takes the wood or colour that it is made of."""

from examples.sample_shop.canvas import BRASS, COLOURS, CREAM, IRON, Drawing, shade, tint

FLOOR = 610.0
FOOT = 662.0


def _grain(drawing: Drawing, outline: str, wood: str, lines: list[str]) -> None:
    with drawing.clipped(outline):
        for d in lines:
            drawing.path(d, line=shade(wood, 0.12), width=3)


def _leg(drawing: Drawing, top: tuple[float, float], foot: tuple[float, float], wood: str, width: float = 24) -> None:
    (x1, y1), (x2, y2), half = top, foot, width / 2
    points = [(x1 - half, y1), (x1 + half, y1), (x2 + half * 0.7, y2), (x2 - half * 0.7, y2)]
    drawing.polygon(points, wood)
    drawing.polygon([(x1 + half * 0.2, y1), (x1 + half, y1), (x2 + half * 0.7, y2), (x2, y2)], shade(wood, 0.14))


def stool(drawing: Drawing, wood: str) -> None:
    drawing.shadow(400, FOOT, 210)
    _leg(drawing, (400, 400), (400, 630), shade(wood, 0.3))
    drawing.polygon([(300, 528), (500, 528), (500, 544), (300, 544)], shade(wood, 0.22))
    _leg(drawing, (300, 400), (238, FOOT), wood, 30)
    _leg(drawing, (500, 400), (562, FOOT), shade(wood, 0.06), 30)
    drawing.ellipse(400, 404, 196, 46, shade(wood, 0.2))
    drawing.rect(204, 372, 392, 32, shade(wood, 0.2))
    drawing.ellipse(400, 372, 196, 46, tint(wood, 0.14))
    drawing.ellipse(400, 370, 150, 30, wood, opacity=0.5)
    for rx, ry in ((104, 20), (52, 9)):
        drawing.ring(396, 370, rx, ry, shade(wood, 0.12), 3)


def chair(drawing: Drawing, wood: str) -> None:
    dark = shade(wood, 0.2)
    drawing.shadow(410, FOOT, 210)
    _leg(drawing, (300, 440), (276, 626), shade(wood, 0.28), 20)
    _leg(drawing, (510, 440), (536, 626), shade(wood, 0.28), 20)
    drawing.path("M276 182 Q400 128 524 182 L520 224 Q400 174 280 224 Z", wood)
    drawing.path("M280 214 Q400 164 520 214 L520 224 Q400 174 280 224 Z", dark)
    for x in range(308, 500, 37):
        lean = (x - 400) * 0.1
        drawing.path(
            f"M{x + lean} {196 - 22 + abs(x - 400) * 0.16} L{x - lean * 0.4} 428", line=shade(wood, 0.1), width=12
        )
    drawing.path("M284 200 L294 432 M516 200 L506 432", line=wood, width=22)
    drawing.path("M238 430 Q400 394 562 430 Q584 452 566 470 Q400 500 234 470 Q216 452 238 430 Z", tint(wood, 0.14))
    drawing.path("M224 452 Q400 488 576 452 Q580 470 566 478 Q400 510 234 478 Q220 470 224 452 Z", dark)
    drawing.path("M300 428 Q400 452 500 428", line=shade(wood, 0.1), width=4)
    _leg(drawing, (268, 484), (226, FOOT), wood)
    _leg(drawing, (532, 484), (574, FOOT), shade(wood, 0.06))
    drawing.path("M250 570 L550 570", line=shade(wood, 0.12), width=13)


def bench(drawing: Drawing, wood: str) -> None:
    drawing.shadow(400, FOOT, 320)
    for x, lean in ((170, -18), (630, 18)):
        _leg(drawing, (x + 26, 470), (x + 26 - lean * 0.3, 634), shade(wood, 0.28))
        _leg(drawing, (x, 478), (x + lean, FOOT), wood, 30)
    drawing.rect(180, 560, 440, 18, shade(wood, 0.14), radius=6)
    top = "M96 440 L704 440 L728 478 L728 500 L72 500 L72 478 Z"
    drawing.path(top, tint(wood, 0.12))
    drawing.rect(72, 478, 656, 24, shade(wood, 0.14), radius=4)
    _grain(drawing, top, wood, ["M110 452 Q300 444 700 456", "M90 468 Q420 458 716 470"])
    drawing.path("M236 436 Q330 398 430 436 Z", shade(COLOURS["Clay"], 0.06))
    drawing.rect(232, 424, 204, 26, COLOURS["Clay"], radius=13)


def side_table(drawing: Drawing, wood: str) -> None:
    drawing.shadow(400, FOOT, 180)
    _leg(drawing, (400, 360), (400, 630), shade(wood, 0.26), 18)
    _leg(drawing, (296, 360), (256, FOOT), wood)
    _leg(drawing, (504, 360), (544, FOOT), shade(wood, 0.08))
    drawing.ellipse(400, 532, 130, 24, shade(wood, 0.16))
    drawing.ellipse(400, 526, 130, 24, wood)
    drawing.ellipse(400, 356, 196, 42, shade(wood, 0.18))
    drawing.ellipse(400, 344, 196, 42, tint(wood, 0.14))
    drawing.rect(362, 232, 76, 96, COLOURS["Sky"], radius=14)
    drawing.path("M414 232 L438 246 L438 314 L414 328 Z", shade(COLOURS["Sky"], 0.12))
    drawing.ellipse(400, 234, 38, 9, shade(COLOURS["Sky"], 0.3))
    for d in ("M400 232 Q392 160 352 128", "M402 232 Q404 150 424 104", "M404 232 Q424 180 462 160"):
        drawing.path(d, line=COLOURS["Forest"], width=5)
    for x, y, turn in ((346, 126, -50), (372, 164, -60), (424, 98, 8), (416, 150, 60), (466, 156, 50), (398, 178, -30)):
        drawing.ellipse(x, y, 13, 27, COLOURS["Moss"], turn=turn)


def bookcase(drawing: Drawing, wood: str) -> None:
    drawing.shadow(400, FOOT, 216)
    drawing.rect(206, 110, 388, 548, wood, radius=6)
    drawing.rect(228, 132, 344, 504, shade(wood, 0.34))
    drawing.rect(560, 110, 34, 548, shade(wood, 0.14), radius=6)
    spines = ("Navy", "Clay", "Mustard", "Moss", "Chalk", "Slate", "Rust", "Sky", "Oat", "Forest")
    for row, bottom in enumerate((296, 464, 632)):
        x = 238 + (row == 1) * 92
        for place in range(7 - (row == 1) * 2):
            width = (24, 32, 20, 28, 36, 22, 26)[(place + row) % 7]
            height = (112, 96, 124, 104, 118, 90, 110)[(place * 2 + row) % 7]
            colour = COLOURS[spines[(place * 3 + row * 4) % 10]]
            drawing.rect(x, bottom - height, width, height, colour, radius=3)
            drawing.rect(x, bottom - height + 16, width, 6, tint(colour, 0.4))
            drawing.rect(x + width - 6, bottom - height, 6, height, shade(colour, 0.14), radius=3)
            x += width + 3
        if row == 1:
            drawing.path("M244 464 Q236 404 268 398 Q312 404 304 464 Z", COLOURS["Sky"])
            drawing.path("M284 400 Q312 410 304 464 L288 464 Z", shade(COLOURS["Sky"], 0.14))
        drawing.rect(206, bottom, 388, 22, tint(wood, 0.1))
        drawing.rect(206, bottom + 16, 388, 6, shade(wood, 0.16))


def desk(drawing: Drawing, wood: str) -> None:
    drawing.shadow(400, FOOT, 320)
    for x in (190, 620):
        _leg(drawing, (x, 410), (x, 632), shade(wood, 0.28), 22)
    _leg(drawing, (134, 420), (118, FOOT), wood)
    _leg(drawing, (666, 420), (682, FOOT), shade(wood, 0.06))
    drawing.rect(108, 396, 584, 66, shade(wood, 0.08), radius=4)
    for x in (330, 510):
        drawing.rect(x, 406, 168, 46, wood, radius=4)
        drawing.circle(x + 84, 430, 8, BRASS)
    drawing.polygon([(112, 352), (688, 352), (728, 384), (72, 384)], tint(wood, 0.16))
    drawing.rect(72, 384, 656, 18, shade(wood, 0.16), radius=3)
    drawing.rect(168, 330, 128, 16, COLOURS["Clay"], radius=3)
    drawing.rect(176, 314, 112, 16, COLOURS["Chalk"], radius=3)
    drawing.rect(164, 298, 126, 16, COLOURS["Navy"], radius=3)
    drawing.ellipse(560, 352, 52, 10, shade(IRON, 0.1))
    drawing.path("M560 350 L592 254 L524 188", line=IRON, width=11)
    drawing.path("M488 214 L548 154 L580 216 Q540 238 488 214 Z", COLOURS["Mustard"])
    drawing.path("M548 154 L580 216 Q564 226 544 228 Z", shade(COLOURS["Mustard"], 0.14))


def floor_lamp(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, FOOT, 130)
    drawing.polygon([(300, 262), (500, 262), (640, 640), (160, 640)], tint(colour, 0.6), opacity=0.28)
    drawing.path("M400 250 L400 644", line=IRON, width=13)
    drawing.ellipse(400, FOOT - 8, 104, 20, shade(IRON, 0.1))
    drawing.ellipse(400, FOOT - 16, 104, 20, IRON)
    outline = "M326 100 L474 100 L524 264 Q400 290 276 264 Z"
    drawing.path(outline, colour)
    with drawing.clipped(outline):
        drawing.polygon([(450, 90), (560, 90), (560, 300), (478, 300)], shade(colour, 0.1))
        for step in range(-4, 5):
            drawing.path(f"M{400 + step * 17} 96 L{400 + step * 28} 290", line=shade(colour, 0.07), width=3)
    drawing.path("M276 264 Q400 290 524 264", line=shade(colour, 0.2), width=6)
    drawing.path("M440 276 L440 330", line=BRASS, width=4)
    drawing.circle(440, 336, 9, BRASS)


def wall_hooks(drawing: Drawing, wood: str) -> None:
    with drawing.moved(8, 12):
        drawing.rect(110, 300, 580, 96, shade(drawing.background, 0.5), radius=14, opacity=0.16)
    drawing.rect(110, 300, 580, 96, wood, radius=14)
    outline = "M110 300 h580 v96 h-580 Z"
    _grain(
        drawing, outline, wood, ["M120 326 Q360 314 690 330", "M112 352 Q320 366 690 350", "M120 380 Q460 368 690 382"]
    )
    drawing.rect(110, 384, 580, 12, shade(wood, 0.14), radius=6)
    for x in (190, 330, 470, 610):
        drawing.ellipse(x, 348, 26, 26, shade(wood, 0.3))
        drawing.rect(x - 13, 336, 26, 52, shade(wood, 0.16), radius=12)
        drawing.circle(x, 338, 25, tint(wood, 0.2))
        drawing.circle(x - 6, 332, 10, tint(wood, 0.45))
    bag = COLOURS["Chalk"]
    drawing.path("M288 470 Q290 350 330 346 Q370 350 372 470", line=shade(bag, 0.14), width=11)
    drawing.path("M258 462 L402 462 L414 640 Q330 654 246 640 Z", bag)
    drawing.path("M372 462 L402 462 L414 640 L388 646 Z", shade(bag, 0.1))
    drawing.path("M304 540 L330 514 L356 540 L330 566 Z", COLOURS["Forest"])
    drawing.path("M606 366 Q574 470 590 560 L634 560 Q650 470 614 366 Z", COLOURS["Clay"])
    drawing.path("M614 366 Q650 470 634 560 L616 560 Q628 460 612 366 Z", shade(COLOURS["Clay"], 0.14))
    for x in range(594, 636, 9):
        drawing.path(f"M{x} 558 l-2 26", line=COLOURS["Clay"], width=5)


def dimensions(drawing: Drawing, left: float, right: float, top: float, bottom: float, width: str, height: str) -> None:
    """Measures beside a piece that was drawn before, as on a workshop's sheet."""
    line = shade(drawing.background, 0.62)
    below, beside = 726, min(right + 84, 744)
    drawing.path(f"M{left} {below} L{right} {below}", line=line, width=3)
    drawing.path(f"M{left} {below - 14} v28 M{right} {below - 14} v28", line=line, width=3)
    drawing.path(f"M{beside} {top} L{beside} {bottom}", line=line, width=3)
    drawing.path(f"M{beside - 14} {top} h28 M{beside - 14} {bottom} h28", line=line, width=3)
    floor = shade(drawing.background, 0.07)
    middle = (top + bottom) / 2
    for x, y, text, turn in (((left + right) / 2, below + 8, width, 0), (beside + 8, middle, height, -90)):
        with drawing.turned(turn, x, y):
            drawing.rect(x - 70, y - 32, 140, 44, drawing.background if turn else floor)
            drawing.text(x, y + 4, text, line, size=34, family="DejaVu Sans, sans-serif")


def wood_samples(drawing: Drawing, first: str, second: str) -> None:
    """Two boards, for a piece that comes in two woods."""
    for x, y, wood, turn in ((-120, 20, first, -8), (110, -10, second, 6)):
        with drawing.moved(x, y, turn=turn):
            with drawing.moved(8, 14):
                drawing.rect(280, 150, 240, 500, shade(drawing.background, 0.5), radius=12, opacity=0.16)
            drawing.rect(280, 150, 240, 500, wood, radius=12)
            lines = [f"M{296 + n * 24} 150 Q{284 + n * 25} {300 + n * 20} {300 + n * 23} 650" for n in range(10)]
            _grain(drawing, "M280 150 h240 v500 h-240 Z", wood, lines)
            drawing.ellipse(380, 380, 22, 44, shade(wood, 0.16))
            drawing.ellipse(380, 380, 11, 26, shade(wood, 0.28))
            drawing.circle(400, 190, 16, CREAM)
            drawing.circle(400, 190, 9, shade(drawing.background, 0.1))
