"""Product descriptions as merchants paste them: made safe to show, and as plain text."""

import re
from html import escape
from html.parser import HTMLParser

import nh3

# nh3's own list of tags is that of prose and tables. Of attributes little is kept: editors leave styles, classes and
# data behind by the kilobyte.
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"title", "lang", "dir"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
    "time": {"datetime"},
}
_URL_SCHEMES = {"http", "https", "mailto", "tel"}

_PARAGRAPHS = frozenset("blockquote dl figure h1 h2 h3 h4 h5 h6 ol p pre table ul".split())  # noqa: SIM905
_LINES = frozenset("address article aside dd div dt figcaption footer header hr li nav section tr".split())  # noqa: SIM905
_SILENT = frozenset({"iframe", "noscript", "object", "script", "style", "svg", "template"})
_CELLS = frozenset({"td", "th"})


def sanitise(markup: str) -> str:
    """HTML that can be put into a page as it is: no scripts, no styles, no handlers, links without a way back."""
    return nh3.clean(
        markup,
        attributes=_ATTRIBUTES,
        url_schemes=_URL_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    ).strip()


def to_plain_text(markup: str) -> str:
    """What a reader would see: paragraphs apart, list items on lines with a dash, cells of a row apart by a bar."""
    extractor = _TextExtractor()
    extractor.feed(markup)
    extractor.close()
    return extractor.text()


def from_plain_text(text: str) -> str:
    """The text as HTML: a blank line begins a paragraph, every other line end stays one."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", text.replace("\r\n", "\n").strip())
    escaped = (escape(paragraph, quote=False).replace("\n", "<br>") for paragraph in paragraphs if paragraph)
    return "".join(f"<p>{paragraph}</p>" for paragraph in escaped)


class _TextExtractor(HTMLParser):
    """Collects lines; breaks are held back until text follows, so that nested blocks do not add up."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._breaks = 0
        self._bullet = False
        self._in_cell = False
        self._items = 0
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            if self._in_cell:
                self.handle_data(" ")
            else:
                self._breaks = min(self._breaks + 1, 2)
        elif tag in _CELLS:
            self._in_cell = True
            if not self._breaks and self._line:
                self._line = f"{self._line.rstrip()} | "
        elif tag in _PARAGRAPHS or tag in _LINES:
            self._break(tag)
            if tag == "li":
                self._bullet = True
                self._items += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _CELLS:
            self._in_cell = False
        elif tag in _PARAGRAPHS or tag in _LINES:
            if tag == "li":
                self._bullet = False
                self._items = max(0, self._items - 1)
            self._break(tag)

    def handle_data(self, data: str) -> None:
        text = re.sub(r"\s+", " ", data)
        if self._silent or not text:
            return
        if text == " ":
            self._line += "" if self._breaks or self._line.endswith(" ") else " "
            return
        if self._breaks:
            self._end_line()
        if self._bullet:
            self._line, self._bullet = "- ", False
        self._line += text.lstrip() if not self._line or self._line.endswith(" ") else text

    def _break(self, tag: str) -> None:
        # Behind a bullet a paragraph begins on the bullet's line, and within a table's cell it stays on the row's.
        if self._in_cell:
            self.handle_data(" ")
        elif not self._bullet:
            self._breaks = max(self._breaks, 2 if tag in _PARAGRAPHS and not self._items else 1)

    def _end_line(self) -> None:
        if self._line.strip():
            self._lines.append(self._line.rstrip())
            self._lines.extend([""] * (self._breaks - 1))
        self._line, self._breaks = "", 0

    def text(self) -> str:
        self._end_line()
        return "\n".join(self._lines).strip()
