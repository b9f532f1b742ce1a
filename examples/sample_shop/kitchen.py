"""Things for the kitchen and the table."""

from examples.sample_shop.canvas import BRASS, COLOURS, CREAM, OAK, STEEL, Drawing, is_light, shade, tint

TABLE = 600.0
FOOT = 640.0


def enamel_mug(drawing: Drawing, colour: str) -> None:
    rim = COLOURS["Ink"] if is_light(colour) else CREAM
    drawing.shadow(390, FOOT, 190)
    drawing.path("M560 330 Q694 326 680 440 Q668 552 548 540", line=shade(colour, 0.1), width=34)
    drawing.path("M560 330 Q694 326 680 440 Q668 552 548 540", line=colour, width=22)
    body = "M206 240 L586 240 L564 610 Q560 642 528 644 L264 644 Q232 642 228 610 Z"
    drawing.path(body, colour)
    with drawing.clipped(body):
        drawing.rect(470, 200, 200, 500, shade(colour, 0.1))
        drawing.rect(528, 200, 200, 500, shade(colour, 0.18))
        drawing.rect(246, 200, 26, 500, tint(colour, 0.35), opacity=0.6)
        drawing.path(
            "M200 520 L330 400 L400 470 L470 380 L600 520 L600 580 L200 580 Z", shade(colour, 0.26), opacity=0.55
        )
    drawing.ellipse(396, 240, 190, 40, rim)
    drawing.ellipse(396, 242, 178, 34, shade(CREAM, 0.08))
    drawing.ellipse(396, 254, 160, 24, "#5A3B2A")


def plates(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, 640, 280)
    for step in range(4):
        y = 610 - step * 34
        drawing.ellipse(400, y, 276, 62, shade(colour, 0.2))
        drawing.ellipse(400, y - 12, 276, 60, colour)
    drawing.ellipse(400, 492, 276, 60, tint(colour, 0.25))
    drawing.ellipse(400, 498, 214, 42, shade(colour, 0.07))
    drawing.ellipse(400, 502, 200, 36, tint(colour, 0.18))
    bowl = "M262 380 Q270 492 352 500 L448 500 Q530 492 538 380 Z"
    drawing.path(bowl, COLOURS["Slate"])
    with drawing.clipped(bowl):
        drawing.rect(470, 370, 100, 140, shade(COLOURS["Slate"], 0.14))
    drawing.ellipse(400, 380, 138, 30, tint(COLOURS["Slate"], 0.3))
    drawing.ellipse(400, 384, 122, 23, shade(COLOURS["Slate"], 0.2))
    for x, y in ((342, 470), (318, 430), (420, 480), (380, 446), (450, 430)):
        drawing.circle(x, y, 3, tint(COLOURS["Slate"], 0.4))


def skillet(drawing: Drawing, colour: str) -> None:
    with drawing.moved(8, 14):
        drawing.circle(350, 440, 222, shade(drawing.background, 0.5), opacity=0.2)
    drawing.path("M486 300 L654 132 Q690 104 716 130 Q742 158 712 190 L540 358 Z", colour)
    drawing.path("M512 330 L690 152", line=shade(colour, 0.3), width=12)
    drawing.circle(694, 152, 13, drawing.background)
    drawing.circle(350, 440, 222, colour)
    drawing.path("M150 372 L116 398 L152 430 Z", colour)
    drawing.circle(350, 440, 204, shade(colour, 0.3))
    drawing.circle(350, 446, 192, tint(colour, 0.08))
    drawing.path("M226 400 Q250 296 352 280", line=tint(colour, 0.25), width=10)
    egg = "M262 430 Q280 356 362 372 Q446 360 450 444 Q470 520 380 532 Q300 556 270 500 Q246 470 262 430 Z"
    drawing.path(egg, CREAM)
    drawing.path("M450 444 Q470 520 380 532 Q300 556 270 500 Q350 530 410 500 Q444 480 450 444 Z", shade(CREAM, 0.1))
    drawing.circle(364, 448, 46, COLOURS["Mustard"])
    drawing.circle(350, 434, 14, tint(COLOURS["Mustard"], 0.5))


