"""What a cart's lines become by a change. Pure: lines go in, lines and warnings come out, or errors and nothing else.

Stock: a variant's lines draw on one stock together. Asking for more than there is gives what there is, with a
warning; asking where nothing is left is refused. What a line already has is kept before anything more is given.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from app.cart.attributes import Attribute, attributes_key, check_attributes
from app.cart.errors import CartErrorCode
from app.cart.snapshots import CartLineSnapshot, VariantSnapshot
from app.cart.warnings import CartWarning, WarningCode
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.gifting.options import GiftChange, GiftOptions, chosen
from app.inventory.errors import InsufficientStock
from app.terms.customizations import Given, checked, customizations_key

MAX_LINES = 250
"""In one cart, and in one request."""
MAX_QUANTITY = 10_000
"""Of one line."""
MAX_ATTRIBUTE_CHARS = 100_000
"""Over the attributes of all lines: every read of the cart carries them."""

Lines = Sequence[CartLineSnapshot]
Variants = Mapping[uuid.UUID, VariantSnapshot]

_NO_GIFT = GiftOptions()
_VARIANT_FIELDS = [field.name for field in fields(VariantSnapshot)]


@dataclass(frozen=True, slots=True)
class LineToAdd:
    id: uuid.UUID
    """The line's, should it become a new one."""
    variant_id: uuid.UUID
    quantity: int
    attributes: Sequence[Attribute] = ()
    customizations: Sequence[Given] = ()
    gift: GiftChange | None = None


@dataclass(frozen=True, slots=True)
class LineToUpdate:
    id: uuid.UUID | None
    """None for an id that cannot be one of this cart's."""
    quantity: int
    """Zero removes the line."""
    attributes: Sequence[Attribute] | None = None
    """None leaves them as they are."""
    customizations: Sequence[Given] | None = None
    """Likewise; given, they are charged by today's prices."""
    gift: GiftChange | None = None
    """Likewise, each part of it."""


@dataclass(frozen=True, slots=True)
class Change:
    """The lines as they will be, and what was adjusted on the way."""

    lines: list[CartLineSnapshot]
    warnings: list[CartWarning]


def add_lines(lines: Lines, asked: Sequence[LineToAdd], variants: Variants, *, wraps: bool = False) -> Change:
    """Put variants into the cart: into the line of the same variant, attributes, customizations and gift options where
    there is one.

    Args:
        wraps: whether the shop wraps gifts, in the cart's currency; matters where a line asks for it.

    Raises:
        DomainErrors: NOT_FOUND for variants that are not on sale, OUT_OF_RANGE, TOO_MANY, errors about attributes and
            gift options, InsufficientStock; field paths begin with `lines`.
    """
    _limit_request(asked)
    kept = {(line.variant_id, line.attributes_key): line for line in lines}
    in_cart = _units(lines)
    errors: list[DomainError] = []
    warnings: list[CartWarning] = []
    for index, item in enumerate(asked):
        variant = variants.get(item.variant_id)
        made, gift, wrong = _wanted(index, item, variant, wraps=wraps)
        if wrong or variant is None:
            errors.extend(wrong)
            continue
        key = (item.variant_id, attributes_key(item.attributes, customizations_key(made), gift.key))
        line = kept.get(key)
        held = line.quantity if line else 0
        quantity = _given(item.quantity, variant.stock_limit, in_cart[item.variant_id])
        if quantity == 0:
            errors.append(_nothing_left(variant, in_cart[item.variant_id], index))
        elif held + quantity > MAX_QUANTITY:
            errors.append(_out_of_range(index, least=1))
        else:
            if quantity < item.quantity:
                warnings.append(_clamped(variant, index))
            in_cart[item.variant_id] += quantity
            if line:
                kept[key] = replace(line, quantity=held + quantity, customizations=made)
            else:
                kept[key] = replace(_new_line(item, variant, quantity, key[1], made), gift_options=gift.to_json())
    _check_maximum(lines, list(kept.values()), errors)
    if len(kept) > MAX_LINES:
        errors.append(DomainError(CommonErrorCode.TOO_MANY, f"A cart can have {MAX_LINES} lines at most.", ["lines"]))
    return _change(list(kept.values()), warnings, errors)


