"""Shoppers who come at a steady rate, however long the shop takes for those before them."""

import asyncio
import itertools
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks.checkout.subjects import ADDRESS, CARD, CART_CREATE, COMPLETE, DESTINATION, QUOTES
from benchmarks.serving import Connection
from benchmarks.shop import Shop

KEPT_SECONDS = 2.0
"""That a connection is used again after the last answer: the server closes it after five."""


@dataclass(slots=True)
class Figures:
    seconds: list[float] = field(default_factory=list)
    """Of each whole checkout that led to an order, from the moment when the shopper came."""
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, others: "Figures") -> None:
        self.seconds += others.seconds
        self.refused += others.refused

    def percentile(self, share: float) -> float:
        """In milliseconds; 0 where nothing was measured."""
        if not self.seconds:
            return 0.0
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))] * 1000


class Shoppers:
    def __init__(self, port: int, shop: Shop) -> None:
        self._port = port
        self._shop = shop
        self._idle: list[tuple[float, Connection]] = []
        self._numbers = itertools.count(1)
        self.minute = Figures()
        self.under_way = 0

    async def come(self, rate: float, seconds: float) -> None:
        """So many a second. Who has to wait is measured from when they came."""
        start = time.perf_counter()
        async with asyncio.TaskGroup() as coming:
            for number in range(int(rate * seconds)):
                due = start + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                coming.create_task(self._buy(due))

    def ended_minute(self) -> Figures:
        minute, self.minute = self.minute, Figures()
        return minute

    async def _buy(self, came: float) -> None:
        self.under_way += 1
        try:
            refusal = await self._checkout()
        except (OSError, EOFError, RuntimeError) as error:
            refusal = str(error)[:100].split("\r\n")[0] or type(error).__name__
        finally:
            self.under_way -= 1
        if refusal:
            self.minute.refused[refusal] += 1
        else:
            self.minute.seconds.append(time.perf_counter() - came)

    async def _connection(self) -> Connection:
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < KEPT_SECONDS:
                return connection
            connection.close()
        return await Connection.to(self._port)

    async def _checkout(self) -> str | None:
        """Three requests; the code of a refusal."""
        number = next(self._numbers)
        connection = await self._connection()
        address = f"198.{18 + number // 65_536 % 2}.{number // 256 % 256}.{number % 256}"

        async def ask(document: str, variables: dict[str, Any]) -> dict[str, Any]:
            body = orjson.dumps({"query": document, "variables": variables})
            answer = orjson.loads(await connection.ask(_post(body, address)))
            if answer.get("errors"):
                raise RuntimeError(answer["errors"][0]["extensions"]["code"])
            (payload,) = answer["data"].values()
            found: dict[str, Any] = payload
            return found

        variant = self._shop.variants[number * 7_919 % len(self._shop.variants)]
        cart = (await ask(CART_CREATE, {"lines": [{"variantId": variant, "quantity": 1}]}))["cart"]
        quoted = await ask(QUOTES, {"input": {"cartId": cart["id"], "address": DESTINATION}})
        given = {
            "cartId": cart["id"],
            "idempotencyKey": uuid.uuid4().hex,
            "email": f"shopper-{number}@soak.example",
            "shippingAddress": ADDRESS,
            "shippingQuoteId": quoted["quotes"][0]["id"],
            "payment": CARD,
        }
        placed = await ask(COMPLETE, {"input": given})
        self._idle.append((time.monotonic(), connection))
        return None if placed["order"] else str(placed["userErrors"][0]["code"])


def _post(body: bytes, address: str) -> bytes:
    return (
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
