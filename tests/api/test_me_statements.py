"""What an account's page costs."""

from app import db
from tests.client import Api
from tests.factories import accounts, catalogue, checkout
from tests.factories import cart as carts

PAGE = """{ me {
    email sessions { id } addresses { id } paymentMethods { id }
    cart { id lines { nodes { quantity variant { name product { name } } } } cost { total { amount } } } carts { id }
    orders(first: 10) {
        totalCount nodes { number lines { nodes { quantity } } payments { state } fulfillments { id } }
    }
} }"""


async def test_an_account_s_page_takes_as_many_statements_for_many_orders_and_lines_as_for_one(api: Api) -> None:
    await checkout.shop_that_ships()
    ada = await accounts.signed_in()
    counts = []
    for more in (1, 3):
        pens = [await catalogue.product(stock=9) for _ in range(more)]
        for _ in range(more):
            await checkout.placed(api, *((pen, 1) for pen in pens), token=ada.token, payment=checkout.CASH)
        cart = await carts.cart(*((pen.variant_id, 1) for pen in pens))
        await db.execute("UPDATE carts SET customer_id = $2 WHERE id = $1", cart.id, ada.id)
        with db.counted_statements() as statements:
            page = (await api.ok(PAGE, token=ada.token))["me"]
        counts.append(len(statements))
    assert page["orders"]["totalCount"] == 4
    assert len(page["cart"]["lines"]["nodes"]) == 3
    assert len(page["carts"]) == 2
    assert counts[0] == counts[1] <= 12
