"""Options that are made to order: what may be asked for, what it costs, and whether what is asked for is right. Pure.

A product has definitions, a line has values by their keys. Prices are minor units of the shop's currency for each unit
of the line; other currencies take them through their market's rate.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from app.errors import CommonErrorCode, DomainError
from app.kit.text import check_text
from app.terms.errors import TermsErrorCode
from app.terms.models import CustomizationType

MAX_CUSTOMIZATIONS = 25
MAX_CHOICES = 100
MAX_TEXT_CHARS = 200
MAX_TEXTAREA_CHARS = 1_000
TICKED, UNTICKED = "true", "false"

Field = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    price_minor: int = 0
    """On top of the customization's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customization:
    """One thing that can be asked for.

    Attributes:
        price_minor: for each unit, once it is asked for at all.
        max_length: characters of a text.
        minimum, maximum: of a number, or dates as YYYY-MM-DD; inclusive.
    """

    key: str
    label: str
    type: CustomizationType
    required: bool = False
    price_minor: int = 0
    choices: tuple[Choice, ...] = ()
    max_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None

    def choice(self, value: str) -> Choice | None:
        return next((choice for choice in self.choices if choice.value == value), None)


@dataclass(frozen=True, slots=True)
class Given:
    """A value that a shopper gave."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is made for one unit, as it is shown and charged."""

    key: str
    label: str
    value: str
    """As it was given; of a choice its own name for programs."""
    shown: str
    """For people: of a choice its label."""
    price_minor: int


@dataclass(frozen=True, slots=True)
class Priced:
    """A line's customizations by today's definitions.

    Attributes:
        problems: what keeps the line from being ordered: values that are not offered any more, or needed by now.
        repriced: whether any of them costs something else than when it was put into the cart.
    """

    chosen: tuple[Chosen, ...]
    problems: tuple[DomainError, ...]
    repriced: bool

    @property
    def price_minor(self) -> int:
        return sum(one.price_minor for one in self.chosen)


NOTHING = Priced((), (), False)


def read(stored: Iterable[Mapping[str, Any]]) -> tuple[Customization, ...]:
    """Definitions as `product_terms.customizations` keeps them; see `stored`."""
    return tuple(
        Customization(
            **{
                **definition,
                "type": CustomizationType(definition["type"]),
                "choices": tuple(Choice(**choice) for choice in definition.get("choices", ())),
            }
        )
        for definition in stored
    )


def checked(
    definitions: Sequence[Customization], given: Sequence[Given], field: Field
) -> tuple[list[dict[str, Any]], list[DomainError]]:
    """What a line keeps of what was given, in the definitions' order, and everything that is wrong with it.

    Blank texts and boxes that are not ticked are as if left out. Kept with each value is its price at this moment, to
    be told from what it costs later.

    Returns:
        `[{"key", "value", "price_minor"}, …]`, and errors: TOO_MANY, INVALID for a key given twice, and the codes of
        `TermsErrorCode` that begin with CUSTOMIZATION.
    """
    if len(given) > MAX_CUSTOMIZATIONS:
        return [], [DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_CUSTOMIZATIONS} customizations.", field)]
    by_key = {definition.key: definition for definition in definitions}
    errors: list[DomainError] = []
    values: dict[str, str] = {}
    seen: set[str] = set()
    for index, one in enumerate(given):
        definition = by_key.get(one.key)
        if definition is None:
            message = "The product has no such customization."
            errors.append(DomainError(TermsErrorCode.CUSTOMIZATION_UNKNOWN, message, [*field, index, "key"]))
        elif one.key in seen:
            errors.append(DomainError(CommonErrorCode.INVALID, "This key is given twice.", [*field, index, "key"]))
        else:
            value, error = _value(definition, one.value, [*field, index, "value"])
            if error:
                errors.append(error)
            elif value is not None:
                values[one.key] = value
            seen.add(one.key)
    wrong = {str((error.field or [""])[len(field)]) for error in errors} if errors else set()
    given_wrong = {one.key for index, one in enumerate(given) if str(index) in wrong}
    errors += [
        _missing(definition, field)
        for definition in definitions
        if definition.required and definition.key not in values and definition.key not in given_wrong
    ]
    kept = [
        {"key": definition.key, "value": values[definition.key], "price_minor": _price(definition, values)}
        for definition in definitions
        if definition.key in values
    ]
    return ([] if errors else kept), errors


