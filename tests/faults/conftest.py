"""What tests share that take the shop's processes apart."""

from collections.abc import AsyncIterator

import pytest

from app import events
from app.settings import Settings
from workers.broker import build_broker
from workers.relay import Relay


@pytest.fixture
async def publishing(settings: Settings) -> AsyncIterator[Relay]:
    """This process hands its events to the broker, as an API process does."""
    relay = Relay(build_broker(settings))
    relay.start()
    events.set_publisher(relay.publish)
    try:
        yield relay
    finally:
        events.set_publisher(None)
        relay.stop()