def knife(drawing: Drawing, wood: str) -> None:
    with drawing.moved(0, 0, turn=-34, scale=1.12):
        for x, y, opacity in ((10, 14, 0.16), (0, 0, 1.0)):
            shadow = opacity < 1
            with drawing.moved(x, y):
                blade = "M130 356 Q150 450 320 452 L498 452 L498 356 Z"
                drawing.path(blade, shade(drawing.background, 0.5) if shadow else STEEL, opacity=opacity)
                handle = "M512 362 L700 358 Q730 360 728 396 Q728 424 700 424 Q640 412 512 424 Z"
                drawing.path(handle, shade(drawing.background, 0.5) if shadow else wood, opacity=opacity)
        drawing.path("M130 356 Q150 450 320 452 L498 452 L498 420 L330 420 Q200 416 130 356 Z", tint(STEEL, 0.5))
        drawing.rect(494, 352, 22, 104, BRASS, radius=5)
        drawing.path("M512 404 Q640 394 728 404 Q722 424 700 424 Q640 412 512 424 Z", shade(wood, 0.18))
        for x in (556, 616, 676):
            drawing.circle(x, 390, 8, BRASS)
            drawing.circle(x - 2, 388, 3, tint(BRASS, 0.5))


def cutting_board(drawing: Drawing, wood: str) -> None:
    with drawing.moved(0, 10, turn=-12):
        outline = "M250 250 Q250 222 278 222 L352 222 Q366 222 366 206 L366 150 Q366 116 400 116 Q434 116 434 150 L434 206 Q434 222 448 222 L522 222 Q550 222 550 250 L550 640 Q550 668 522 668 L278 668 Q250 668 250 640 Z"
        with drawing.moved(10, 16):
            drawing.path(outline, shade(drawing.background, 0.5), opacity=0.17)
        drawing.path(outline, wood)
        with drawing.clipped(outline):
            for x, width, dark in ((250, 60, 0.0), (310, 50, 0.07), (360, 80, 0.02), (440, 46, 0.1), (486, 64, 0.04)):
                drawing.rect(x, 100, width, 580, shade(wood, dark))
            for x in (274, 330, 384, 418, 462, 516):
                drawing.path(f"M{x} 230 Q{x - 10} 420 {x + 5} 670", line=shade(wood, 0.13), width=2.5)
        drawing.circle(400, 160, 16, drawing.background)
    tomato = "#C8553D"
    drawing.circle(488, 560, 62, shade(tomato, 0.1))
    drawing.circle(482, 554, 58, tomato)
    drawing.path("M482 512 l10 14 l18 -2 l-12 14 l6 16 l-22 -10 l-20 12 l4 -18 l-14 -12 l20 -2 Z", COLOURS["Forest"])
    for x, y, turn in ((330, 520, -20), (366, 566, 30), (318, 590, 70)):
        with drawing.turned(turn, x, y):
            drawing.ellipse(x, y, 30, 14, COLOURS["Moss"])
            drawing.path(f"M{x - 24} {y} h48", line=tint(COLOURS["Moss"], 0.4), width=3)


def kettle(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, FOOT, 216)
    drawing.path("M222 400 Q120 340 116 262 L158 256 Q190 330 280 352 Z", shade(colour, 0.06))
    drawing.rect(104, 246, 66, 18, shade(colour, 0.2), radius=8)
    drawing.path("M262 330 Q250 150 400 146 Q552 150 540 330", line=OAK, width=26)
    drawing.path("M262 330 Q250 150 400 146", line=tint(OAK, 0.18), width=8)
    body = "M220 604 Q196 330 400 318 Q604 330 580 604 Q578 640 544 642 L256 642 Q222 640 220 604 Z"
    drawing.path(body, colour)
    with drawing.clipped(body):
        drawing.path("M470 300 Q560 420 530 660 L640 660 L640 300 Z", shade(colour, 0.13))
        drawing.path("M264 600 Q250 430 320 366", line=tint(colour, 0.4), width=18)
        drawing.rect(180, 606, 460, 50, shade(colour, 0.2))
    drawing.ellipse(400, 330, 96, 22, shade(colour, 0.22))
    drawing.ellipse(400, 322, 92, 22, tint(colour, 0.12))
    drawing.circle(400, 294, 21, OAK)
    drawing.circle(393, 288, 8, tint(OAK, 0.4))


