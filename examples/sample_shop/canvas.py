"""The common style of the sample shop's pictures: flat shapes, light from the left, one palette, soft grounds.

Everything is plain SVG on a canvas of 800 by 800, put together as text.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

SIZE = 800

# Backgrounds, one for each part of the shop.
SAND = "#F1E8DA"
SAGE = "#E2E8DB"
MIST = "#DFE7EC"
BLUSH = "#F2E1D8"
BUTTER = "#F5EBCF"
LILAC = "#E8E3EC"
STONE = "#E9E6E1"

# Materials.
OAK, WALNUT, PINE = "#D2A56D", "#7A5138", "#E3C391"
STEEL, IRON, BRASS = "#B9C0C6", "#3A3C40", "#C79A45"
CREAM, INK = "#FAF5EA", "#2B2F38"
LEAF, TERRACOTTA = "#6E8B5B", "#C46F4B"

# The colours that clothes and other things come in, by the name that the shop gives them.
COLOURS = {
    "Chalk": "#F4EFE4",
    "Navy": "#34456A",
    "Moss": "#74845A",
    "Clay": "#BE7150",
    "Sand": "#D9C29C",
    "Sky": "#9CBBD1",
    "Charcoal": "#4C4E55",
    "Oat": "#DFCFB4",
    "Forest": "#41604F",
    "Rust": "#AE5733",
    "Mustard": "#D6A036",
    "Slate": "#62717F",
    "Ink": "#2C313D",
    "Tan": "#B98250",
    "Black": "#323236",
    "Natural": "#E9DCC3",
    "Oak": OAK,
    "Walnut": WALNUT,
}


def mix(first: str, second: str, share: float) -> str:
    """`share` of the second colour in the first."""
    a, b = (tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in (first, second))
    return "#" + "".join(f"{round(x + (y - x) * share):02X}" for x, y in zip(a, b, strict=True))


def shade(colour: str, share: float = 0.16) -> str:
    """Darker, and a little bluer, as shadows are."""
    return mix(colour, "#1E2233", share)


def tint(colour: str, share: float = 0.25) -> str:
    return mix(colour, "#FFFDF6", share)


def is_light(colour: str) -> bool:
    return sum(int(colour[i : i + 2], 16) * weight for i, weight in ((1, 0.3), (3, 0.59), (5, 0.11))) > 150


class Drawing:
    """A picture in the making. Coordinates are those of the canvas; later shapes lie on top."""

    def __init__(self, background: str, *, ground: float | None = None) -> None:
        """`ground` is where a floor begins, for things that stand; without it a soft disc lies behind."""
        self.background = background
        self._parts = [f'<rect width="{SIZE}" height="{SIZE}" fill="{background}"/>']
        self._clips = 0
        if ground is None:
            self.circle(400, 400, 318, tint(background, 0.45))
        else:
            self.rect(0, ground, SIZE, SIZE - ground, shade(background, 0.07))

    def add(self, markup: str) -> None:
        self._parts.append(markup)

    def path(self, d: str, fill: str = "none", *, line: str = "", width: float = 0, opacity: float = 1) -> None:
        stroke = (
            f' stroke="{line}" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"' if line else ""
        )
        self.add(f'<path d="{d}" fill="{fill}"{stroke}{_opacity(opacity)}/>')

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, *, radius: float = 0, opacity: float = 1
    ) -> None:
        self.add(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="{fill}"{_opacity(opacity)}/>'
        )

    def circle(self, x: float, y: float, radius: float, fill: str, *, opacity: float = 1) -> None:
        self.add(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"{_opacity(opacity)}/>')

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, fill: str, *, opacity: float = 1, turn: float = 0
    ) -> None:
        turned = f' transform="rotate({turn} {x} {y})"' if turn else ""
        self.add(f'<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}" fill="{fill}"{_opacity(opacity)}{turned}/>')

    def ring(self, x: float, y: float, rx: float, ry: float, line: str, width: float, *, turn: float = 0) -> None:
        turned = f' transform="rotate({turn} {x} {y})"' if turn else ""
        shape = f'<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}"'
        self.add(f'{shape} fill="none" stroke="{line}" stroke-width="{width}"{turned}/>')

    def text(self, x: float, y: float, words: str, colour: str, *, size: int, family: str, extra: str = "") -> None:
        """Centred at `x`, standing on `y`."""
        font = f'font-family="{family}" font-size="{size}"'
        self.add(f'<text x="{x}" y="{y}" {font} fill="{colour}" text-anchor="middle" {extra}>{words}</text>')

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 4, *, opacity: float = 1) -> None:
        d = "M" + " L".join(f"{x} {y}" for x, y in points)
        self.path(d, line=colour, width=width, opacity=opacity)

    def polygon(self, points: Sequence[tuple[float, float]], fill: str, *, opacity: float = 1) -> None:
        self.path("M" + " L".join(f"{x} {y}" for x, y in points) + " Z", fill, opacity=opacity)

    def shadow(self, x: float, y: float, rx: float, ry: float = 16) -> None:
        """On the ground, under something that stands at `y`."""
        dark = shade(self.background, 0.55)
        self.ellipse(x + 10, y + 3, rx * 1.08, ry * 1.25, dark, opacity=0.12)
        self.ellipse(x + 4, y, rx, ry, dark, opacity=0.2)

    @contextmanager
    def clipped(self, d: str) -> Iterator[None]:
        """Shapes drawn inside show only within the path."""
        self._clips += 1
        name = f"c{self._clips}"
        self.add(f'<clipPath id="{name}"><path d="{d}"/></clipPath><g clip-path="url(#{name})">')
        yield
        self.add("</g>")

    @contextmanager
    def moved(self, x: float = 0, y: float = 0, *, scale: float = 1, turn: float = 0) -> Iterator[None]:
        """Shapes drawn inside are turned by degrees and scaled about the centre, then moved."""
        middle = SIZE / 2
        self.add(
            f'<g transform="translate({middle + x} {middle + y}) rotate({turn}) scale({scale}) '
            f'translate({-middle} {-middle})">'
        )
        yield
        self.add("</g>")

    @contextmanager
    def turned(self, degrees: float, x: float, y: float) -> Iterator[None]:
        """Shapes drawn inside are turned about a point."""
        self.add(f'<g transform="rotate({degrees} {x} {y})">')
        yield
        self.add("</g>")

    def svg(self) -> str:
        body = "\n".join(self._parts)
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">\n{body}\n</svg>\n'


def _opacity(value: float) -> str:
    return "" if value == 1 else f' opacity="{value}"'
