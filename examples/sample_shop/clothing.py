"""Clothes, lying flat. Each takes the colour that it comes in."""

from examples.sample_shop.canvas import BRASS, COLOURS, CREAM, Drawing, is_light, shade, tint

BODY = "M250 640 L255 345 Q400 375 545 345 L550 640 Q400 656 250 640 Z"
SHORT = (
    "M316 178 Q400 236 484 178 L552 204 Q568 210 580 224 L660 326 L580 388 L546 348 L551 636 Q400 654 249 636 "
    "L254 348 L220 388 L140 326 L220 224 Q232 210 248 204 Z"
)
LONG = (
    "M316 178 Q400 236 484 178 L552 204 Q592 222 604 290 L664 596 L590 616 L546 400 L551 636 Q400 654 249 636 "
    "L254 400 L210 616 L136 596 L196 290 Q208 222 248 204 Z"
)


def _cloth(drawing: Drawing, outline: str, colour: str) -> None:
    """The piece with the shadow that it casts on the ground, darker on the side away from the light."""
    with drawing.moved(8, 12):
        drawing.path(outline, shade(drawing.background, 0.5), opacity=0.16)
    drawing.path(outline, colour)
    with drawing.clipped(outline):
        drawing.path("M478 150 Q520 400 486 700 L760 700 L760 150 Z", shade(colour, 0.09))
        drawing.path("M250 600 Q330 560 330 430 Q350 560 300 660 Z", shade(colour, 0.07))
        drawing.path("M548 600 Q500 540 506 420 Q470 560 520 660 Z", shade(colour, 0.16))


def _sleeve_seams(drawing: Drawing, colour: str) -> None:
    line = shade(colour, 0.22)
    drawing.path("M248 206 Q270 270 254 352", line=line, width=4)
    drawing.path("M552 206 Q530 270 546 352", line=line, width=4)


def _crew_neck(drawing: Drawing, colour: str) -> None:
    drawing.path("M316 178 Q400 158 484 178 Q400 236 316 178 Z", shade(colour, 0.42))
    drawing.path("M312 176 Q400 240 488 176 L500 182 Q400 268 300 182 Z", shade(colour, 0.14))
    drawing.path("M316 178 Q400 166 484 178", line=shade(colour, 0.3), width=5)


def tee(drawing: Drawing, colour: str) -> None:
    _cloth(drawing, SHORT, colour)
    _sleeve_seams(drawing, colour)
    line = shade(colour, 0.2)
    drawing.path("M152 332 L228 388 M648 332 L572 388", line=line, width=3)
    drawing.path("M250 620 Q400 638 550 620", line=line, width=3)
    _crew_neck(drawing, colour)


def striped_long_sleeve(drawing: Drawing, colour: str) -> None:
    ground = CREAM if not is_light(colour) else tint(colour, 0.5)
    _cloth(drawing, LONG, ground)
    with drawing.clipped(LONG):
        for y in range(268, 640, 44):
            drawing.path(f"M240 {y} Q400 {y + 22} 560 {y}", line=colour, width=15)
        for step in range(8):
            y = 262 + step * 44
            edge = 250 - max(0, 5 - step)
            drawing.path(f"M{edge - 130} {y - 20} L{edge - 8} {y + 8}", line=colour, width=15)
            drawing.path(f"M{930 - edge} {y - 20} L{808 - edge} {y + 8}", line=colour, width=15)
    _sleeve_seams(drawing, ground)
    _crew_neck(drawing, colour)


def linen_shirt(drawing: Drawing, colour: str) -> None:
    _cloth(drawing, LONG, colour)
    _sleeve_seams(drawing, colour)
    line = shade(colour, 0.2)
    drawing.path("M142 572 L218 592 M658 572 L582 592", line=line, width=4)
    drawing.path("M384 232 L384 645 M416 232 L416 645", line=line, width=3)
    for y in range(276, 640, 62):
        drawing.circle(400, y, 7, tint(colour, 0.7))
        drawing.circle(400, y, 2.5, shade(colour, 0.35))
    drawing.path("M446 322 L524 316 L526 392 Q486 412 448 396 Z", shade(colour, 0.05), line=line, width=3)
    drawing.path("M316 178 Q400 150 484 178 L400 240 Z", shade(colour, 0.4))
    drawing.path("M318 168 L400 240 L352 300 L292 190 Z", tint(colour, 0.18), line=line, width=3)
    drawing.path("M482 168 L400 240 L448 300 L508 190 Z", tint(colour, 0.08), line=line, width=3)