def tea_towels(drawing: Drawing, colour: str) -> None:
    for index, (base, stripe) in enumerate(
        ((colour, COLOURS["Clay"]), (CREAM, COLOURS["Navy"]), (COLOURS["Oat"], COLOURS["Forest"]))
    ):
        y = 470 - index * 108
        with drawing.moved(8, 12):
            drawing.rect(196, y, 408, 122, shade(drawing.background, 0.5), radius=26, opacity=0.15)
        drawing.rect(196, y, 408, 122, base, radius=26)
        drawing.rect(196, y + 96, 408, 26, shade(base, 0.12), radius=13)
        drawing.path(f"M236 {y + 62} Q400 {y + 76} 594 {y + 62}", line=shade(base, 0.16), width=4)
        for x in (476, 506, 528):
            drawing.rect(x, y, 16 if x == 476 else 8, 122, stripe, opacity=0.9)


def apron(drawing: Drawing, colour: str) -> None:
    line = shade(colour, 0.25)
    drawing.path("M322 176 Q330 84 400 80 Q470 84 478 176", line=shade(COLOURS["Tan"], 0.1), width=15)
    drawing.path("M240 366 Q150 396 120 500 M560 366 Q650 396 680 500", line=shade(COLOURS["Tan"], 0.1), width=13)
    outline = "M312 166 L488 166 Q486 300 572 360 L580 690 Q400 712 220 690 L228 360 Q314 300 312 166 Z"
    with drawing.moved(8, 12):
        drawing.path(outline, shade(drawing.background, 0.5), opacity=0.16)
    drawing.path(outline, colour)
    with drawing.clipped(outline):
        drawing.path("M500 150 Q540 420 516 720 L640 720 L640 150 Z", shade(colour, 0.09))
    drawing.path("M310 190 L490 190", line=line, width=4)
    drawing.rect(346, 220, 108, 92, shade(colour, 0.05), radius=8)
    drawing.path("M346 236 h108 M400 220 v92", line=line, width=3)
    drawing.rect(270, 442, 260, 138, shade(colour, 0.06), radius=10)
    drawing.path("M270 462 h260 M400 442 v138", line=line, width=4)
    for x, y in ((312, 172), (488, 172), (238, 366), (562, 366)):
        drawing.circle(x, y, 9, BRASS)


def carafe(drawing: Drawing, colour: str) -> None:
    drawing.shadow(360, FOOT, 150)
    drawing.shadow(580, FOOT, 74, 10)
    body = "M300 150 L420 150 Q410 300 468 400 Q520 520 480 616 Q472 642 440 644 L280 644 Q248 642 240 616 Q200 520 252 400 Q310 300 300 150 Z"
    drawing.path(body, tint(colour, 0.55), opacity=0.75)
    with drawing.clipped(body):
        drawing.path("M190 460 Q360 440 530 460 L530 660 L190 660 Z", colour, opacity=0.75)
        drawing.path("M452 380 Q520 520 470 650 L540 650 L540 380 Z", shade(colour, 0.25), opacity=0.5)
        drawing.path("M262 600 Q226 510 276 416", line=CREAM, width=14, opacity=0.7)
    drawing.ellipse(360, 458, 132, 16, tint(colour, 0.3), opacity=0.8)
    drawing.ellipse(360, 150, 60, 13, shade(colour, 0.2), opacity=0.7)
    drawing.path("M352 120 L368 120 L376 158 L344 158 Z", OAK)
    drawing.circle(360, 108, 24, OAK)
    glass = "M520 470 L640 470 L628 640 L532 640 Z"
    drawing.path(glass, tint(colour, 0.55), opacity=0.8)
    with drawing.clipped(glass):
        drawing.rect(500, 540, 160, 120, colour, opacity=0.75)
        drawing.rect(606, 460, 40, 200, shade(colour, 0.25), opacity=0.4)
    drawing.ellipse(580, 470, 60, 11, shade(colour, 0.2), opacity=0.7)