def _wanted(
    index: int, item: LineToAdd, variant: VariantSnapshot | None, *, wraps: bool
) -> tuple[list[dict[str, Any]], GiftOptions, list[DomainError]]:
    """What is made to order, and done with it as a gift; and everything that is wrong with what is asked for."""
    wrong = check_attributes(item.attributes, ["lines", index, "attributes"])
    if not 1 <= item.quantity <= MAX_QUANTITY:
        wrong.append(_out_of_range(index, least=1))
    if variant is None or not variant.for_sale:
        wrong.append(not_found("product variant on sale", ["lines", index, "variantId"]))
    made: list[dict[str, Any]] = []
    gift = _NO_GIFT
    if variant is not None:
        made, unfit = checked(variant.terms.customizations, item.customizations, ["lines", index, "customizations"])
        wrong.extend(unfit)
        if item.gift:
            at: list[str | int] = ["lines", index, "giftOptions"]
            gift, unfit = chosen(gift, item.gift, wraps=wraps, ships=variant.requires_shipping, field=at)
            wrong.extend(unfit)
    return made, gift, wrong


def update_lines(lines: Lines, asked: Sequence[LineToUpdate], *, wraps: bool = False) -> Change:
    """Set quantities, attributes, customizations and gift options; lines that become alike turn into one.

    Args:
        wraps: as for `add_lines`.

    Raises:
        DomainErrors: NOT_FOUND, INVALID for a line named twice, OUT_OF_RANGE, PRODUCT_UNAVAILABLE, errors about
            attributes and gift options, InsufficientStock; field paths begin with `lines`.
    """
    _limit_request(asked)
    by_id = {line.id: line for line in lines}
    errors: list[DomainError] = []
    warnings: list[CartWarning] = []
    accepted: dict[uuid.UUID, tuple[int, LineToUpdate]] = {}
    for index, item in enumerate(asked):
        wrong = list(_wrong_update(index, item, by_id, accepted))
        if item.gift and item.id in by_id:
            line = by_id[item.id]
            wrong += _gift(line, item.gift, wraps=wraps, field=["lines", index, "giftOptions"])[1]
        errors.extend(wrong)
        if not wrong and item.id is not None:
            accepted[item.id] = (index, item)

    kept_units = {line.id: _kept(line, accepted[line.id][1]) for line in lines if line.id in accepted}
    in_cart: Counter[uuid.UUID] = Counter()
    for line in lines:
        in_cart[line.variant_id] += kept_units.get(line.id, line.quantity)
    for line_id, (index, item) in accepted.items():
        line, kept = by_id[line_id], kept_units[line_id]
        quantity = kept + _given(item.quantity - kept, line.stock_limit, in_cart[line.variant_id])
        in_cart[line.variant_id] += quantity - kept
        if quantity == 0 < item.quantity:
            errors.append(_nothing_left(line, in_cart[line.variant_id], index))
        elif quantity < item.quantity:
            warnings.append(_clamped(line, index))
        by_id[line_id] = _with(line, quantity, item)
    remaining = [line for line in by_id.values() if line.quantity]
    _check_maximum(lines, remaining, errors)
    return _change(_merged(remaining, errors), warnings, errors)


def give_line(lines: Lines, line_id: uuid.UUID | None, asked: GiftChange, *, wraps: bool) -> Change:
    """Change one line's gift options; where it becomes like another one, they turn into one.

    Raises:
        DomainErrors: NOT_FOUND at `lineId`; TOO_LONG, INVALID or GIFT_WRAP_UNAVAILABLE below `giftOptions`;
            OUT_OF_RANGE.
    """
    line = next((one for one in lines if one.id == line_id), None)
    if line is None:
        raise DomainErrors([not_found("line in this cart", ["lineId"])])
    _, errors = _gift(line, asked, wraps=wraps, field=["giftOptions"])
    if errors:
        raise DomainErrors(errors)
    given = _with(line, line.quantity, LineToUpdate(line.id, line.quantity, gift=asked))
    return _change(_merged([given if one is line else one for one in lines], errors), [], errors)


