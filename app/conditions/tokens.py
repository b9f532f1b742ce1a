"""Cutting a condition's text into tokens, after the CEL specification's lexis (github.com/google/cel-spec)."""

import math
import re
from dataclasses import dataclass

from app.conditions.errors import ConditionInvalid, ConditionProblem

MAX_LITERAL = 2**63 - 1
"""CEL's int has 64 bits."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    """`name`, `value`, `symbol` or `end`."""
    text: str
    position: int
    value: int | float | str | bool | None = None


_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+ | //[^\n]*)
  | (?P<text>[rRbB]{0,2}(?:\"\"\"|'''|"|'))
  | (?P<float>(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?))
  | (?P<hex>0[xX][0-9a-fA-F]+)
  | (?P<int>[0-9]+)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<symbol>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]])
    """,
    re.VERBOSE,
)
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_DIGITS = {"x": 2, "X": 2, "u": 4, "U": 8}
_IN_OTHER_LANGUAGES = {
    "=": "Use == to compare.",
    "&": "Use && for “and”.",
    "|": "Use || for “or”.",
    "{": "Maps and messages are not offered here.",
    **dict.fromkeys("\u201c\u201d\u201e", 'Use straight quotation marks: "…".'),
    **dict.fromkeys("\u2018\u2019\u201a", "Use straight quotation marks: '…'."),
}


def problem(message: str, position: int) -> ConditionInvalid:
    return ConditionInvalid([ConditionProblem(message, position)])


def tokens(source: str) -> list[Token]:
    """All tokens, the last one of kind `end`. Raises ConditionInvalid."""
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            hint = _IN_OTHER_LANGUAGES.get(source[at], "It has no meaning here.")
            raise problem(f"“{source[at]}” cannot be read. {hint}", at)
        kind, text = str(match.lastgroup), match.group()
        if kind == "text":
            value, end = _text(source, at, text)
            found.append(Token("value", source[at:end], at, value))
            at = end
            continue
        if kind in ("float", "hex", "int"):
            found.append(Token("value", text, at, _number(source, match)))
        elif kind == "name" and text in _CONSTANTS:
            found.append(Token("value", text, at, _CONSTANTS[text]))
        elif kind == "name":
            found.append(Token("symbol" if text == "in" else "name", text, at))
        elif kind == "symbol":
            found.append(Token("symbol", text, at))
        at = match.end()
    found.append(Token("end", "", len(source)))
    return found


def _number(source: str, match: "re.Match[str]") -> int | float:
    after = source[match.end() : match.end() + 1]
    if after.isalnum() or after == "_":
        raise problem(f"“{match.group()}{after}” is no number: write 3 or 2.5.", match.start())
    if match.lastgroup == "float":
        number = float(match.group())
        if math.isinf(number):
            raise problem("The number is too large.", match.start())
        return number
    whole = int(match.group(), 16 if match.lastgroup == "hex" else 10)
    if whole > MAX_LITERAL:
        raise problem("The number is too large: whole numbers go up to 9223372036854775807.", match.start())
    return whole


def _text(source: str, start: int, opening: str) -> tuple[str, int]:
    """The text's value, and where the token ends."""
    prefix = opening.rstrip("\"'").lower()
    quote = opening[len(prefix) :]
    if "b" in prefix:
        raise problem("Bytes are not offered here: write plain text.", start)
    at = start + len(opening)
    value: list[str] = []
    while not source.startswith(quote, at):
        if at >= len(source) or (len(quote) == 1 and source[at] in "\r\n"):
            raise problem(f"The text has no end: {quote} is missing.", start)
        if source[at] == "\\" and "r" not in prefix:
            character, at = _escaped(source, at)
        else:
            character, at = source[at], at + 1
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise problem("The text holds a character that cannot be stored.", start)
        value.append(character)
    return "".join(value), at + len(quote)


def _escaped(source: str, at: int) -> tuple[str, int]:
    code = source[at + 1 : at + 2]
    if code in _ESCAPES:
        return _ESCAPES[code], at + 2
    if code in _DIGITS:
        digits = source[at + 2 : at + 2 + _DIGITS[code]]
        if re.fullmatch(f"[0-9a-fA-F]{{{_DIGITS[code]}}}", digits) and int(digits, 16) <= 0x10FFFF:
            return chr(int(digits, 16)), at + 2 + len(digits)
    elif re.fullmatch("[0-3][0-7]{2}", source[at + 1 : at + 4]):
        return chr(int(source[at + 1 : at + 4], 8)), at + 4
    raise problem(r"Write a backslash in text as \\.", at)
