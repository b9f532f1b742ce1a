"""Any sequence of what can happen to balances, against a model of them in memory: the ledger is never a cent off."""

import random
import uuid
from dataclasses import dataclass, field

import pytest

from app import db
from app.gift_cards import stored_value
from app.gift_cards.stored_value import TakenMeanwhile
from app.kit.ids import new_id
from tests.client import Api
from tests.factories import gift_cards, shop

STEPS = 120


@dataclass(frozen=True)
class Part:
    id: uuid.UUID
    amount_minor: int


@dataclass
class Model:
    balances: dict[uuid.UUID, int]
    held: dict[uuid.UUID, list[Part]] = field(default_factory=dict)
    spent: dict[uuid.UUID, int] = field(default_factory=dict)
    """By order: what of it can be given back."""


async def step(model: Model, chance: random.Random) -> None:
    match chance.choice(["hold", "hold", "redeem", "release", "refund"]):
        case "hold":
            chosen = chance.sample(list(model.balances), chance.randint(1, len(model.balances)))
            parts = [Part(one, chance.randint(1, 400)) for one in chosen]
            attempt = new_id()
            enough = all(model.balances[part.id] >= part.amount_minor for part in parts)
            try:
                async with db.unit_of_work():
                    await stored_value.hold(attempt, parts)
                assert enough
            except TakenMeanwhile:
                assert not enough
                return
            model.held[attempt] = parts
            for part in parts:
                model.balances[part.id] -= part.amount_minor
        case "redeem" if model.held:
            attempt = chance.choice(list(model.held))
            order = new_id()
            async with db.unit_of_work():
                await stored_value.redeem(attempt, order)
                await stored_value.release(attempt)  # what is spent cannot come back this way
            model.spent[order] = sum(part.amount_minor for part in model.held.pop(attempt))
        case "release" if model.held:
            attempt = chance.choice(list(model.held))
            async with db.unit_of_work():
                await stored_value.release(attempt)
            for part in model.held.pop(attempt):
                model.balances[part.id] += part.amount_minor
        case "refund" if model.spent:
            order = chance.choice(list(model.spent))
            if left := model.spent[order]:
                amount, refund = chance.randint(1, left), new_id()
                for _ in range(2):
                    async with db.unit_of_work():
                        returned = await stored_value.refund(order, refund, amount)
                assert sum(back.amount_minor for back in returned) == amount
                for back in returned:
                    model.balances[back.id] += back.amount_minor
                model.spent[order] -= amount
            assert await stored_value.refundable(order) == model.spent[order]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_ledger_follows_its_model(api: Api, seed: int) -> None:
    await shop.shop()
    chance = random.Random(seed)
    model = Model({(await gift_cards.gift_card(minor)).id: minor for minor in (500, 1500, 3000)})
    for _ in range(STEPS):
        await step(model, chance)
    for value_id, balance in model.balances.items():
        assert await gift_cards.balance(value_id) == balance
        assert sum(amount for _, amount in await gift_cards.ledger(value_id)) == balance
    held = sum(part.amount_minor for parts in model.held.values() for part in parts)
    assert sum(model.balances.values()) + held + sum(model.spent.values()) == 5000
