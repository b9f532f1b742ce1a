"""What is measured: the same requests to the server written by hand and to the API."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.serving import Connection, get, post
from benchmarks.shop import Shop


class Client:
    """One shopper after the other on one connection, at either server.

    Args:
        by_hand: the server that has a path for each request, where the API has `/graphql` for all.
    """

    def __init__(self, connection: Connection, shop: Shop, chance: random.Random, *, by_hand: bool) -> None:
        self.shop = shop
        self.chance = chance
        self.cart_id: str | None = None
        """Of a cart that was made for this shopper, to add to."""
        self._connection = connection
        self._by_hand = by_hand

    async def get(self, path: str) -> bytes:
        return await self._connection.ask(get(path))

    async def graphql(self, document: str, variables: dict[str, Any], by_hand: str) -> Any:
        """The answer's only field. Raises RuntimeError when anything was refused."""
        body = orjson.dumps({"query": document, "variables": variables})
        text = await self._connection.ask(post(by_hand if self._by_hand else "/graphql", body))
        if b'"errors":[{' in text:
            raise RuntimeError(text.decode())
        # What comes next is made from an answer about a cart; pages are left unread, or the client would be measured.
        if b'"userErrors"' not in text:
            return text
        (answer,) = orjson.loads(text)["data"].values()
        if answer["userErrors"]:
            raise RuntimeError(text.decode())
        return answer


@dataclass(frozen=True, slots=True)
class Subject:
    """`units` are what one round asks for; `compare` says whether both answers have to be the same, byte for field;
    `prepare` is done once by each client, before it asks."""

    name: str
    run: Callable[[Client], Awaitable[Any]]
    units: int
    compare: bool = True
    prepare: Callable[[Client], Awaitable[None]] | None = None
