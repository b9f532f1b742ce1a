"""Reading and changing carts. Every mutation answers with the whole cart as it is after it."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.cart import creating, entering, gifts, merging, queries, service
from app.cart.service import Changed
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from schema.access import CUSTOMER, PUBLIC, mutation, query
from schema.cart.inputs import (
    CART_PREFIX,
    LINE_PREFIX,
    BuyerIdentityInput,
    CartInput,
    CartLineUpdateInput,
    CartUpdateInput,
    cart_key,
    details_of,
    line_of,
    lines_to_add,
    lines_to_remove,
    lines_to_update,
)
from schema.cart.showing import CartView, LineView, load_line_variants
from schema.cart.types import Cart, CartPayload
from schema.consent_inputs import given_consents, proof_of
from schema.context import Info
from schema.gifting import GiftOptionsInput
from schema.lines import CartLineInput
from schema.nodes import Node, node_loader
from schema.selection import Selection
from schema.warnings import WarningType

CartId = Annotated[strawberry.ID, strawberry.argument(description="The cart's id, the secret in it included.")]


@strawberry.type
class CartQueries:
    @query(access=PUBLIC, description="The cart with this id; null when there is none.")
    async def cart(self, info: Info, id: CartId) -> Cart | None:
        view, key = CartView.of(Selection.of(info)), cart_key(id, "id")
        cart = await queries.show_cart(key.id, key.secret)
        return await view.show(info, cart) if cart else None


@strawberry.type
class CartMutations:
    @mutation(
        access=PUBLIC,
        description="Make a cart, with everything in it at once or empty. When any part is refused, no cart is made. "
        "Its id is the key to it: keep it like a password. For who is signed in, it is their account's as well.",
    )
    async def cart_create(
        self,
        info: Info,
        input: Annotated[
            CartInput | None, strawberry.argument(description="What it has from the start.")
        ] = strawberry.UNSET,
    ) -> CartPayload:
        view, given = wanted_cart(info), input or CartInput()
        identity = given.buyer_identity.given() if given.buyer_identity else None
        lines = lines_to_add(given.lines or [], "input")
        boxes = given.buyer_identity.marketing_consent if given.buyer_identity else None
        consent = given_consents(boxes or None, "input", "buyerIdentity", "marketingConsent")
        changed = await creating.create_cart(
            lines,
            identity,
            details_of(given),
            given.discount_codes or [],
            gift=given.gift_options.given() if given.gift_options else None,
            consent=consent,
            proof=proof_of(info.context),
            client=info.context.client_address,
            customer=info.context.customer,
            wishes=info.context.buying.wishes if info.context.buying else (),
        )
        return await answered(info, view, changed)

    @mutation(access=PUBLIC, description="Change the note and the attributes of a cart.")
    async def cart_update(
        self,
        info: Info,
        cart_id: CartId,
        input: Annotated[CartUpdateInput, strawberry.argument(description="What changes.")],
    ) -> CartPayload:
        view = wanted_cart(info)
        return await answered(info, view, await service.change_details(cart_key(cart_id), details_of(input)))

    @mutation(
        access=PUBLIC,
        description="Put variants into a cart. What is there already with the same attributes, "
        "customizations and gift options gets more units. "
        "When less is in stock than is asked for, the line gets what is left and the warning QUANTITY_CLAMPED says so; "
        "when nothing is left, or anything else is wrong with any line, everything is refused. Variants without "
        "tracked stock, and those that may be sold beyond it, have no such limit.",
    )
    async def cart_lines_add(
        self,
        info: Info,
        cart_id: CartId,
        lines: Annotated[
            list[CartLineInput],
            strawberry.argument(
                description="Up to 250 of them, each of 1 to 10,000 units and with up to 25 attributes (keys of up to "
                "100 characters, values of up to 1,000, together 100,000 in a cart)."
            ),
        ],
    ) -> CartPayload:
        view, key = wanted_cart(info), cart_key(cart_id)
        return await answered(info, view, await service.add_lines(key, lines_to_add(lines)))

    @mutation(
        access=PUBLIC,
        description="Set quantities, attributes, customizations and gift options of lines. Stock is checked as in "
        "`cartLinesAdd`; what a line has already is kept before another line gets more.",
    )
    async def cart_lines_update(
        self,
        info: Info,
        cart_id: CartId,
        lines: Annotated[
            list[CartLineUpdateInput], strawberry.argument(description="Up to 250 lines, each of them once.")
        ],
    ) -> CartPayload:
        view, key = wanted_cart(info), cart_key(cart_id)
        return await answered(info, view, await service.update_lines(key, lines_to_update(key, lines)))

    @mutation(access=PUBLIC, description="Take lines out of a cart.")
    async def cart_lines_remove(
        self,
        info: Info,
        cart_id: CartId,
        line_ids: Annotated[list[strawberry.ID], strawberry.argument(description="Ids of up to 250 lines.")],
    ) -> CartPayload:
        view, key = wanted_cart(info), cart_key(cart_id)
        return await answered(info, view, await service.remove_lines(key, lines_to_remove(key, line_ids)))

    @mutation(access=PUBLIC, description="Take all lines out of a cart; note, attributes and buyer stay.")
    async def cart_clear(self, info: Info, cart_id: CartId) -> CartPayload:
        view = wanted_cart(info)
        return await answered(info, view, await service.clear(cart_key(cart_id)))

    @mutation(access=PUBLIC, description="Say who buys.")
    async def cart_buyer_identity_update(
        self,
        info: Info,
        cart_id: CartId,
        buyer_identity: Annotated[BuyerIdentityInput, strawberry.argument(description="What changes.")],
    ) -> CartPayload:
        view, key = wanted_cart(info), cart_key(cart_id)
        consent = given_consents(buyer_identity.marketing_consent or None, "buyerIdentity", "marketingConsent")
        changed = await service.change_identity(key, buyer_identity.given(), consent, proof_of(info.context))
        return await answered(info, view, changed)

    @mutation(
        access=PUBLIC,
        description="Enter codes of discounts in the place of those that the cart has. A code that takes nothing off "
        "stays in the cart and says why: it may be entered before the email that it belongs to. Besides what applies "
        "by itself, the one code that takes most off applies. Who enters too many codes that do not exist hears "
        "RATE_LIMITED for a while.",
    )
    async def cart_discount_codes_update(
        self,
        info: Info,
        cart_id: CartId,
        codes: Annotated[
            list[str],
            strawberry.argument(description="Up to 10 codes, in upper or lower case; an empty list takes all out."),
        ],
    ) -> CartPayload:
        view, key = wanted_cart(info), cart_key(cart_id)
        return await answered(info, view, await entering.change_codes(key, codes, info.context.client_address))

    @mutation(
        access=PUBLIC,
        description="Enter codes of gift cards in the place of those that the cart has. They pay in this order, before "
        "store credit, each as far as it goes; what they leave is paid otherwise. Nothing is taken off them before "
        "`checkoutComplete`, so one card may stand in several carts. A code that opens no card, or one that cannot be "
        "spent, refuses all of them. Who enters too many codes that do not exist hears RATE_LIMITED for a while.",
    )
    async def cart_gift_card_codes_update(
        self,
        info: Info,
        cart_id: CartId,
        codes: Annotated[
            list[str],
            strawberry.argument(description="Up to 10 codes, in any case; an empty list takes all cards out."),
        ],
    ) -> CartPayload:
        view, key = wanted_cart(info), cart_key(cart_id)
        return await answered(info, view, await entering.change_gift_cards(key, codes, info.context.client_address))

    @mutation(
        access=PUBLIC,
        description="Say what is wanted done with a cart as a gift, or with one of its lines: wrapping at the shop's "
        "price, a greeting, a slip without prices.",
    )
    async def cart_gift_options_update(
        self,
        info: Info,
        cart_id: CartId,
        gift_options: Annotated[GiftOptionsInput, strawberry.argument(description="What changes.")],
        line_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this line; left out or null, the whole cart.")
        ] = strawberry.UNSET,
    ) -> CartPayload:
        view, key = wanted_cart(info), cart_key(cart_id)
        line = line_of(key, line_id, ["lineId"]) if line_id else None
        changed = await gifts.change_gift_options(key, gift_options.given(), line, of_line=bool(line_id))
        return await answered(info, view, changed)

    @mutation(
        access=CUSTOMER,
        description="Spend one's own store credit on a cart of one's own, after its gift cards, or stop to. The cart "
        "has to belong to the account: made while signed in, or given at sign-in.",
    )
    async def cart_store_credit_update(
        self,
        info: Info,
        cart_id: CartId,
        use: Annotated[bool, strawberry.argument(description="Whether it is to pay.")],
    ) -> CartPayload:
        view, key, customer = wanted_cart(info), cart_key(cart_id), info.context.customer
        if customer is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
        return await answered(info, view, await entering.change_store_credit(key, customer, use=use))

    @mutation(
        access=PUBLIC,
        description="Put everything of one cart into another: alike lines add up, the others follow, and nothing is "
        "taken away for want of stock (the lines' warnings say so). Note, attributes, codes and buyer of the other one "
        "stay; what it lacks comes from the first, which stays open without lines. When one cart cannot hold both, or "
        "either is being paid for, everything is refused.",
    )
    async def cart_merge(
        self,
        info: Info,
        cart_id: Annotated[
            strawberry.ID, strawberry.argument(description="The cart that is emptied, the secret in its id included.")
        ],
        into_cart_id: Annotated[
            strawberry.ID, strawberry.argument(description="The cart that gets it all, and is answered.")
        ],
    ) -> CartPayload:
        view, customer = wanted_cart(info), info.context.customer
        source, target = cart_key(cart_id), cart_key(into_cart_id, "intoCartId")
        changed = await merging.merge(source, target, customer_id=customer.id if customer else None)
        return await answered(info, view, changed)


def wanted_cart(info: Info) -> CartView:
    """What is wanted of the payload's cart; refuses a page that cannot be had before anything is changed."""
    return Selection.of(info).below("cart").once(CartView.of)


