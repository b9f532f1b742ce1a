"""Things for days and nights outside."""

from examples.sample_shop.canvas import BRASS, COLOURS, CREAM, IRON, OAK, STEEL, Drawing, shade, tint

GROUND = 610.0
FOOT = 650.0


def backpack(drawing: Drawing, colour: str) -> None:
    line, strap = shade(colour, 0.26), COLOURS["Tan"]
    drawing.shadow(400, FOOT, 210)
    drawing.path("M352 150 Q354 96 400 96 Q446 96 448 150", line=strap, width=17)
    body = "M238 330 Q238 138 400 138 Q562 138 562 330 L576 606 Q576 652 530 652 L270 652 Q224 652 224 606 Z"
    drawing.path(body, shade(colour, 0.06))
    with drawing.clipped(body):
        drawing.path("M500 130 L500 660 L620 660 L620 130 Z", shade(colour, 0.2))
    for x in (206, 560):
        drawing.rect(x, 430, 36, 176, shade(colour, 0.18), radius=14)
    flap = "M230 300 Q232 128 400 128 Q568 128 570 300 Q572 372 540 382 L260 382 Q228 372 230 300 Z"
    drawing.path(flap, colour)
    with drawing.clipped(flap):
        drawing.path("M480 120 Q540 250 500 400 L620 400 L620 120 Z", shade(colour, 0.1))
    drawing.path("M246 364 Q400 378 554 364", line=line, width=3)
    drawing.rect(272, 438, 256, 170, colour, radius=22)
    drawing.rect(272, 438, 256, 52, shade(colour, 0.12), radius=20)
    for x in (318, 452):
        drawing.rect(x, 346, 30, 128, strap, radius=6)
        drawing.rect(x + 20, 346, 10, 128, shade(strap, 0.16), radius=4)
        drawing.rect(x - 6, 404, 42, 30, BRASS, radius=6)
        drawing.rect(x + 2, 411, 26, 16, shade(strap, 0.1), radius=3)
    drawing.rect(368, 200, 64, 48, CREAM, radius=6)
    drawing.path("M380 236 L398 210 L408 224 L414 216 L424 236 Z", COLOURS["Forest"])


def tent(drawing: Drawing, colour: str) -> None:
    for x, height, tone in ((110, 230, 0.12), (186, 170, 0.18), (640, 210, 0.14), (712, 280, 0.1)):
        tree = shade(COLOURS["Forest"], tone)
        base = 614
        drawing.rect(x - 6, base - 20, 12, 24, shade(OAK, 0.4))
        for step in range(3):
            top, half = base - height + step * height * 0.24, (height * 0.2) + step * height * 0.07
            drawing.polygon([(x - half, top + height * 0.36), (x + half, top + height * 0.36), (x, top)], tree)
    drawing.shadow(410, 640, 300)
    drawing.polygon([(330, 262), (120, 640), (560, 640)], colour)
    drawing.polygon([(330, 262), (520, 236), (704, 620), (560, 640)], shade(colour, 0.18))
    drawing.polygon([(330, 262), (520, 236), (600, 402), (424, 430)], shade(colour, 0.1))
    drawing.polygon([(330, 330), (250, 640), (420, 640)], shade(colour, 0.55))
    drawing.path("M330 330 Q290 500 196 640 L252 640 Z", tint(colour, 0.25))
    drawing.path("M330 330 Q372 500 474 640 L420 640 Z", tint(colour, 0.15))
    drawing.path("M330 252 L330 274 M520 226 L520 244", line=OAK, width=9)
    drawing.path("M330 256 L84 650 M520 230 L748 634", line=CREAM, width=3)
    drawing.path("M76 632 L92 662 M756 618 L742 648", line=OAK, width=8)


def sleeping_bag(drawing: Drawing, colour: str) -> None:
    lining = COLOURS["Clay"]
    outline = "M400 90 Q520 96 536 240 L520 600 Q510 700 400 706 Q290 700 280 600 L264 240 Q280 96 400 90 Z"
    with drawing.moved(0, 0, turn=18):
        with drawing.moved(12, 16):
            drawing.path(outline, shade(drawing.background, 0.5), opacity=0.17)
        drawing.path(outline, colour)
        with drawing.clipped(outline):
            for y in range(300, 700, 62):
                drawing.path(f"M250 {y} Q400 {y + 30} 550 {y}", line=shade(colour, 0.2), width=5)
            drawing.path("M470 80 Q520 400 440 710 L600 710 L600 80 Z", shade(colour, 0.1))
        drawing.path("M400 118 Q490 124 500 226 Q450 262 400 262 Q350 262 300 226 Q310 124 400 118 Z", lining)
        drawing.path(
            "M400 148 Q462 152 468 222 Q432 244 400 244 Q368 244 332 222 Q338 152 400 148 Z", shade(lining, 0.3)
        )
        drawing.path("M500 226 Q524 236 520 330 Q470 330 440 262 Z", lining)
        drawing.path("M516 330 L502 560", line=BRASS, width=5)
        drawing.rect(494, 560, 14, 26, BRASS, radius=4)


