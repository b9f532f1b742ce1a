"""After a restore, payments that have gone on at their gateway are named: the database cannot know of them."""

import os
import subprocess
import sys

import pytest

from app import db
from tests.client import Api
from tests.factories import catalogue, checkout
from tests.patience import patience

pytestmark = pytest.mark.long


def after_restore() -> tuple[int, str]:
    answer = subprocess.run(
        [sys.executable, "-m", "app.cli", "after-restore"],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(20),
    )
    return answer.returncode, answer.stdout + answer.stderr


async def test_payments_that_went_on_after_the_backup_are_named(api: Api) -> None:
    await checkout.shop_that_ships()
    lantern = await catalogue.product(stock=5)
    for _ in range(4):
        await checkout.placed(api, (lantern, 1))
    voided, captured, unknown, well = [row["id"] for row in await db.fetch("SELECT id FROM payments ORDER BY id")]
    for payment_id, state in ((voided, "VOIDED"), (captured, "CAPTURED")):
        await db.execute(
            "UPDATE test_gateway_payments SET state = $2 WHERE idempotency_key = $1", str(payment_id), state
        )
    await db.execute("DELETE FROM test_gateway_payments WHERE idempotency_key = $1", str(unknown))
    before = await db.fetch("SELECT * FROM payments ORDER BY id")
    code, said = after_restore()
    assert code == 1
    assert f"✗ {voided} test says VOIDED" in said
    assert f"✗ {captured} test says CAPTURED" in said
    assert f"✗ {unknown} test does not know it" in said
    assert str(well) not in said
    assert await db.fetch("SELECT * FROM payments ORDER BY id") == before, "it is for a person to decide"
