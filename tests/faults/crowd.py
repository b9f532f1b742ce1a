"""Guests who buy while things break. Each comes from an address of their own, and asks again until told."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from app import db
from tests.faults.shopping import Guest, NoAnswerError
from tests.patience import patience

ENVIRONMENT = {"TRUSTED_PROXIES": "1"}
"""Of API processes that a crowd shops at: each guest is a client of their own."""
REQUEST_SECONDS = patience(10)
OVERLOADED = "503 OVERLOADED"
INTERRUPTED = ["PAYMENT_NOT_COMPLETED"]
"""Nothing was charged, and one is to try again with a new key."""


@dataclass
class Crowd:
    """`urls()` gives the API processes that a balancer would send requests to at that moment."""

    variant: str
    urls: Callable[[], Sequence[str]]
    guests: list[Guest] = field(default_factory=list)
    unanswered: Counter[str] = field(default_factory=Counter)
    """Requests without a usable answer, by what came instead."""
    took: list[float] = field(default_factory=list)
    """Seconds of each request for an order that was answered."""
    waited_in_vain: list[float] = field(default_factory=list)
    """Seconds of each request without a usable answer."""
    patient: bool = True
    """Whether they ask again when there are too many; else they leave, unless an order of theirs has been begun."""
    turned_away: int = 0
    """Guests who left so."""
    interrupted: int = 0
    """Payments that came to nothing, and were tried again."""
    _chance: random.Random = field(default_factory=random.Random)

    async def buy(self, count: int, *, within_seconds: float) -> None:
        """So many guests come, evenly, and all of them get to their end."""
        numbers = itertools.count()
        await asyncio.gather(*(self._guest(next(numbers) * within_seconds / count) for _ in range(count)))

    async def keep_coming(self, every_seconds: float, over: asyncio.Event) -> None:
        """One after another, until it is over, and those who have come get to their end."""
        coming = []
        while not over.is_set():
            coming.append(asyncio.create_task(self._guest(0)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), every_seconds)
        await asyncio.gather(*coming)

    async def one_after_another(self, over: asyncio.Event) -> None:
        """Each comes when the one before has left."""
        while not over.is_set():
            await self._guest(0)

    async def _guest(self, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        address = f"203.0.{self._chance.randrange(256)}.{self._chance.randrange(256)}"
        deadline = time.monotonic() + patience(60)
        async with httpx2.AsyncClient(timeout=REQUEST_SECONDS, headers={"X-Forwarded-For": address}) as client:
            instead: str | None = None

            async def post(document: str, variables: dict[str, Any]) -> dict[str, Any] | None:
                nonlocal instead
                body, instead = await self._post(client, document, variables)
                return body

            guest = Guest(self.variant, post)
            self.guests.append(guest)
            while not guest.variables:
                try:
                    await guest.fill_cart()
                except NoAnswerError:
                    if self._leaves(instead):
                        return
                    await self._rest(deadline)
            has_begun = False
            while True:
                start = time.monotonic()
                if not await guest.try_to_pay():
                    has_begun = has_begun or instead != OVERLOADED
                    if not has_begun and self._leaves(instead):
                        return
                    await self._rest(deadline)
                elif guest.errors == INTERRUPTED:
                    self.interrupted += 1
                    has_begun = False
                    guest.take_new_key()
                else:
                    self.took.append(time.monotonic() - start)
                    return

    def _leaves(self, instead: str | None) -> bool:
        leaves = not self.patient and instead == OVERLOADED
        self.turned_away += leaves
        return leaves

    async def _rest(self, deadline: float) -> None:
        assert time.monotonic() < deadline, self.unanswered
        await asyncio.sleep(0.2)

    async def _post(
        self, client: httpx2.AsyncClient, document: str, variables: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, str | None]:
        """The answer, or what came instead of a usable one."""
        start = time.monotonic()
        instead = "no server"
        if urls := self.urls():
            url = f"{self._chance.choice(urls)}/graphql"
            try:
                response = await client.post(url, json={"query": document, "variables": variables})
                body: dict[str, Any] = response.json()
                if "data" in body and not body.get("errors"):
                    return body, None
                instead = f"{response.status_code} {body['errors'][0]['extensions']['code']}"
            except httpx2.TransportError as error:
                instead = type(error).__name__
            except ValueError:
                instead = f"{response.status_code}"
        self.unanswered[instead] += 1
        self.waited_in_vain.append(time.monotonic() - start)
        return None, instead

    async def lost_and_doubled(self) -> tuple[int, int]:
        """Orders that somebody was told of and are not there; and orders beyond one for each guest, or untold."""
        rows = await db.fetch("SELECT number::text AS number, email FROM orders")
        there = {str(row["number"]) for row in rows}
        told = [str(guest.number) for guest in self.guests if guest.number is not None]
        emails = Counter(row["email"] for row in rows)
        doubled = sum(count - 1 for count in emails.values()) + len(told) - len(set(told))
        return len(set(told) - there) + max(0, len(rows) - len(told)), doubled
