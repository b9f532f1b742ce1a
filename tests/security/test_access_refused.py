"""Every guarded root field, tried by those who have everything but what it asks for."""

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
)

from app import db
from app.staff.permissions import Permission
from schema.nodes import _loaders
from tests.client import Api
from tests.factories import checkout, staff
from tests.security.client_schema import client_schema
from tests.security.matrix.state import everything
from tests.security.test_access_matrix import ANY_MEMBER, ANY_STAFF, CUSTOMER, MATRIX, PUBLIC

GUARDED = [
    (root, field, needed)
    for root, fields in MATRIX.items()
    for field, needed in fields.items()
    if needed is not PUBLIC and root != "Subscription"
]


def some(kind: GraphQLInputType) -> Any:
    """A value of the type, only what it has to have."""
    if isinstance(kind, GraphQLNonNull):
        return some(kind.of_type)
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: some(field.type) for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
    examples = {"Int": 1, "Boolean": True, "Decimal": "1", "CountryCode": "US", "CurrencyCode": "USD"}
    return {**examples, "DateTime": "2026-05-01T12:00:00Z"}.get(kind.name, "x")


def operation(graphql: GraphQLSchema, root: str, field: str) -> tuple[str, dict[str, Any]]:
    roots = {"Query": graphql.query_type, "Mutation": graphql.mutation_type}
    definition = roots[root].fields[field]  # type: ignore[union-attr]
    needed = {name: one.type for name, one in definition.args.items() if isinstance(one.type, GraphQLNonNull)}
    declared = ", ".join(f"${name}: {kind}" for name, kind in needed.items())
    passed = ", ".join(f"{name}: ${name}" for name in needed)
    below = "{ userErrors { code } }" if root == "Mutation" else "{ __typename }"
    document = f"{root.lower()} ({declared}) {{ {field} ({passed}) {below} }}".replace("()", "")
    return document, {name: some(kind) for name, kind in needed.items()}


def codes_of(result: Any, field: str) -> list[str]:
    if result.codes:
        return list(result.codes)
    return [error["code"] for error in result.data[field]["userErrors"]]


async def test_who_lacks_the_permission_is_refused_and_nothing_changes(api: Api) -> None:
    graphql = client_schema()
    await checkout.shop_that_ships()
    await checkout.placed(api)
    permissions = set(Permission)
    lacking = {needed: await staff.signed_in(permissions - {needed}) for needed in permissions}
    all_staff = await staff.signed_in(permissions)
    before = await everything()
    refused: list[tuple[str, str, str]] = []
    for root, field, needed in GUARDED:
        document, variables = operation(graphql, root, field)
        anonymous = await api.query(document, variables)
        assert codes_of(anonymous, field) == ["UNAUTHENTICATED"], field
        stranger = await api.query(document, variables, token="not-a-token")
        assert codes_of(stranger, field) == ["UNAUTHENTICATED"], field
        if needed == CUSTOMER:
            # Staff who may do everything have no account here.
            assert codes_of(await api.query(document, variables, token=all_staff), field) == ["UNAUTHENTICATED"], field
            refused += [(field, "REFUSED", '["UNAUTHENTICATED"]')] * (root == "Mutation")
        elif needed not in (ANY_STAFF, ANY_MEMBER):
            without = await api.query(document, variables, token=lacking[Permission(needed)])
            assert codes_of(without, field) == ["FORBIDDEN"], field
            refused += [(field, "REFUSED", '["FORBIDDEN"]')] * (root == "Mutation")
    assert await everything() == before
    noted = await db.fetch("SELECT action, outcome, error_codes FROM audit_entries ORDER BY id")
    assert [tuple(row.values()) for row in noted] == refused


@pytest.mark.parametrize("rest", ["", "_", "_0", "_" + "G" * 32, "_" + "0" * 31, "_" + "0" * 32 + "_", "_\x00"])
async def test_a_malformed_id_of_any_kind_is_a_typed_error(api: Api, rest: str, staff_token: str) -> None:
    for prefix in _loaders:
        result = await api.query("query ($id: ID!) { node(id: $id) { id } }", {"id": prefix + rest}, token=staff_token)
        assert result.codes == ["INVALID_ID"], prefix
