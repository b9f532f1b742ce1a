"""The link that brings a cart back on any device."""

import pytest

from app.cart import restoring
from app.keys import keyring
from app.kit.crypto import KeyRing
from app.settings import Settings
from tests.client import Api
from tests.factories import cart as carts
from tests.factories import catalogue, shop
from tests.factories.cart import MadeCart
from tests.factories.marketing import EMAIL

RESTORE = "query ($t: String!) { cartRestore(token: $t) { id state totalQuantity cost { total { amount } } } }"
OLD, NEW = "old-key-of-the-ring-0123456789abcdef", "new-key-of-the-ring-0123456789abcdef"


@pytest.fixture
async def cart(clean_database: None) -> MadeCart:
    await shop.shop()
    variant = (await catalogue.product(name="Harbour sweater")).variant_ids[0]
    return await carts.cart((variant, 2), email=EMAIL)


def path_of(cart: MadeCart) -> str:
    return f"{restoring.RESTORE_PATH}/{restoring.restore_token(cart.id)}"


async def test_any_storefront_gets_the_cart_for_the_token(api: Api, cart: MadeCart) -> None:
    token = restoring.restore_token(cart.id)
    restored = (await api.ok(RESTORE, {"t": token}))["cartRestore"]
    assert (restored["id"], restored["totalQuantity"]) == (cart.gid, 2)
    for wrong in ("", "x", token[:-1], keyring().sign("unsubscribe", cart.id.hex)):
        assert (await api.ok(RESTORE, {"t": wrong}))["cartRestore"] is None, wrong


async def test_without_a_storefront_a_page_shows_the_cart_and_its_key(api: Api, cart: MadeCart) -> None:
    page = await api.http.get(path_of(cart))
    assert page.status_code == 200
    assert "Harbour sweater" in page.text
    assert cart.gid in page.text
    assert "/graphql" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_with_a_storefront_the_link_leads_there(
    api: Api, cart: MadeCart, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "storefront_cart_url", "https://www.shop.example/cart#{cartId}")
    answer = await api.http.get(f"{path_of(cart)}?utm_source=tradewind&next=https://evil.example")
    assert answer.status_code == 302
    assert answer.headers["location"] == f"https://www.shop.example/cart?utm_source=tradewind#{cart.gid}"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_cart_that_was_ordered_says_so(api: Api, cart: MadeCart) -> None:
    await carts.complete(cart.id)
    page = await api.http.get(path_of(cart))
    assert page.status_code == 200
    assert "This cart has been ordered" in page.text
    assert cart.gid not in page.text
    token = restoring.restore_token(cart.id)
    assert (await api.ok(RESTORE, {"t": token}))["cartRestore"]["state"] == "COMPLETED"


async def test_a_link_that_was_tampered_with_or_cut_off_shows_nothing(api: Api, cart: MadeCart) -> None:
    for path in (path_of(cart)[:-3], f"{restoring.RESTORE_PATH}/forged", f"{path_of(cart)}x"):
        page = await api.http.get(path)
        assert page.status_code == 404
        assert cart.gid not in page.text


async def test_links_and_carts_survive_a_new_key(
    api: Api, clean_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ring(*keys: str) -> None:
        for module in ("app.cart.restoring", "app.cart.creating"):
            monkeypatch.setattr(f"{module}.keyring", lambda: KeyRing(list(keys)))

    await shop.shop()
    ring(OLD)
    variant = (await catalogue.product()).variant_ids[0]
    made = await carts.cart((variant, 1))
    token = restoring.restore_token(made.id)
    ring(NEW, OLD)
    assert (await api.ok(RESTORE, {"t": token}))["cartRestore"]["id"] == made.gid
    assert restoring.restore_token(made.id) != token
    ring(NEW)
    assert (await api.ok(RESTORE, {"t": token}))["cartRestore"] is None