async def answered(info: Info, view: CartView, changed: Changed) -> CartPayload:
    warnings = [WarningType.of(warning) for warning in changed.warnings]
    return CartPayload(cart=await view.show(info, changed.cart), warnings=warnings)


@node_loader(CART_PREFIX)
async def _carts(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    view = CartView.of(selection)
    carts = await queries.show_carts([ids.decode_with_secret(CART_PREFIX, text, ["id"]) for text in texts])
    shown = iter(await view.show_all(info, [cart for cart in carts if cart]))
    return [next(shown) if cart else None for cart in carts]


@node_loader(LINE_PREFIX)
async def _lines(info: Info, texts: Sequence[str], selection: Selection) -> Sequence[Node | None]:
    keys = [ids.decode_with_secret(LINE_PREFIX, text, ["id"]) for text in texts]
    carts = await queries.show_carts_of_lines(keys)
    found = [
        (cart, next(line for line in cart.lines if line.id == line_id)) if cart else None
        for cart, (line_id, _) in zip(carts, keys, strict=True)
    ]
    wanted = selection.below("variant") if "variant" in selection else None
    variants = await load_line_variants(info, [pair[1] for pair in found if pair], wanted)
    return [LineView(pair[0], variants).show(pair[1]) if pair else None for pair in found]
