"""From bytes to lines: which encoding a file is in, and refusals that say what to do about it."""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from charset_normalizer import from_bytes

MAX_LINE_CHARACTERS = 4 * 1024 * 1024
"""A line of this length is no product row; without a bound a file without line ends would be read into memory whole."""

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")

_BYTE_ORDER_MARKS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KNOWN_CONTAINERS = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
)
_ENCODINGS = re.compile(
    r"utf-8(-sig)?|utf-16(-[lb]e)?|ascii|cp(437|850|852|866|932|949|950|125\d)|iso8859-\d+|mac-(roman|latin2|cyrillic)"
    r"|koi8-[ru]|shift_jis|euc_(jp|kr)|gb(18030|2312|k)|big5"
)
_DISPLAY_NAMES = {
    "cp932": "Shift JIS",
    "shift_jis": "Shift JIS",
    "euc_jp": "EUC-JP",
    "euc_kr": "EUC-KR",
    "cp949": "EUC-KR",
    "gb18030": "GB 18030",
    "gb2312": "GB 18030",
    "gbk": "GB 18030",
    "big5": "Big5",
    "big5hkscs": "Big5",
    "koi8_r": "KOI8-R",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
}


class FileRefused(Exception):  # noqa: N818 - reads as the outcome it is
    """The file as a whole cannot be imported. The message is for the person who sent it."""

    def __init__(self, message: str, row: int | None = None, column: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.row = row
        self.column = column


def encoding_of(head: bytes, declared: str | None = None) -> str:
    """The encoding to read with: the declared one, else the byte-order mark's, else UTF-8.

    Windows-1252 and its like are never assumed, only named in the refusal (`likely_encoding`): a wrong guess turns
    the names of a whole catalogue into rubbish without a word.

    Raises:
        FileRefused: no CSV at all, UTF-16 without a mark, or a declared encoding that does not exist.
    """
    if not head.strip():
        raise FileRefused("The file is empty.")
    for magic, kind in _KNOWN_CONTAINERS:
        if head.startswith(magic):
            raise FileRefused(f"The file is {kind}, not a CSV. Export or save the products as “CSV UTF-8”.")
    if declared is not None:
        return _declared(declared)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if head.count(b"\x00") > len(head) // 4:
        raise FileRefused("The file seems to be UTF-16 without a byte-order mark. Save it as “CSV UTF-8”.")
    return "utf-8"


def _declared(name: str) -> str:
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        known = ""
    # Python also knows codecs that are no encodings of text, and some that execute escapes.
    if not _ENCODINGS.fullmatch(known):
        raise FileRefused(f"“{name[:40]}” is no encoding that is known here; use a name such as windows-1252.")
    return known


def likely_encoding(sample: bytes) -> str:
    """A name for people, for text that turned out not to be UTF-8."""
    best = from_bytes(sample).best()
    if best is not None and best.encoding in _DISPLAY_NAMES:
        return _DISPLAY_NAMES[best.encoding]
    # Among the Latin code pages a guess is a coin toss; Excel on Windows makes nearly all of these files.
    return "Windows-1252"


def lines_of(source: IO[bytes], encoding: str) -> Iterator[str]:
    """Lines with their ends (LF, CRLF or CR), as `csv.reader` wants them.

    Raises:
        FileRefused: bytes that the encoding does not have, or a line beyond `MAX_LINE_CHARACTERS`.
    """
    # Undecodable bytes become lone surrogates, so that the very line can be named: the decoder itself reads ahead.
    utf8 = encoding in ("utf-8", "utf-8-sig")
    errors = "surrogateescape" if utf8 else "strict"
    text = io.TextIOWrapper(source, encoding=encoding, errors=errors, newline="")
    try:
        while True:
            try:
                line = text.readline(MAX_LINE_CHARACTERS)
            except UnicodeError:
                raise FileRefused(f"The file is cut off here, or is not {encoding.upper()}.") from None
            if not line:
                return
            if len(line) >= MAX_LINE_CHARACTERS:
                raise FileRefused(f"A line of the file is longer than {MAX_LINE_CHARACTERS:,} characters.")
            if utf8 and not line.isascii() and (escaped := _ESCAPED_BYTE.search(line)):
                raise _not_utf8(line, ord(escaped.group()) - 0xDC00)
            yield line
    finally:
        with suppress(ValueError):  # the source is closed already
            text.detach()  # the caller opened the source and closes it


def _not_utf8(line: str, byte: int) -> FileRefused:
    name = likely_encoding(line.encode("utf-8", "surrogateescape"))
    return FileRefused(
        f"The file is not UTF-8 (byte 0x{byte:02X} in this row); it looks like {name}. "
        f"Save it as “CSV UTF-8” and import it again, or name its encoding in the import."
    )
