"""The broker's queue, which carries ids of events: its name, and how much waits in it."""

import asyncio
from dataclasses import dataclass

from app.cache import cache, named
from app.settings import Settings

NAME = "events"
ANSWER_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Depth:
    waiting: int
    in_hand: int | None
    """Fetched by workers and not finished; RabbitMQ does not tell."""


async def depth(settings: Settings) -> Depth:
    """Raises what the broker's client raises (RedisError, AMQPError, OSError) when it does not answer."""
    if settings.broker_url is None:
        async with cache().pipeline(transaction=False) as pipeline:
            # As Dramatiq's Redis broker names them: a list of what waits, a hash of all that is not finished.
            pipeline.llen(named(NAME))
            pipeline.hlen(named(f"{NAME}.msgs"))
            waiting, unfinished = await pipeline.execute()
        return Depth(waiting, max(unfinished - waiting, 0))
    return await asyncio.to_thread(_depth_of_rabbitmq, settings.broker_url)


def _depth_of_rabbitmq(url: str) -> Depth:
    import pika  # type: ignore[import-untyped]

    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = ANSWER_TIMEOUT_SECONDS
    parameters.stack_timeout = 2 * ANSWER_TIMEOUT_SECONDS
    connection = pika.BlockingConnection(parameters)
    try:
        declared = connection.channel().queue_declare(NAME, passive=True)
        return Depth(declared.method.message_count, None)
    finally:
        connection.close()