def _ribs(drawing: Drawing, outline: str, colour: str, *, top: float) -> None:
    line = shade(colour, 0.2)
    with drawing.clipped(outline):
        drawing.rect(230, top, 340, 80, shade(colour, 0.07))
        for x in range(250, 560, 13):
            drawing.path(f"M{x} {top + 4} L{x} 660", line=line, width=3)
        drawing.polygon([(120, 562), (230, 586), (230, 640), (120, 620)], shade(colour, 0.07))
        drawing.polygon([(680, 562), (570, 586), (570, 640), (680, 620)], shade(colour, 0.12))
        for step in range(7):
            x = 140 + step * 13
            drawing.path(f"M{x + 10} {566 + step * 3} L{x} 640", line=line, width=3)
            drawing.path(f"M{800 - x - 10} {566 + step * 3} L{800 - x} 640", line=line, width=3)


def _knit(drawing: Drawing, outline: str, colour: str) -> None:
    line = shade(colour, 0.09)
    with drawing.clipped(outline):
        for y in range(210, 590, 22):
            for x in range(150, 660, 22):
                drawing.path(f"M{x} {y} l6 8 l6 -8", line=line, width=2.4)


def sweater(drawing: Drawing, colour: str) -> None:
    _cloth(drawing, LONG, colour)
    _knit(drawing, LONG, colour)
    _sleeve_seams(drawing, colour)
    _ribs(drawing, LONG, colour, top=590)
    _crew_neck(drawing, colour)


def cardigan(drawing: Drawing, colour: str) -> None:
    _cloth(drawing, LONG, colour)
    _knit(drawing, LONG, colour)
    _sleeve_seams(drawing, colour)
    _ribs(drawing, LONG, colour, top=590)
    drawing.path("M318 176 Q400 156 482 176 L404 372 L396 372 Z", shade(colour, 0.45))
    drawing.path("M300 180 L320 172 L408 372 L408 650 L384 650 L384 384 Z", shade(colour, 0.12))
    drawing.path("M500 180 L480 172 L404 360 L408 400 Z", shade(colour, 0.18))
    for y in range(408, 640, 56):
        drawing.circle(396, y, 11, BRASS)
        drawing.circle(393, y - 3, 5, tint(BRASS, 0.35))
    for x in (282, 446):
        drawing.rect(x, 482, 74, 78, shade(colour, 0.05), radius=8)
        drawing.rect(x, 482, 74, 16, shade(colour, 0.16), radius=6)


def chore_jacket(drawing: Drawing, colour: str) -> None:
    _cloth(drawing, LONG, colour)
    _sleeve_seams(drawing, colour)
    line, stitch = shade(colour, 0.26), tint(colour, 0.25)
    drawing.path("M400 240 L400 645", line=line, width=5)
    drawing.path("M414 240 L414 645", line=stitch, width=2)
    for y in (292, 372, 452, 532, 606):
        drawing.circle(384, y, 9, BRASS)
        drawing.circle(381, y - 3, 3.5, tint(BRASS, 0.4))
    for x, y, width, height in ((272, 470, 92, 118), (436, 470, 92, 118), (446, 300, 74, 84)):
        outline = f"M{x} {y} h{width} v{height - 14} l-14 14 h{28 - width} l-14 -14 Z"
        drawing.path(outline, shade(colour, 0.07), line=line, width=4)
        drawing.path(f"M{x + 6} {y + 16} h{width - 12}", line=stitch, width=2)
    drawing.path("M142 572 L218 592 M658 572 L582 592", line=line, width=4)
    drawing.path("M316 178 Q400 150 484 178 L400 244 Z", shade(colour, 0.5))
    drawing.path("M314 166 Q330 220 400 244 L350 310 L280 200 Z", shade(colour, 0.05), line=line, width=4)
    drawing.path("M486 166 Q470 220 400 244 L450 310 L520 200 Z", shade(colour, 0.13), line=line, width=4)