def lantern(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, FOOT, 140)
    drawing.path("M296 300 Q260 110 400 104 Q540 110 504 300", line=IRON, width=10)
    drawing.circle(400, 446, 176, COLOURS["Mustard"], opacity=0.16)
    drawing.rect(316, 330, 168, 220, tint(COLOURS["Mustard"], 0.62), radius=34)
    drawing.rect(316, 330, 34, 220, CREAM, radius=16, opacity=0.7)
    drawing.path("M400 376 Q446 436 430 476 Q420 506 400 506 Q380 506 370 476 Q354 436 400 376 Z", COLOURS["Mustard"])
    drawing.path("M400 424 Q424 456 416 482 Q410 500 400 500 Q390 500 384 482 Q376 456 400 424 Z", CREAM)
    for x in (312, 480):
        drawing.rect(x, 318, 9, 246, IRON)
    drawing.path("M316 418 h168 M316 470 h168", line=IRON, width=4)
    drawing.path("M330 250 L470 250 L508 322 L292 322 Z", colour)
    drawing.path("M430 250 L470 250 L508 322 L446 322 Z", shade(colour, 0.16))
    drawing.rect(352, 214, 96, 40, shade(colour, 0.1), radius=10)
    drawing.path("M296 556 L504 556 L530 640 Q530 652 516 652 L284 652 Q270 652 270 640 Z", colour)
    drawing.path("M444 556 L504 556 L530 640 Q530 652 516 652 L460 652 Z", shade(colour, 0.16))
    drawing.circle(400, 604, 19, BRASS)
    drawing.rect(396, 590, 8, 28, shade(BRASS, 0.3), radius=3)


def flask(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, FOOT, 122)
    body = "M308 270 Q308 238 340 232 L460 232 Q492 238 492 270 L492 616 Q492 650 458 650 L342 650 Q308 650 308 616 Z"
    drawing.path(body, colour)
    with drawing.clipped(body):
        drawing.rect(440, 220, 70, 440, shade(colour, 0.14))
        drawing.rect(326, 220, 20, 440, tint(colour, 0.4), opacity=0.75)
        drawing.rect(300, 618, 200, 40, STEEL)
    drawing.rect(332, 204, 136, 32, STEEL, radius=5)
    drawing.rect(326, 124, 148, 88, OAK, radius=18)
    drawing.rect(430, 124, 44, 88, shade(OAK, 0.16), radius=16)
    drawing.path("M356 124 Q358 84 400 84 Q442 84 444 124", line=COLOURS["Tan"], width=13)
    drawing.path("M372 470 L398 424 L412 446 L420 434 L442 470 Z", CREAM)


def hammock(drawing: Drawing, colour: str) -> None:
    for x in (92, 708):
        drawing.rect(x - 24, 60, 48, 600, shade(OAK, 0.34), radius=10)
        drawing.rect(x + 4, 60, 20, 600, shade(OAK, 0.48), radius=8)
        drawing.rect(x - 30, 210, 60, 18, CREAM, radius=6)
    drawing.ellipse(400, 652, 270, 18, shade(drawing.background, 0.55), opacity=0.2)
    drawing.path("M110 220 L232 330 M690 220 L568 330", line=CREAM, width=8)
    back = "M214 316 Q400 420 586 316 Q560 520 400 532 Q240 520 214 316 Z"
    drawing.path(back, shade(colour, 0.24))
    front = "M206 322 Q250 470 400 486 Q550 470 594 322 Q582 566 400 584 Q218 566 206 322 Z"
    drawing.path(front, colour)
    with drawing.clipped(front):
        for step in range(-5, 6):
            drawing.path(
                f"M{400 + step * 34} 320 Q{400 + step * 42} 500 {400 + step * 20} 600",
                line=CREAM,
                width=9,
                opacity=0.85,
            )
        drawing.path("M470 320 Q560 470 460 600 L640 600 L640 320 Z", shade(colour, 0.4), opacity=0.18)


