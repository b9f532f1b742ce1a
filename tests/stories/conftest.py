"""A shop with every recipe, on a morning."""

import pytest

from app.flows import recipes
from tests.client import Api
from tests.factories import checkout
from tests.stories.shopper import Advance, Drain, Story


@pytest.fixture
async def story(api: Api, staff_token: str, drain: Drain, advance: Advance) -> Story:
    return await _told(Story(api, staff_token, drain, advance), publish=True)


@pytest.fixture
async def quiet_story(api: Api, staff_token: str, drain: Drain, advance: Advance) -> Story:
    """The same, with the recipes as drafts."""
    return await _told(Story(api, staff_token, drain, advance), publish=False)


async def _told(story: Story, *, publish: bool) -> Story:
    await checkout.shop_that_ships()
    await recipes.install(publish=publish)
    await story.until_hour(16)  # morning on the shopper's coast: quiet hours are far
    return story
