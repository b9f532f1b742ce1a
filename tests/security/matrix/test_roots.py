"""Every root field, asked by everybody: the guard's answer is in MATRIX, and whoever it turns away changes nothing."""

import asyncio
from typing import Any

import pytest

from app.staff.permissions import Permission
from tests.client import Api
from tests.factories import staff
from tests.patience import patience
from tests.security.client_schema import client_schema
from tests.security.matrix import walking
from tests.security.matrix.access import Id
from tests.security.matrix.given import given
from tests.security.matrix.state import ask, changed, codes, state, taken_back
from tests.security.matrix.table import IDS
from tests.security.matrix.things import Shop, a_shop
from tests.security.matrix.viewers import Viewers, rows
from tests.security.test_access_matrix import CUSTOMER, MATRIX, PUBLIC

pytestmark = pytest.mark.long

FIELDS = [(root, field) for root in ("Query", "Mutation") for field in MATRIX[root]]
NO = {"UNAUTHENTICATED", "FORBIDDEN"}
ASKS_FOR_MORE = {
    "logout": "there is nobody to sign out",
    "logoutEverywhere": "likewise, and a key has no session",
    "referralCodeCreate": "a token of one's own, or CUSTOMERS_WRITE",
    "staffSecondFactorReset": "owners alone",
}
"""Whom the guard lets in, and who is still told to sign in or that they may not."""


@pytest.fixture
async def shop(api: Api) -> Shop:
    return await a_shop(api, await staff.signed_in(set(Permission)))


def asked(root: str, field: str, shop: Shop) -> tuple[str, dict[str, Any]]:
    path = f"{root}.{field}"
    arguments = walking.arguments_of(client_schema(), path, given(path, shop))
    return walking.document(client_schema(), path, arguments, walking.everything_of(client_schema(), path)), arguments


async def test_everybody_is_let_in_or_turned_away_as_the_table_says(api: Api, shop: Shop) -> None:
    viewers, wrong = Viewers(shop), []
    for root, field in FIELDS:
        await viewers.of(MATRIX[root][field], Id("", staff=frozenset()))
    before = await state()
    for root, field in FIELDS:
        document, arguments = asked(root, field, shop)
        needed = MATRIX[root][field]
        for viewer in await viewers.of(needed, Id("", staff=frozenset(), anybody=needed in (PUBLIC, CUSTOMER))):
            if viewer.refused:
                said = codes(await ask(api, document, arguments, viewer.token))
                right = said == [viewer.refused]
            elif needed is PUBLIC and root == "Mutation":
                continue  # anybody may; what they may do it to is in IDS
            else:
                async with taken_back():
                    said = codes(await ask(api, document, arguments, viewer.token))
                right = not set(said) & NO or field in ASKS_FOR_MORE
            if not right:
                wrong.append(f"{root}.{field}: {viewer.name} hears {said}, not {viewer.refused or 'that they may'}")
    if touched := changed(before, await state()):
        wrong.append(f"somebody who was turned away changed {touched}")
    assert not wrong, "\n".join(wrong)


async def test_what_cannot_be_watched_is_not_there(api: Api, shop: Shop) -> None:
    viewers, thing = Viewers(shop), shop.things["job"]
    row = dict(rows(IDS))["Subscription.job.id"]
    document = "subscription ($id: ID!) { job(id: $id) { id status } }"

    async def heard(value: str, token: str | None) -> str:
        headers = {"Accept": "text/event-stream", **({"Authorization": f"Bearer {token}"} if token else {})}
        sent = {"query": document, "variables": {"id": value}}
        response = await asyncio.wait_for(api.http.post("/graphql", json=sent, headers=headers), patience(10))
        return response.text

    for viewer in await viewers.of(MATRIX["Subscription"]["job"], row):
        if not viewer.sees:
            said = await heard(thing.id, viewer.token)
            assert (viewer.refused or row.refusal) in said, viewer.name
            assert said == await heard(thing.never, viewer.token), viewer.name