def camp_chair(drawing: Drawing, colour: str) -> None:
    drawing.shadow(410, FOOT, 236)
    drawing.path("M268 650 L540 300 M540 650 L270 330", line=shade(OAK, 0.3), width=17)
    drawing.path("M276 156 L292 470 M524 156 L508 470", line=OAK, width=19)
    back = "M270 160 Q400 186 530 160 L518 404 Q400 440 284 404 Z"
    drawing.path(back, colour)
    with drawing.clipped(back):
        drawing.path("M470 140 L470 440 L560 440 L560 140 Z", shade(colour, 0.1))
    drawing.path("M278 196 Q400 222 522 196", line=shade(colour, 0.22), width=4)
    seat = "M248 430 Q400 392 552 430 L576 500 Q400 560 224 500 Z"
    drawing.path(seat, tint(colour, 0.08))
    drawing.path("M224 500 Q400 560 576 500 L576 518 Q400 580 224 518 Z", shade(colour, 0.2))
    drawing.path("M212 654 L560 414 M588 654 L240 414", line=OAK, width=19)
    drawing.path("M222 366 L284 366 M516 366 L578 366", line=OAK, width=21)
    drawing.circle(400, 524, 11, BRASS)


def compass(drawing: Drawing, colour: str) -> None:
    drawing.circle(412, 440, 228, shade(drawing.background, 0.5), opacity=0.17)
    drawing.rect(366, 150, 68, 60, shade(colour, 0.16), radius=14)
    drawing.ring(400, 140, 40, 40, colour, 16)
    drawing.circle(400, 424, 226, colour)
    drawing.path("M400 198 A226 226 0 0 1 400 650 A190 226 0 0 0 400 198 Z", shade(colour, 0.14))
    drawing.circle(400, 424, 186, shade(colour, 0.28))
    drawing.circle(400, 424, 178, CREAM)
    for step in range(24):
        length = 26 if step % 6 == 0 else 12
        with drawing.turned(step * 15, 400, 424):
            drawing.path(f"M400 256 v{length}", line=COLOURS["Ink"], width=6 if step % 6 == 0 else 3)
    with drawing.moved(0, 24, turn=34):
        drawing.polygon([(400, 262), (428, 400), (372, 400)], COLOURS["Rust"])
        drawing.polygon([(400, 262), (428, 400), (400, 400)], shade(COLOURS["Rust"], 0.18))
        drawing.polygon([(400, 538), (428, 400), (372, 400)], COLOURS["Slate"])
        drawing.polygon([(400, 538), (372, 400), (400, 400)], shade(COLOURS["Slate"], 0.18))
    drawing.circle(400, 424, 17, BRASS)
    drawing.path("M262 340 Q300 272 376 258", line="#FFFFFF", width=11, opacity=0.55)


def dry_bag(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, FOOT, 172)
    body = "M262 260 Q400 236 538 260 L560 600 Q562 652 514 654 L286 654 Q238 652 240 600 Z"
    drawing.path(body, colour)
    with drawing.clipped(body):
        drawing.path("M482 230 Q530 440 490 660 L600 660 L600 230 Z", shade(colour, 0.13))
        drawing.path("M286 620 Q262 440 300 280", line=tint(colour, 0.35), width=15, opacity=0.8)
        drawing.rect(230, 596, 340, 64, shade(colour, 0.22))
    drawing.path("M258 262 Q250 214 282 206 L518 206 Q550 214 542 262 Q400 238 258 262 Z", shade(colour, 0.1))
    drawing.rect(264, 176, 272, 40, shade(colour, 0.2), radius=18)
    drawing.path("M268 196 Q220 150 280 122 L520 122 Q580 150 532 196", line=IRON, width=15)
    drawing.rect(352, 104, 96, 40, IRON, radius=9)
    drawing.rect(380, 112, 40, 24, shade(IRON, 0.4), radius=5)
    drawing.path(
        "M352 420 Q376 396 400 420 T448 420 M352 452 Q376 428 400 452 T448 452 M352 484 Q376 460 400 484 T448 484",
        line=CREAM,
        width=9,
    )


def wool_blanket(drawing: Drawing, colour: str) -> None:
    drawing.shadow(400, 640, 250)
    for step, tone in enumerate((0.16, 0.08, 0.0)):
        y = 540 - step * 104
        base = shade(colour, tone)
        drawing.rect(170, y, 460, 104, base, radius=46)
        drawing.rect(170, y + 76, 460, 28, shade(base, 0.14), radius=14)
        for x, width, stripe in ((470, 34, CREAM), (512, 16, COLOURS["Mustard"]), (536, 34, CREAM)):
            drawing.rect(x, y, width, 104, stripe, opacity=0.92)
        drawing.path(f"M214 {y + 52} Q400 {y + 66} 600 {y + 52}", line=shade(base, 0.2), width=4, opacity=0.6)
    for x in range(196, 460, 15):
        drawing.path(f"M{x} 640 l-3 22", line=shade(colour, 0.2), width=5)