def rain_jacket(drawing: Drawing, colour: str) -> None:
    line = shade(colour, 0.24)
    hood = "M300 214 Q286 92 400 84 Q514 92 500 214 Q400 262 300 214 Z"
    with drawing.moved(8, 12):
        drawing.path(hood, shade(drawing.background, 0.5), opacity=0.16)
    drawing.path(hood, shade(colour, 0.06))
    drawing.path("M334 206 Q322 124 400 118 Q478 124 466 206 Q400 252 334 206 Z", shade(colour, 0.5))
    _cloth(drawing, LONG.replace("M316 178 Q400 236 484 178", "M310 190 Q400 262 490 190"), colour)
    _sleeve_seams(drawing, colour)
    drawing.path("M250 330 Q400 360 550 330", line=line, width=4)
    drawing.path("M386 232 L386 646 L414 646 L414 232 Z", shade(colour, 0.14))
    for y in (290, 390, 490, 590):
        drawing.circle(400, y, 8, tint(colour, 0.55))
    for x in (272, 446):
        drawing.polygon([(x, 480), (x + 84, 470), (x + 84, 500), (x, 512)], shade(colour, 0.2))
    drawing.path("M142 566 L222 588 M658 566 L578 588", line=line, width=4)
    for x in (362, 438):
        drawing.path(f"M{x} 232 Q{x - 4} 262 {x} 292", line=CREAM, width=5)
        drawing.circle(x, 298, 7, CREAM)


TROUSERS = "M268 150 L532 150 L548 300 L560 672 L442 676 L404 330 L396 330 L358 676 L240 672 L252 300 Z"


def trousers(drawing: Drawing, colour: str) -> None:
    line = shade(colour, 0.22)
    with drawing.moved(8, 12):
        drawing.path(TROUSERS, shade(drawing.background, 0.5), opacity=0.16)
    drawing.path(TROUSERS, colour)
    with drawing.clipped(TROUSERS):
        drawing.polygon([(500, 150), (600, 150), (600, 700), (520, 700)], shade(colour, 0.1))
        drawing.path("M398 330 Q372 520 366 680 L320 700 Q350 480 398 330 Z", shade(colour, 0.1))
        drawing.rect(240, 150, 320, 40, shade(colour, 0.07))
    drawing.path("M266 190 L534 190 M400 190 L400 330", line=line, width=4)
    drawing.path("M400 196 Q430 250 404 292", line=line, width=3)
    drawing.path("M262 232 Q306 232 322 192 M538 232 Q494 232 478 192", line=line, width=4)
    for x in (300, 350, 440, 490):
        drawing.rect(x, 146, 11, 50, shade(colour, 0.16), radius=3)
    drawing.circle(400, 170, 8, BRASS)
    drawing.path("M242 640 L360 644 M558 640 L440 644", line=line, width=3)


def beanie(drawing: Drawing, colour: str) -> None:
    dome = "M210 470 Q204 236 400 226 Q596 236 590 470 Z"
    with drawing.moved(8, 12):
        drawing.path(dome, shade(drawing.background, 0.5), opacity=0.14)
    drawing.path(dome, colour)
    with drawing.clipped(dome):
        drawing.path("M480 200 Q560 300 540 480 L640 480 L640 200 Z", shade(colour, 0.1))
        for step in range(-9, 10):
            x = 400 + step * 21
            drawing.path(f"M{400 + step * 6} 228 Q{x} 300 {x} 480", line=shade(colour, 0.13), width=5)
    cuff = "M192 446 Q400 476 608 446 Q622 500 608 572 Q400 604 192 572 Q178 500 192 446 Z"
    with drawing.moved(8, 10):
        drawing.path(cuff, shade(drawing.background, 0.5), opacity=0.14)
    drawing.path(cuff, tint(colour, 0.1))
    with drawing.clipped(cuff):
        for x in range(196, 620, 22):
            drawing.path(f"M{x} 440 L{x} 610", line=shade(colour, 0.12), width=6)
        drawing.path("M520 430 L640 430 L640 620 L520 620 Z", shade(colour, 0.3), opacity=0.16)
    drawing.rect(368, 494, 64, 44, CREAM, radius=5)
    drawing.path("M384 516 L400 503 L416 516 L400 529 Z", COLOURS["Clay"])


