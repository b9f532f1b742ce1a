"""Every id that a client can send, tried by everybody: to who may not have it, it is as one that never was."""

import contextlib
import itertools

import pytest

from app.staff.permissions import Permission
from schema.nodes import _loaders
from tests.client import Api, Result
from tests.factories import staff
from tests.security.client_schema import client_schema
from tests.security.matrix import walking
from tests.security.matrix.access import Id
from tests.security.matrix.given import given
from tests.security.matrix.state import answer, ask, changed, codes, state, taken_back
from tests.security.matrix.table import IDS, NODES
from tests.security.matrix.things import Shop, a_shop
from tests.security.matrix.viewers import Viewer, Viewers, rows
from tests.security.test_access_matrix import MATRIX, PUBLIC

pytestmark = pytest.mark.long


def test_every_place_for_an_id_is_in_the_table() -> None:
    found = walking.id_paths(client_schema())
    assert found - set(IDS) == set(), (
        "say in tests/security/matrix/table.py (IDS) what this id names and who gets at it"
    )
    assert set(IDS) - found == set(), "no longer in the schema: take it out of tests/security/matrix/table.py (IDS)"


def test_every_kind_of_node_is_in_the_table() -> None:
    assert set(_loaders) == set(NODES), "say in tests/security/matrix/table.py (NODES) who may see this kind of node"


SIGN_INS = {"customerCreate", "customerLogin", "customerSignInWithLink"}


class Trial:
    """One shop, and everybody before it."""

    def __init__(self, api: Api, shop: Shop) -> None:
        self.api = api
        self.shop = shop
        self.viewers = Viewers(shop)
        self.failures: list[str] = []

    async def tell(self, path: str, value: str, viewer: Viewer, *, undone: bool) -> Result:
        arguments = walking.placed(client_schema(), path, value, given(path, self.shop))
        document = walking.document(client_schema(), path, arguments, walking.everything_of(client_schema(), path))
        async with taken_back() if undone else contextlib.nullcontext():
            return await ask(self.api, document, arguments, viewer.token)

    async def try_path(self, path: str, row: Id) -> None:
        root, field, _ = path.split(".", 2)
        thing = self.shop.things[row.kind]
        viewers = await self.viewers.of(MATRIX[root][field], row)
        # Whoever signs in is somebody else afterwards, and each attempt costs a hash or two.
        for viewer in viewers[:2] if field in SIGN_INS else viewers:
            if viewer.refused:
                said = await self.tell(path, thing.id, viewer, undone=False)
                self.check(codes(said) == [viewer.refused], f"{path}: {viewer.name} is let in: {answer(said)[:300]}")
                continue
            never = await self.tell(path, thing.never, viewer, undone=row.undone)
            if viewer.sees:
                seen = await self.tell(path, thing.id, viewer, undone=True)
                got = not set(codes(seen)) & set(row.refusal.split()) and (row.undone or answer(seen) != answer(never))
                self.check(got, f"{path}: {viewer.name} does not get at it: {answer(seen)[:300]}")
            elif root == "Mutation" and not row.undone:
                told = codes(never)
                self.check(len(told) == 1 and told[0] in row.refusal.split(), f"{path}: {viewer.name} hears {told}")
            if not viewer.sees or thing.wrong is not None:
                refused = await self.tell(path, thing.wrong or thing.id, viewer, undone=row.undone)
                self.check(
                    answer(refused) == answer(never),
                    f"{path}: {viewer.name} can tell that it is there:\n  {answer(refused)}\n  {answer(never)}",
                )

    def check(self, holds: bool, what: str) -> None:
        if not holds:
            self.failures.append(what)


@pytest.fixture
async def trial(api: Api) -> Trial:
    return Trial(api, await a_shop(api, await staff.signed_in(set(Permission))))


async def test_who_may_not_have_it_cannot_tell_that_it_is_there_and_changes_nothing(trial: Trial) -> None:
    for path, row in rows(IDS):
        root, field, _ = path.split(".", 2)
        await trial.viewers.of(MATRIX[root][field], row)
    before = await state()
    for field, paths in itertools.groupby(
        sorted(rows(IDS), key=lambda pair: pair[0]), key=lambda pair: pair[0].split(".")[1]
    ):
        for path, row in paths:
            if not path.startswith("Subscription"):
                await trial.try_path(path, row)
        after = await state()
        trial.check(before == after, f"{field}: a refusal changed {changed(before, after)}")
        before = after
    assert not trial.failures, "\n".join(trial.failures)


async def test_a_node_is_there_for_those_who_may_see_it_and_for_nobody_else(trial: Trial) -> None:
    before = None
    for prefix, row in NODES.items():
        thing, document = trial.shop.things[row.kind], "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
        viewers = await trial.viewers.of(PUBLIC, row)
        before = before or await state()
        for viewer in viewers:
            asked = [thing.id, thing.never, *([thing.wrong] if thing.wrong else [])]
            seen = await ask(trial.api, document, {"ids": asked}, viewer.token)
            there = [node is not None for node in (seen.data or {})["nodes"]]
            trial.check(there == [viewer.sees, *[False] * (len(asked) - 1)], f"{prefix}: {viewer.name} sees {there}")
    assert not trial.failures, "\n".join(trial.failures)


async def test_what_is_public_is_there_for_everybody(trial: Trial) -> None:
    of = trial.shop.given
    public = [of["prod"], of["var"], of["coll"]]
    for viewer in await trial.viewers.of(PUBLIC, Id("prod")):
        found = await trial.api.ok(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": public}, token=viewer.token
        )
        assert [node["id"] for node in found["nodes"]] == public, viewer.name
