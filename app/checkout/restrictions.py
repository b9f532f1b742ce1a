"""What the terms of sale keep from being ordered: quantities, places, ages, options, and the smallest order."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from app.cart.snapshots import CartLineSnapshot, CartSnapshot
from app.checkout.requests import Details
from app.errors import CommonErrorCode, DomainError
from app.kit.money import Money
from app.pricing.results import PricingResult
from app.terms.errors import AgeRestricted, MinimumOrderNotReached, TermsErrorCode
from app.terms.models import AgeCheck
from app.terms.rules import age_on, highest_age

Place = tuple[str | None, str | None]
"""Country and province, as far as they are known."""


def refused(
    cart: CartSnapshot, priced: PricingResult, place: Place, details: Details, *, now: datetime, at: Sequence[str]
) -> tuple[list[DomainError], int | None]:
    """Everything that the terms of sale refuse, and the age that the buyer is confirmed to have.

    Args:
        place: where the order goes, or is fetched from; for what does not ship, where the buyer is billed.
        at: path of the details in the request.
    """
    confirmed, too_young = _age(cart, details, now.date(), at)
    by_line = [problem for index, line in enumerate(cart.lines) for problem in _of_line(index, line, place)]
    return [*by_line, *_quantities(cart.lines), *too_young, *_too_small(cart, priced)], confirmed


def _of_line(index: int, line: CartLineSnapshot, place: Place) -> list[DomainError]:
    path: list[str | int] = ["cart", "lines", index]
    found = [DomainError(one.code, one.message, [*path, "customizations"]) for one in line.customized.problems]
    country, province = place
    if country and not line.terms.sold_to(country, province):
        message = f"{line.product_name} is not sold there; remove it from the cart."
        found.append(DomainError(TermsErrorCode.REGION_RESTRICTED, message, path))
    return found


def _quantities(lines: Sequence[CartLineSnapshot]) -> list[DomainError]:
    """One error for each product, at its first line."""
    units: Counter[UUID] = Counter()
    for line in lines:
        units[line.product_id] += line.quantity
    found: list[DomainError] = []
    for index, line in enumerate(lines):
        if line.product_id in units:
            problem = line.terms.quantity_problem(units.pop(line.product_id))
            if problem:
                found.append(problem.under("cart", "lines", index, "quantity"))
    return found


def _age(cart: CartSnapshot, details: Details, today: date, at: Sequence[str]) -> tuple[int | None, list[DomainError]]:
    age = highest_age(line.terms for line in cart.lines)
    if age is None:
        return None, []
    try:
        confirmed = confirmed_age(
            age, AgeCheck(cart.age_check), details.birth_date, details.age_confirmed, today=today, at=at
        )
    except AgeRestricted as too_young:
        return None, [too_young]
    if confirmed is None and (details.confirmed_age or 0) < age:
        return None, [_not_confirmed(age, AgeCheck(cart.age_check), at)]
    return age, []


def confirmed_age(
    age: int, check: AgeCheck, born: date | None, says_so: bool | None, *, today: date, at: Sequence[str]
) -> int | None:
    """The age that is confirmed by what was said just now: `age`, or None where that says nothing.

    Raises:
        AgeRestricted: by their date of birth the buyer is too young, whatever else they say.
        DomainError: INVALID for a date that nobody living was born on.
    """
    if born is not None:
        years = age_on(born, today)
        if not 0 <= years <= 130:
            raise DomainError(CommonErrorCode.INVALID, "This is no date of birth.", [*at, "birthDate"])
        if years < age:
            message = f"Something in the cart is sold from {age} years on."
            raise AgeRestricted(message, [*at, "birthDate"], minimum_age=age)
        return age
    if says_so is False:
        raise _not_confirmed(age, check, at)
    return age if says_so and check is AgeCheck.DECLARATION else None


def _not_confirmed(age: int, check: AgeCheck, at: Sequence[str]) -> AgeRestricted:
    if check is AgeCheck.BIRTH_DATE:
        message = f"Something in the cart is sold from {age} years on; enter the date of birth."
        return AgeRestricted(message, [*at, "birthDate"], minimum_age=age)
    message = f"Something in the cart is sold from {age} years on; confirm the age."
    return AgeRestricted(message, [*at, "ageConfirmed"], minimum_age=age)


def _too_small(cart: CartSnapshot, priced: PricingResult) -> list[DomainError]:
    """Goods after discounts, before shipping; what a gift card pays is as good as money."""
    if not cart.minimum_order_minor or not cart.lines:
        return []
    missing = cart.minimum_order_minor - (priced.subtotal_minor - priced.discount_minor)
    if missing <= 0:
        return []
    short = Money(missing, priced.currency)
    message = f"{short.decimal} {short.currency} are missing to the smallest order."
    minimum = Money(cart.minimum_order_minor, priced.currency)
    return [MinimumOrderNotReached(message, ["cart"], minimum=minimum, missing=short)]
