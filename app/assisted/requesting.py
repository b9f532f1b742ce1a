"""A buyer asks for a quotation on their cart: it is copied as it stands, and staff price the copy."""

import uuid

from app.accounts.identity import CustomerIdentity
from app.assisted import service
from app.assisted.content import DraftContent, DraftLine, check_for_buyer
from app.assisted.models import DraftKind, DraftState
from app.cart import queries as carts
from app.checkout import queries as checkouts
from app.checkout.errors import CheckoutErrorCode
from app.checkout.service import CheckoutKey
from app.companies import ordering
from app.errors import CommonErrorCode, DomainError, DomainErrors, not_found
from app.kit.ids import new_id
from app.kit.text import check_text

MAX_MESSAGE_CHARS = 2_000


async def request(
    key: CheckoutKey, message: str | None, email: str | None, customer: CustomerIdentity | None
) -> uuid.UUID:
    """Ask for a price. The cart goes on as it is, and may be asked about or bought again.

    Returns:
        The quotation's id.

    Raises:
        DomainErrors: NOT_FOUND, CART_EMPTY, TOO_LONG; NOT_A_MEMBER of the company that it is for; REQUIRED where nobody
            knows whom to answer; INVALID_EMAIL; what is wrong with what is made to order, or wrapped, by today's terms.
    """
    cart = await carts.load_cart(key.cart_id, key.secret) if key.cart_id else None
    if cart is None:
        raise not_found("cart", ["input", "cartId"])
    if not cart.lines:
        raise DomainError(CheckoutErrorCode.CART_EMPTY, "There is nothing in the cart.", ["input", "cartId"])
    if cart.company_id is not None:
        # Carts are open to whoever has their id: people who left the company, and whom they gave it to.
        member = await ordering.member_of(cart.company_id, customer.id) if customer else None
        if member is None:
            raise ordering.not_a_member(["input", "cartId"])
    if unfit := [problem for line in cart.lines for problem in line.customized.problems]:
        raise DomainErrors([DomainError(one.code, one.message, ["input", "cartId"]) for one in unfit])
    words = (message or "").strip() or None
    if words and (wrong := check_text(words, MAX_MESSAGE_CHARS, ["input", "message"])):
        raise wrong
    standing = await checkouts.standing(cart.id, None)
    details = checkouts.stored_details(standing) if standing else None
    address = email or (details and details.email) or cart.email or (customer.email if customer else None)
    if address is None:
        raise DomainError(CommonErrorCode.REQUIRED, "Say whom to answer.", ["input", "email"])
    shipping_address = details.shipping_address if details else None
    billing_address = details.billing_address if details else None
    content = DraftContent(
        email=address,
        phone=(details and details.phone) or cart.phone,
        customer_id=customer.id if customer else None,
        company_id=cart.company_id,
        market_id=cart.market_id,
        tax_id=cart.tax_id,
        lines=tuple(
            DraftLine(
                id=new_id(),
                quantity=line.quantity,
                variant_id=line.variant_id,
                attributes=line.attributes,
                customizations=[{"key": one["key"], "value": str(one["value"])} for one in line.customizations],
                gift_options=line.gift_options,
            )
            for line in cart.lines
        ),
        shipping_address=shipping_address.to_json() if shipping_address else None,
        billing_address=billing_address.to_json() if billing_address else None,
        note=cart.note,
        attributes=cart.attributes,
        gift_options=cart.gift_options,
    )
    check_for_buyer(content, ships=False, at=["input"])
    return await service.create(DraftKind.QUOTATION, DraftState.REQUESTED, content, created_by=None, message=words)
