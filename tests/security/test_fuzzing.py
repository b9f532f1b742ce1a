"""The whole schema under generated requests: as nobody, a customer, staff and a key with everything.

`make fuzz MINUTES=30` goes on for longer, each round on another shop and from another seed.
"""

import itertools
import os
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from app import db, invariants
from app.kit import ids
from app.staff.permissions import NOT_FOR_KEYS, Permission
from tests.client import Api
from tests.emptying import Tables
from tests.factories import accounts, api_keys, campaigns, customers, discounts, flow_rows, marketing, segments, staff
from tests.live_server import LiveServer
from tests.patience import patience
from tests.security.test_anything import a_shop_in_use

if TYPE_CHECKING:
    from tests.security.fuzzing import Fuzzer

pytestmark = pytest.mark.long

Drain = Callable[[], Awaitable[None]]
MINUTES = float(os.environ.get("TRADEWIND_FUZZ_MINUTES", "0"))
SEED = int(os.environ.get("TRADEWIND_FUZZ_SEED", "0")) or (random.randrange(2**32) if MINUTES else 1)
TABLES = {
    "oline": "order_lines", "wh": "warehouses", "szone": "shipping_zones", "shp": "shipments", "cus": "customers",
    "prof": "profiles", "sess": "sessions", "staff": "staff_users", "role": "staff_roles", "key": "api_keys",
    "pm": "saved_payment_methods", "cadd": "customer_addresses", "flow": "flows", "tmpl": "message_templates",
    "msg": "messages", "ctext": "consent_texts", "job": "jobs", "camp": "campaigns", "seg": "segments",
    "disc": "discounts", "code": "discount_codes", "frun": "flow_runs",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(database: object) -> Iterator[LiveServer]:
    """Production, but for one proxy in front and no budget of points: what is refused for its cost is not tried."""
    with LiveServer(
        TRADEWIND_ENV="production",
        SMTP_URL="smtp://localhost:9",
        PUBLIC_URL="https://api.harbour.example",
        TRUSTED_PROXIES="1",
        RATE_LIMIT_CLIENT_POINTS="0",
        RATE_LIMIT_ACCOUNT_POINTS="0",
        REQUEST_TIMEOUT_SECONDS=str(patience(10)),
    ) as one:
        yield one


async def a_fuzzer(server: LiveServer, api: Api, staff_token: str) -> "Fuzzer":
    from tests.security.fuzzing import Fuzzer  # with schemathesis, which takes a second of every other process

    known = defaultdict(list, await a_shop_in_use(api, staff_token))
    person = await customers.profile(email="ada@example.com")
    await flow_rows.run(await flow_rows.flow(), person, status="COMPLETED")
    await marketing.template("news")
    await segments.segment("all", "customer.orderCount >= 0")
    await campaigns.campaign("news")
    await discounts.discount(code="CLOSED")
    everything = set(Permission)
    tokens: list[str | None] = [None]
    # Several of each: some mutations end their own session.
    for number in range(4):
        tokens += [
            (await accounts.signed_in(f"shopper{number}@example.com")).token,
            await staff.signed_in(everything),
            await staff.owner(),
            await api_keys.key(everything - NOT_FOR_KEYS, maker_may=everything),
        ]
    for prefix, table in TABLES.items():
        known[prefix] = [ids.encode(prefix, row["id"]) for row in await db.fetch(f"SELECT id FROM {table} LIMIT 5")]
    return Fuzzer(server.url, known, tokens, deadline_seconds=patience(10))


async def assert_all_is_well(fuzzer: "Fuzzer", drain: Drain, number: int = SEED) -> None:
    found = "\n\n".join(fuzzer.findings)
    assert not found, f"seed {number}: {len(fuzzer.findings)} of {fuzzer.asked} requests\n{found}"
    await drain()
    dead = await db.fetch("SELECT event_type, handler, cause FROM dead_letters WHERE handler <> 'x'")
    assert not dead, [dict(row) for row in dead]
    assert await invariants.check() == []
    assert fuzzer.answered > fuzzer.asked / 5, "most of what is asked is refused before anything is looked up"


async def test_every_root_field_answers_whatever_its_type_allows(
    server: LiveServer, api: Api, staff_token: str, drain: Drain
) -> None:
    fuzzer = await a_fuzzer(server, api, staff_token)
    fuzzer.each_root_field(SEED, examples=2)
    await assert_all_is_well(fuzzer, drain)


async def test_so_do_whole_documents(server: LiveServer, api: Api, staff_token: str, drain: Drain) -> None:
    fuzzer = await a_fuzzer(server, api, staff_token)
    fuzzer.whole_documents(SEED, examples=20)
    await assert_all_is_well(fuzzer, drain)


if MINUTES:  # `make fuzz`

    async def test_for_as_long_as_there_is_time(
        server: LiveServer, api: Api, staff_token: str, drain: Drain, database: Tables
    ) -> None:
        until = time.monotonic() + MINUTES * 60
        for number in itertools.count(SEED):
            await database.empty()
            fuzzer = await a_fuzzer(server, api, await staff.signed_in(set(Permission)))
            fuzzer.each_root_field(number, examples=4, until=until)
            fuzzer.whole_documents(number, examples=25)
            print(
                f"seed {number}: {fuzzer.asked} requests, {fuzzer.answered} answered, {len(fuzzer.findings)} findings"
            )
            await assert_all_is_well(fuzzer, drain, number)
            if time.monotonic() > until:
                break
