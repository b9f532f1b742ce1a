"""Setting the terms that a product is sold on, as staff do."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import TypedDict

import orjson

from app import db
from app.addresses.countries import country
from app.errors import CommonErrorCode, DomainError, not_found
from app.kit.money import Money
from app.kit.problems import MAX_INT, Problems
from app.shop import queries as shop
from app.terms import queries
from app.terms.customizations import (
    MAX_CHOICES,
    MAX_CUSTOMIZATIONS,
    MAX_TEXT_CHARS,
    MAX_TEXTAREA_CHARS,
    Choice,
    Customization,
    date_of,
    number_of,
)
from app.terms.models import CustomizationType
from app.terms.rules import ProductTerms

MAX_KEY_CHARS = 60
MAX_LABEL_CHARS = 120
MAX_REGIONS = 1_000
MAX_AGE = 120

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class ChoiceGiven(TypedDict, total=False):
    value: str
    label: str | None
    """The value unless said."""
    price: Decimal | None


class CustomizationGiven(TypedDict, total=False):
    key: str
    label: str
    type: CustomizationType
    required: bool | None
    price: Decimal | None
    choices: list[ChoiceGiven] | None
    max_length: int | None
    minimum: str | None
    maximum: str | None


class TermsGiven(TypedDict, total=False):
    """What is left out stays as it is; None takes it away."""

    customizations: list[CustomizationGiven] | None
    minimum_quantity: int | None
    maximum_quantity: int | None
    quantity_step: int | None
    minimum_age: int | None
    allowed_regions: list[str] | None
    forbidden_regions: list[str] | None


async def set_terms(product_id: uuid.UUID, given: TermsGiven) -> None:
    """Carts that hold the product are told: what they may not order any more, and what costs something else.

    Raises:
        DomainErrors: whatever is wrong with the input, all of it.
        DomainError: NOT_FOUND.
    """
    async with db.unit_of_work():
        currency = (await shop.current(locked=True)).currency_code
        # The product stands for its terms, which may have no row to lock yet.
        if await db.fetchval("SELECT id FROM products WHERE id = $1 FOR NO KEY UPDATE", product_id) is None:
            raise not_found("product", ["productId"])
        await _write(product_id, _edited(await queries.of_product(product_id), given, currency))


async def _write(product_id: uuid.UUID, terms: ProductTerms) -> None:
    if terms == ProductTerms():
        await db.execute("DELETE FROM product_terms WHERE product_id = $1", product_id)
        return
    await db.execute(
        """
        INSERT INTO product_terms (product_id, customizations, minimum_quantity, maximum_quantity, quantity_step,
                                   minimum_age, allowed_regions, forbidden_regions, updated_at)
        VALUES ($1, $2::jsonb, $3, $4, $5, $6, $7, $8, business_now())
        ON CONFLICT (product_id) DO UPDATE SET
            customizations = EXCLUDED.customizations, minimum_quantity = EXCLUDED.minimum_quantity,
            maximum_quantity = EXCLUDED.maximum_quantity, quantity_step = EXCLUDED.quantity_step,
            minimum_age = EXCLUDED.minimum_age, allowed_regions = EXCLUDED.allowed_regions,
            forbidden_regions = EXCLUDED.forbidden_regions, updated_at = EXCLUDED.updated_at
        """,
        product_id,
        orjson.dumps([asdict(one) for one in terms.customizations]).decode(),
        terms.minimum_quantity,
        terms.maximum_quantity,
        terms.quantity_step,
        terms.minimum_age,
        sorted(terms.allowed_regions),
        sorted(terms.forbidden_regions),
    )


def _edited(before: ProductTerms, given: TermsGiven, currency: str) -> ProductTerms:
    problems, terms = Problems(), before
    if "customizations" in given:
        planner = _Definitions(problems, currency)
        terms = replace(terms, customizations=planner.all_of(given["customizations"] or []))
    if "minimum_quantity" in given:
        terms = replace(terms, minimum_quantity=_units(problems, given["minimum_quantity"], "minimumQuantity"))
    if "maximum_quantity" in given:
        terms = replace(terms, maximum_quantity=_units(problems, given["maximum_quantity"], "maximumQuantity"))
    if "quantity_step" in given:
        terms = replace(terms, quantity_step=_units(problems, given["quantity_step"], "quantityStep"))
    if "minimum_age" in given:
        terms = replace(terms, minimum_age=_bounded(problems, given["minimum_age"], MAX_AGE, "minimumAge"))
    if "allowed_regions" in given:
        terms = replace(terms, allowed_regions=_regions(problems, given["allowed_regions"] or [], "allowedRegions"))
    if "forbidden_regions" in given:
        forbidden = _regions(problems, given["forbidden_regions"] or [], "forbiddenRegions")
        terms = replace(terms, forbidden_regions=forbidden)
    low, high, step = terms.minimum_quantity or 1, terms.maximum_quantity, terms.quantity_step or 1
    if high is not None and high < -(-low // step) * step:
        message = "No quantity satisfies minimum, maximum and step together."
        problems.add(CommonErrorCode.OUT_OF_RANGE, message, "maximumQuantity")
    problems.raise_if_any()
    return terms


def _units(problems: Problems, value: int | None, name: str) -> int | None:
    return _bounded(problems, value, MAX_INT, name)


def _bounded(problems: Problems, value: int | None, most: int, name: str) -> int | None:
    if value is not None and not 1 <= value <= most:
        problems.add(CommonErrorCode.OUT_OF_RANGE, f"The number is from 1 to {most:,}.", name)
        return None
    return value


def _regions(problems: Problems, given: Sequence[str], name: str) -> frozenset[str]:
    if len(given) > MAX_REGIONS:
        problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_REGIONS:,} regions.", name)
        return frozenset()
    regions = set()
    for index, text in enumerate(given):
        code, _, province = text.strip().upper().partition("-")
        known = country(code)
        place = known.province(province) if known and province else None
        if known is None or (province and place is None and known.provinces):
            problems.add(CommonErrorCode.INVALID, "Take a country (US), or one of its provinces (US-CA).", name, index)
        else:
            regions.add(f"{code}-{place.code if place else province}" if province else code)
    return frozenset(regions)


class _Definitions:
    """Reads customizations as staff give them."""

    def __init__(self, problems: Problems, currency: str) -> None:
        self.problems = problems
        self.currency = currency

    def all_of(self, given: Sequence[CustomizationGiven]) -> tuple[Customization, ...]:
        if len(given) > MAX_CUSTOMIZATIONS:
            message = f"At most {MAX_CUSTOMIZATIONS} customizations."
            self.problems.add(CommonErrorCode.TOO_MANY, message, "customizations")
            return ()
        read = [self._one(one, index) for index, one in enumerate(given)]
        for index, one in enumerate(read):
            if one.key and one.key in {other.key for other in read[:index]}:
                self.problems.add(CommonErrorCode.INVALID, "This key is given twice.", "customizations", index, "key")
        return tuple(read)

    def _one(self, given: CustomizationGiven, index: int) -> Customization:
        at = ("customizations", index)
        kind = given["type"]
        most = MAX_TEXT_CHARS if kind is CustomizationType.TEXT else MAX_TEXTAREA_CHARS
        length = given.get("max_length")
        if length is not None and not 1 <= length <= most:
            self.problems.add(CommonErrorCode.OUT_OF_RANGE, f"From 1 to {most} characters.", *at, "maxLength")
        low = self._bound(kind, given.get("minimum"), *at, "minimum")
        high = self._bound(kind, given.get("maximum"), *at, "maximum")
        if low and high and _above(kind, low, high):
            self.problems.add(CommonErrorCode.OUT_OF_RANGE, "The maximum is below the minimum.", *at, "maximum")
        return Customization(
            key=self._key(given["key"], *at, "key"),
            label=self.problems.required_line(given["label"], "A label", *at, "label", max_chars=MAX_LABEL_CHARS),
            type=kind,
            required=bool(given.get("required")),
            price_minor=self._price(given.get("price"), *at, "price"),
            choices=self._choices(kind, given.get("choices") or [], *at, "choices"),
            max_length=length if kind in (CustomizationType.TEXT, CustomizationType.TEXTAREA) else None,
            minimum=low,
            maximum=high,
        )

    def _key(self, text: str, *path: str | int) -> str:
        key = self.problems.required_line(text, "A key", *path, max_chars=MAX_KEY_CHARS)
        if key and not _KEY.fullmatch(key):
            self.problems.add(CommonErrorCode.INVALID, "A key has letters, digits, - _ and the point.", *path)
        return key

    def _price(self, price: Decimal | None, *path: str | int) -> int:
        if price is None:
            return 0
        try:
            return Money.from_decimal(price, self.currency, ["input", *path]).amount_minor
        except DomainError as error:
            self.problems.note(error)
            return 0

    def _choices(self, kind: CustomizationType, given: Sequence[ChoiceGiven], *path: str | int) -> tuple[Choice, ...]:
        if kind is not CustomizationType.CHOICE:
            return ()
        if not given:
            self.problems.add(CommonErrorCode.REQUIRED, "A choice needs something to choose from.", *path)
        if len(given) > MAX_CHOICES:
            self.problems.add(CommonErrorCode.TOO_MANY, f"At most {MAX_CHOICES} choices.", *path)
            return ()
        choices: dict[str, Choice] = {}
        for index, one in enumerate(given):
            value = self.problems.required_line(
                one["value"], "A value", *path, index, "value", max_chars=MAX_LABEL_CHARS
            )
            if value in choices:
                self.problems.add(CommonErrorCode.INVALID, "This value is given twice.", *path, index, "value")
            label = self.problems.line(one.get("label"), *path, index, "label", max_chars=MAX_LABEL_CHARS)
            choices[value] = Choice(value, label or value, self._price(one.get("price"), *path, index, "price"))
        return tuple(choices.values())

    def _bound(self, kind: CustomizationType, text: str | None, *path: str | int) -> str | None:
        text = (text or "").strip()
        if not text or kind not in (CustomizationType.NUMBER, CustomizationType.DATE):
            return None
        known = number_of(text) if kind is CustomizationType.NUMBER else date_of(text)
        if known is None:
            self.problems.add(CommonErrorCode.INVALID, "Give a number, or a date such as 2026-12-24.", *path)
            return None
        return text


def _above(kind: CustomizationType, low: str, high: str) -> bool:
    return Decimal(low) > Decimal(high) if kind is CustomizationType.NUMBER else low > high
