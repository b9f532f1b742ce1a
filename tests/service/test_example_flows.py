"""The flows of examples/flows: whoever copies one gets a flow that saves, publishes and writes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock, db
from app.customers import timeline
from app.flows import recipes
from app.messaging.dev_inbox import list_messages
from tests.client import Api
from tests.factories import segments, shop
from tests.factories.marketing import EMAIL, subscriber

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "flows"
GUIDE = FOLDER.parents[1] / "docs" / "flows.md"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.fixture(autouse=True)
async def _shop(api: Api) -> None:
    await shop.shop()
    await segments.segment("vip", "customer.totalSpent > 500.0")


async def test_every_example_saves_and_publishes() -> None:
    assert EXAMPLES == ["back_in_stock", "birthday", "price_drop", "refill", "vip"]
    assert await recipes.install(publish=True, folder=FOLDER) == EXAMPLES
    rows = await db.fetch("SELECT key, status FROM flows ORDER BY key")
    assert [(row["key"], row["status"]) for row in rows] == [(key, "PUBLISHED") for key in EXAMPLES]
    used = {template for recipe in recipes.recipes(FOLDER) for template in recipe.templates}
    assert {path.name.split(".")[0] for path in (FOLDER / "templates").iterdir()} == used


def test_the_guide_speaks_of_every_example() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [key for key in EXAMPLES if f"examples/flows/{key}.json" not in guide] == []


async def test_a_birthday_brings_a_code_a_week_before(
    drain: Callable[[], Awaitable[None]], advance: Callable[[str], Awaitable[None]]
) -> None:
    await recipes.install(publish=True, folder=FOLDER)
    profile_id = await subscriber()
    birthday = (await clock.now() + timedelta(days=10)).date()
    async with db.unit_of_work():
        await db.execute(
            "UPDATE profiles SET properties = jsonb_build_object('birthday', $2::text) WHERE id = $1",
            profile_id,
            f"1990-{birthday:%m-%d}",
        )
        await timeline.record("profile.updated", profile_id=profile_id, data={"changed": "properties"})
    await drain()
    await advance("P2D")
    assert await list_messages(EMAIL) == []
    await advance("P2D")
    (mail,) = await list_messages(EMAIL)
    assert mail.subject == "15% off for your birthday"
    assert "Your code for 15% off" in mail.text