def pour_over(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, FOOT, 150)
    jug = "M304 430 L496 430 Q560 500 548 606 Q544 640 510 642 L290 642 Q256 640 252 606 Q240 500 304 430 Z"
    drawing.path(jug, tint(COLOURS["Sky"], 0.55), opacity=0.8)
    with drawing.clipped(jug):
        drawing.rect(220, 540, 360, 120, "#5A3B2A", opacity=0.92)
        drawing.path("M500 430 Q570 520 540 660 L600 660 L600 430 Z", "#1E2233", opacity=0.1)
        drawing.path("M278 600 Q264 520 312 458", line=CREAM, width=11, opacity=0.6)
    drawing.path("M540 486 Q640 480 626 556 Q616 606 552 596", line=shade(colour, 0.1), width=17)
    cone = "M230 200 L570 200 Q560 230 470 398 L330 398 Q240 230 230 200 Z"
    drawing.path(cone, colour)
    with drawing.clipped(cone):
        drawing.path("M460 180 L430 410 L600 410 L600 180 Z", shade(colour, 0.12))
        for x in range(-4, 5):
            drawing.path(f"M{400 + x * 36} 216 L{400 + x * 16} 398", line=shade(colour, 0.1), width=4)
    drawing.path("M566 236 Q654 232 638 300 Q624 346 530 336", line=shade(colour, 0.1), width=18)
    drawing.ellipse(400, 200, 170, 34, tint(colour, 0.25))
    drawing.ellipse(400, 204, 150, 26, "#E8D8BE")
    drawing.ellipse(400, 212, 122, 17, "#5A3B2A")
    drawing.rect(286, 396, 228, 30, shade(colour, 0.1), radius=12)
    drawing.path(
        "M360 150 Q344 122 366 96 M420 150 Q404 116 428 84", line=shade(drawing.background, 0.25), width=6, opacity=0.5
    )


def mixing_bowls(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, FOOT, 190)
    bowls = ((400, 292, colour), (352, 216, COLOURS["Chalk"]), (312, 148, COLOURS["Clay"]))
    for y, width, tone in bowls:
        drawing.ellipse(400, y, width, width * 0.2, tint(tone, 0.2))
        drawing.ellipse(400, y + 4, width * 0.93, width * 0.165, shade(tone, 0.2))
    for y, width, tone in reversed(bowls):
        depth, lip = width * 0.82, width * 0.265
        body = (
            f"M{400 - width} {y} Q{400 - width * 0.9} {y + depth} {400 - width * 0.4} {y + depth} "
            f"L{400 + width * 0.4} {y + depth} Q{400 + width * 0.9} {y + depth} {400 + width} {y} "
            f"Q{400 + width * 0.6} {y + lip} 400 {y + lip * 0.78} Q{400 - width * 0.6} {y + lip} {400 - width} {y} Z"
        )
        drawing.path(body, tone)
        with drawing.clipped(body):
            drawing.path(
                f"M{400 + width * 0.45} {y} Q{400 + width * 0.7} {y + depth} {400 + width * 0.2} {y + depth + 10} "
                f"L{400 + width} {y + depth} L{400 + width} {y} Z",
                shade(tone, 0.13),
            )
            band = tint(tone, 0.55) if not is_light(tone) else COLOURS["Slate"]
            drawing.path(
                f"M{400 - width} {y + 34} Q400 {y + 34 + lip * 1.3} {400 + width} {y + 34}", line=band, width=9
            )