def remove_lines(lines: Lines, line_ids: Sequence[uuid.UUID | None]) -> Change:
    """Raises DomainErrors with NOT_FOUND for each line that is not there; field paths begin with `lineIds`."""
    _limit_request(line_ids, "lineIds")
    there, gone = {line.id for line in lines}, set(line_ids)
    errors = [not_found("line", ["lineIds", index]) for index, line_id in enumerate(line_ids) if line_id not in there]
    return _change([line for line in lines if line.id not in gone], [], errors)


def join_lines(lines: Lines, more: Lines) -> Change:
    """All lines of two carts: alike ones add up, the others follow in their order. Stock takes nothing away.

    Raises:
        DomainErrors: TOO_MANY, OUT_OF_RANGE, TOO_LONG: together they are more than a cart can hold.
    """
    errors: list[DomainError] = []
    joined = _merged([*lines, *more], errors)
    if len(joined) > MAX_LINES:
        errors.append(DomainError(CommonErrorCode.TOO_MANY, f"A cart can have {MAX_LINES} lines at most.", ["lines"]))
    return _change(joined, [], errors)


def _wrong_update(
    index: int, item: LineToUpdate, by_id: Mapping[uuid.UUID, CartLineSnapshot], seen: Mapping[uuid.UUID, object]
) -> Iterator[DomainError]:
    line = by_id.get(item.id) if item.id else None
    if line is None:
        yield not_found("line", ["lines", index, "id"])
    elif line.id in seen:
        yield DomainError(CommonErrorCode.INVALID, "This line is named twice.", ["lines", index, "id"])
    elif item.quantity and not line.for_sale:
        message = "This is no longer sold; its line can only be removed."
        yield DomainError(CartErrorCode.PRODUCT_UNAVAILABLE, message, ["lines", index, "id"])
    if not 0 <= item.quantity <= MAX_QUANTITY:
        yield _out_of_range(index, least=0)
    yield from check_attributes(item.attributes or (), ["lines", index, "attributes"])
    if line is not None and item.customizations is not None:
        _, unfit = checked(line.terms.customizations, item.customizations, ["lines", index, "customizations"])
        yield from unfit


def _kept(line: CartLineSnapshot, item: LineToUpdate) -> int:
    """What the line has already, still wants, and could still get if it were alone."""
    kept = min(line.quantity, item.quantity)
    return kept if line.stock_limit is None else min(kept, line.stock_limit)


def _given(more: int, stock_limit: int | None, in_cart: int) -> int:
    """How many of `more` units there are, beside those that the cart has already."""
    return more if stock_limit is None else max(0, min(more, stock_limit - in_cart))


def _gift(
    line: CartLineSnapshot, asked: GiftChange, *, wraps: bool, field: Sequence[str | int]
) -> tuple[GiftOptions, list[DomainError]]:
    return chosen(GiftOptions.of(line.gift_options), asked, wraps=wraps, ships=line.requires_shipping, field=field)


def _with(line: CartLineSnapshot, quantity: int, item: LineToUpdate) -> CartLineSnapshot:
    """The line as it was asked for, of which nothing is wrong."""
    if item.attributes is None and item.customizations is None and item.gift is None:
        return replace(line, quantity=quantity)
    attributes = item.attributes
    if attributes is None:
        attributes = [Attribute(one["key"], one["value"]) for one in line.attributes]
    made = line.customizations
    if item.customizations is not None:
        made, _ = checked(line.terms.customizations, item.customizations, ())
    gift = GiftOptions.of(line.gift_options).changed(item.gift or {})
    return replace(
        line,
        quantity=quantity,
        attributes=[attribute.as_json() for attribute in attributes],
        customizations=made,
        gift_options=gift.to_json(),
        attributes_key=attributes_key(attributes, customizations_key(made), gift.key),
    )