def priced(definitions: Sequence[Customization], kept: Sequence[Mapping[str, Any]], field: Field) -> Priced:
    """What a line's customizations are and cost by the definitions as they are now."""
    if not kept and not any(definition.required for definition in definitions):
        return NOTHING
    by_key = {definition.key: definition for definition in definitions}
    values = {one["key"]: str(one["value"]) for one in kept}
    before = {one["key"]: one.get("price_minor", 0) for one in kept}
    chosen: list[Chosen] = []
    problems: list[DomainError] = []
    for key, value in values.items():
        definition = by_key.get(key)
        if definition is None:
            message = f"“{key}” is not offered any more; change the line."
            problems.append(DomainError(TermsErrorCode.CUSTOMIZATION_UNKNOWN, message, field))
            continue
        _, error = _value(definition, value, field)
        if error:
            problems.append(error)
            continue
        choice = definition.choice(value)
        shown = choice.label if choice else value
        chosen.append(Chosen(key, definition.label, value, shown, _price(definition, values)))
    problems += [
        _missing(definition, field)
        for definition in definitions
        if definition.required and definition.key not in values
    ]
    repriced = any(one.price_minor != before[one.key] for one in chosen)
    return Priced(tuple(chosen), tuple(problems), repriced)


def customizations_key(kept: Sequence[Mapping[str, Any]]) -> str:
    """The same for the same values, whatever they cost; empty where there are none."""
    if not kept:
        return ""
    pairs = sorted((one["key"], one["value"]) for one in kept)
    return hashlib.sha256(orjson.dumps(pairs)).hexdigest()


def _price(definition: Customization, values: Mapping[str, str]) -> int:
    choice = definition.choice(values[definition.key])
    return definition.price_minor + (choice.price_minor if choice else 0)


def _missing(definition: Customization, field: Field) -> DomainError:
    return DomainError(TermsErrorCode.CUSTOMIZATION_REQUIRED, f"{definition.label} is needed.", field)


def _value(definition: Customization, text: str, field: Field) -> tuple[str | None, DomainError | None]:
    """The value as it is kept, None for nothing; or what is wrong with it."""
    text = text.strip()
    if error := check_text(text, MAX_TEXTAREA_CHARS, field):
        return None, DomainError(TermsErrorCode.CUSTOMIZATION_INVALID, error.message, field)
    if not text:
        return None, None
    match definition.type:
        case CustomizationType.CHECKBOX:
            return _ticked(text, field)
        case CustomizationType.CHOICE:
            return _one_of(definition, text, field)
        case CustomizationType.NUMBER:
            return _number(definition, text, field)
        case CustomizationType.DATE:
            return _date(definition, text, field)
        case _:
            return _text(definition, text, field)


def _ticked(text: str, field: Field) -> tuple[str | None, DomainError | None]:
    if text not in (TICKED, UNTICKED):
        return None, _invalid(f"A box is {TICKED} or {UNTICKED}.", field)
    return (TICKED if text == TICKED else None), None


def _one_of(definition: Customization, text: str, field: Field) -> tuple[str | None, DomainError | None]:
    if definition.choice(text) is None:
        message = f"{definition.label} has no such choice."
        return None, DomainError(TermsErrorCode.CUSTOMIZATION_UNKNOWN, message, field)
    return text, None


def _number(definition: Customization, text: str, field: Field) -> tuple[str | None, DomainError | None]:
    number = number_of(text)
    if number is None:
        return None, _invalid(f"{definition.label} is a number.", field)
    low, high = (Decimal(bound) if bound else None for bound in (definition.minimum, definition.maximum))
    if (low is not None and number < low) or (high is not None and number > high):
        return None, _invalid(_range(definition), field)
    return f"{number.normalize():f}", None


def _date(definition: Customization, text: str, field: Field) -> tuple[str | None, DomainError | None]:
    day = date_of(text)
    if day is None:
        return None, _invalid(f"{definition.label} is a date such as 2026-12-24.", field)
    written = day.isoformat()
    if written < (definition.minimum or written) or written > (definition.maximum or written):
        return None, _invalid(_range(definition), field)
    return written, None


def _text(definition: Customization, text: str, field: Field) -> tuple[str | None, DomainError | None]:
    is_line = definition.type is CustomizationType.TEXT
    if is_line and any(mark in text for mark in "\r\n"):
        return None, _invalid(f"{definition.label} is one line.", field)
    most = definition.max_length or (MAX_TEXT_CHARS if is_line else MAX_TEXTAREA_CHARS)
    if len(text) > most:
        return None, _invalid(f"{definition.label} has {most} characters at most.", field)
    return text, None


def number_of(text: str) -> Decimal | None:
    """Up to 12 digits before the point and 6 behind it."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= 10**12 or number != round(number, 6):
        return None
    return number


def date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-12-24") else None
    except ValueError:
        return None


def _range(definition: Customization) -> str:
    if definition.minimum and definition.maximum:
        return f"{definition.label} lies between {definition.minimum} and {definition.maximum}."
    if definition.minimum:
        return f"{definition.label} cannot be below {definition.minimum}."
    return f"{definition.label} cannot be above {definition.maximum}."


def _invalid(message: str, field: Field) -> DomainError:
    return DomainError(TermsErrorCode.CUSTOMIZATION_INVALID, message, field)