def socks(drawing: Drawing, colour: str) -> None:
    outline = "M300 150 L420 150 L424 420 Q430 470 480 520 L560 590 Q604 634 560 668 Q520 694 470 660 L352 560 Q304 520 304 450 Z"
    for x, y, turn in ((-78, 10, -6), (66, -12, 4)):
        with drawing.moved(x, y, turn=turn):
            with drawing.moved(8, 12):
                drawing.path(outline, shade(drawing.background, 0.5), opacity=0.16)
            drawing.path(outline, colour)
            with drawing.clipped(outline):
                drawing.rect(290, 150, 150, 74, tint(colour, 0.12))
                for stripe in range(304, 430, 13):
                    drawing.path(f"M{stripe} 150 L{stripe} 222", line=shade(colour, 0.16), width=4)
                drawing.rect(290, 250, 150, 16, CREAM)
                drawing.rect(290, 278, 150, 8, CREAM)
                drawing.path("M500 540 Q560 560 500 690 L640 700 L640 520 Z", shade(colour, 0.22))
                drawing.path("M300 440 Q400 470 380 580 L280 560 Z", shade(colour, 0.22))
                drawing.path("M396 150 L424 150 L424 420 Q424 470 480 520 L560 590 L400 440 Z", shade(colour, 0.08))


def scarf(drawing: Drawing, colour: str) -> None:
    accent = COLOURS["Chalk"] if not is_light(colour) else COLOURS["Clay"]

    def tail(outline: str, dark: float, fringe: list[tuple[float, float]]) -> None:
        with drawing.moved(8, 12):
            drawing.path(outline, shade(drawing.background, 0.5), opacity=0.14)
        for x, y in fringe:
            drawing.path(f"M{x} {y} l-4 44", line=shade(colour, dark + 0.05), width=7)
        drawing.path(outline, shade(colour, dark))

    tail("M430 330 L548 300 L604 596 L476 620 Z", 0.1, [(482 + i * 20, 620 - i * 4) for i in range(7)])
    with drawing.clipped("M430 330 L548 300 L604 596 L476 620 Z"):
        for y in (520, 552):
            drawing.path(f"M420 {y + 24} L640 {y - 20}", line=accent, width=14)
    tail("M262 300 L400 340 L356 640 L226 622 Z", 0.03, [(232 + i * 20, 624 + i * 2) for i in range(7)])
    with drawing.clipped("M262 300 L400 340 L356 640 L226 622 Z"):
        for y in (544, 578):
            drawing.path(f"M200 {y - 8} L420 {y + 22}", line=accent, width=14)
    loop = "M214 258 Q210 150 400 146 Q590 150 586 258 Q580 372 400 380 Q220 372 214 258 Z"
    with drawing.moved(6, 12):
        drawing.path(loop, shade(drawing.background, 0.5), opacity=0.14)
    drawing.path(loop, colour)
    drawing.path("M286 236 Q300 190 400 188 Q500 190 514 236 Q480 272 400 274 Q320 272 286 236 Z", shade(colour, 0.42))
    for d in ("M230 290 Q310 346 420 340", "M252 190 Q320 150 420 160", "M570 300 Q520 340 450 350"):
        drawing.path(d, line=shade(colour, 0.14), width=5)


def belt(drawing: Drawing, colour: str) -> None:
    dark, edge = shade(colour, 0.14), tint(colour, 0.25)
    drawing.path("M400 160 A240 240 0 1 1 399 160", line=shade(drawing.background, 0.4), width=70, opacity=0.14)
    with drawing.moved(-6, -10):
        drawing.path("M400 170 A230 230 0 1 1 398 170", line=dark, width=66)
        drawing.path("M400 170 A230 230 0 1 1 398 170", line=colour, width=54)
        drawing.path("M400 190 A210 210 0 1 1 398 190", line=edge, width=2.5)
        drawing.path("M400 150 A250 250 0 1 1 398 150", line=edge, width=2.5)
        drawing.path("M400 170 L540 120", line=dark, width=66)
        drawing.path("M392 172 L540 120", line=colour, width=54)
        for step in range(4):
            drawing.circle(452 + step * 26, 152 - step * 9, 5, shade(colour, 0.6))
        with drawing.turned(-8, 366, 174):
            drawing.path(
                "M342 128 h52 q12 0 12 12 v68 q0 12 -12 12 h-52 q-12 0 -12 -12 v-68 q0 -12 12 -12 Z",
                line=BRASS,
                width=13,
            )
        drawing.path("M366 174 L410 164", line=tint(BRASS, 0.2), width=9)