def _check_maximum(before: Lines, after: Lines, errors: list[DomainError]) -> None:
    """More of a product than one order may have is refused at once; fewer than it has to have may still become more."""
    had, has = _units_of_products(before), _units_of_products(after)
    for product_id, terms in {line.product_id: line.terms for line in after}.items():
        most = terms.maximum_quantity
        if most is not None and has[product_id] > max(most, had[product_id]):
            problem = terms.quantity_problem(has[product_id])
            if problem:
                errors.append(problem.under("lines"))


def _units_of_products(lines: Lines) -> Counter[uuid.UUID]:
    units: Counter[uuid.UUID] = Counter()
    for line in lines:
        units[line.product_id] += line.quantity
    return units


def _merged(lines: Lines, errors: list[DomainError]) -> list[CartLineSnapshot]:
    merged: dict[tuple[uuid.UUID, str], CartLineSnapshot] = {}
    for line in lines:
        key = (line.variant_id, line.attributes_key)
        first = merged.get(key)
        merged[key] = replace(first, quantity=first.quantity + line.quantity) if first else line
        if merged[key].quantity > MAX_QUANTITY:
            message = f"These lines become one, and a line can have {MAX_QUANTITY:,} units at most."
            errors.append(DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["lines"]))
    return list(merged.values())


def _new_line(
    item: LineToAdd, variant: VariantSnapshot, quantity: int, key: str, made: list[dict[str, Any]]
) -> CartLineSnapshot:
    return CartLineSnapshot(
        **{name: getattr(variant, name) for name in _VARIANT_FIELDS},
        id=item.id,
        quantity=quantity,
        attributes=[attribute.as_json() for attribute in item.attributes],
        attributes_key=key,
        customizations=made,
    )


def _units(lines: Lines) -> Counter[uuid.UUID]:
    units: Counter[uuid.UUID] = Counter()
    for line in lines:
        units[line.variant_id] += line.quantity
    return units


def _limit_request(asked: Sequence[object], argument: str = "lines") -> None:
    if len(asked) > MAX_LINES:
        raise DomainError(CommonErrorCode.TOO_MANY, f"At most {MAX_LINES} lines at once.", [argument])


def _out_of_range(index: int, *, least: int) -> DomainError:
    message = f"A line can have from {least} to {MAX_QUANTITY:,} units."
    return DomainError(CommonErrorCode.OUT_OF_RANGE, message, ["lines", index, "quantity"])


def _nothing_left(variant: VariantSnapshot, in_cart: int, index: int) -> InsufficientStock:
    limit = variant.stock_limit or 0
    message = (
        f"All {limit} that are in stock are in the cart already." if limit and in_cart else "This is out of stock."
    )
    return InsufficientStock(limit, message, ["lines", index, "quantity"])


def _clamped(variant: VariantSnapshot, index: int) -> CartWarning:
    limit = variant.stock_limit or 0
    message = f"Only {limit} of these are in stock; the cart has them all now."
    return CartWarning(WarningCode.QUANTITY_CLAMPED, message, ["lines", str(index), "quantity"], limit)


def _change(lines: list[CartLineSnapshot], warnings: list[CartWarning], errors: list[DomainError]) -> Change:
    kept = [one for line in lines for one in (*line.attributes, *line.customizations)]
    if sum(len(one["key"]) + len(one["value"]) for one in kept) > MAX_ATTRIBUTE_CHARS:
        message = f"The attributes of all lines can have {MAX_ATTRIBUTE_CHARS:,} characters together at most."
        errors.append(DomainError(CommonErrorCode.TOO_LONG, message, ["lines"]))
    if errors:
        raise DomainErrors(errors)
    return Change(sorted(lines, key=lambda line: line.id), warnings)
