"""Reminders: to whom they go, after what they never come, and what an outage or a repetition makes of them."""

import uuid
from collections.abc import Awaitable, Callable

import pytest

from app import db
from app.flows import recipes
from tests.client import Api
from tests.factories import catalogue, checkout
from tests.stories.shopper import Story, skipped

Drain = Callable[[], Awaitable[None]]
Advance = Callable[[str], Awaitable[None]]

STRANGERS_PHONE = "+15035550199"


@pytest.fixture
async def story(api: Api, staff_token: str, drain: Drain, advance: Advance) -> Story:
    """Ada, in a shop with every recipe, on a morning."""
    told = Story(api, staff_token, drain, advance)
    await checkout.shop_that_ships()
    await recipes.install(publish=True)
    await told.until_hour(16)
    return told


def uuid_of(cart_id: str) -> uuid.UUID:
    return uuid.UUID(hex=cart_id.split("_")[1])


async def test_a_number_typed_beside_somebodys_email_hears_nothing_of_their_carts(story: Story) -> None:
    stranger = Story(story.api, story.staff, story.drain, story.advance_by, phone=STRANGERS_PHONE)
    assert stranger.email == story.email
    await stranger.cart(await catalogue.product(name="Bait"), consent=False, sms=True)
    await story.pass_time("P2D")
    cart = await story.cart(await catalogue.product(name="Secret"))
    await story.start_checkout(cart)
    await story.pass_time("P3D")
    assert await story.steps_of("checkout_abandoned") == ["remind-1", "remind-2", "remind-3"]
    assert await stranger.texts("checkout_abandoned") == []
    told = await db.fetchval(
        "SELECT count(*) FROM messages WHERE recipient = $1 AND cart_id = $2", STRANGERS_PHONE, uuid_of(cart)
    )
    assert told == 0
    assert ("text-1", "NO_ADDRESS") in await skipped("checkout_abandoned")


async def test_a_text_about_a_cart_goes_to_the_number_given_with_it_or_paid_with_before(story: Story) -> None:
    bought = await story.cart(await catalogue.product(), sms=True)
    await story.order(bought, phone=story.phone)
    await story.pass_time("P10D")
    cart = await story.cart(await catalogue.product(name="Sencha"))
    assert await db.fetchval("SELECT count(*) FROM carts WHERE phone IS NULL") == 1
    await story.start_checkout(cart)
    await story.pass_time("P3D")
    assert [text["stepKey"] for text in await story.texts("checkout_abandoned")] == ["text-1"]
