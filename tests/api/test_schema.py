"""The schema is the manual, and every way into the shop is guarded."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)
from graphql import (
    build_schema as build_graphql,
)
from strawberry import Schema

from schema import build_schema
from schema.access import Access

SDL = {True: "schema.development.graphql", False: "schema.graphql"}
FOLDER = Path(__file__).resolve().parents[2] / "schema"


@pytest.fixture(scope="module", params=[True, False], ids=["development", "production"])
def development(request: pytest.FixtureRequest) -> bool:
    flag: bool = request.param
    return flag


@pytest.fixture(scope="module")
def schema(development: bool) -> Schema:
    return build_schema(development=development)


@pytest.fixture(scope="module")
def graphql(schema: Schema) -> GraphQLSchema:
    return build_graphql(schema.as_str())


def test_the_committed_sdl_is_the_schema(development: bool, schema: Schema) -> None:
    committed = (FOLDER / SDL[development]).read_text()
    assert committed == schema.as_str() + "\n", "write it anew: `make schema`"


def test_everything_has_a_description(graphql: GraphQLSchema) -> None:
    missing: list[str] = []
    for name, definition in graphql.type_map.items():
        if name.startswith("__"):
            continue
        if not definition.description and name not in ("Boolean", "Float", "ID", "Int", "String"):
            missing.append(name)
        if isinstance(definition, GraphQLEnumType):
            missing += [f"{name}.{value}" for value, one in definition.values.items() if not one.description]
        if isinstance(definition, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
            for field, one in definition.fields.items():
                if not one.description:
                    missing.append(f"{name}.{field}")
                for argument, details in getattr(one, "args", {}).items():
                    if not details.description:
                        missing.append(f"{name}.{field}({argument})")
    assert missing == []


def test_optional_arguments_have_no_null_default(schema: Schema) -> None:
    assert "= null" not in schema.as_str()


def test_every_root_field_has_its_guard(schema: Schema) -> None:
    unguarded = [
        f"{root}.{field.name}"
        for root in ("Query", "Mutation", "Subscription")
        if (definition := schema.get_type_by_name(root)) is not None
        for field in definition.fields  # type: ignore[union-attr]
        if not isinstance(field.metadata.get("access"), Access)
    ]
    assert unguarded == []


def test_the_developers_tools_are_not_in_production() -> None:
    production = build_graphql(build_schema(development=False).as_str())
    assert production.mutation_type is not None
    assert production.query_type is not None
    assert "clockAdvance" not in production.mutation_type.fields
    assert "devInbox" not in production.query_type.fields
    assert "DevMessage" not in production.type_map
