"""Every place of the schema where a client sends an id, and the document that sends it there."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
)

EXAMPLES = {"Int": 1, "Boolean": True, "Decimal": "1", "CountryCode": "US", "CurrencyCode": "USD", "JSON": {}}


def id_paths(schema: GraphQLSchema) -> set[str]:
    """Such as `Mutation.cartLinesAdd.lines[].variantId`: arguments of fields of any type, and whatever is in them."""
    return {
        f"{kind.name}.{name}.{path}"
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        for argument, given in field.args.items()
        for path in _below(argument, given, ())
    }


def _below(name: str, given: GraphQLArgument | GraphQLInputField, seen: tuple[str, ...]) -> Iterator[str]:
    path = name + "[]" * isinstance(get_nullable_type(given.type), GraphQLList)
    kind = get_named_type(given.type)
    if kind.name == "ID" or _names_one(name, kind.name):
        yield path
    if isinstance(kind, GraphQLInputObjectType) and kind.name not in seen:
        for part, field in kind.fields.items():
            yield from (f"{path}.{rest}" for rest in _below(part, field, (*seen, kind.name)))


def _names_one(name: str, kind: str) -> bool:
    """Text that is an id by its name would escape the table."""
    others = ("externalId", "taxId")  # other systems' own
    return kind == "String" and (name in ("id", "ids") or (name.endswith(("Id", "Ids")) and name not in others))


def least(kind: GraphQLInputType) -> Any:
    """A value of the type: only what it has to have."""
    if isinstance(kind, GraphQLNonNull):
        return least(kind.of_type)
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {
            name: least(field.type) for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)
        }
    return {**EXAMPLES, "DateTime": "2026-05-01T12:00:00Z"}.get(kind.name, "x")


def arguments_of(schema: GraphQLSchema, path: str, given: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the field: what it has to have, over it `given`."""
    root, name = path.split(".")[:2]
    arguments: dict[str, Any] = {
        argument: least(one.type)
        for argument, one in schema.type_map[root].fields[name].args.items()  # type: ignore[attr-defined]
        if isinstance(one.type, GraphQLNonNull)
    }
    merged: dict[str, Any] = _merged(arguments, given)
    return merged


def placed(schema: GraphQLSchema, path: str, value: str, given: dict[str, Any]) -> dict[str, Any]:
    """The same, and the value where the path says."""
    arguments = arguments_of(schema, path, given)
    where: Any = arguments
    *parents, last = path.split(".")[2:]
    for parent in parents:
        key = parent.removesuffix("[]")
        if parent.endswith("[]"):
            where[key] = where.get(key) or [{}]
            where = where[key][0]
        else:
            where = where.setdefault(key, {})
    where[last.removesuffix("[]")] = [value] if last.endswith("[]") else value
    return arguments


def _merged(under: Any, over: Any) -> Any:
    if isinstance(under, dict) and isinstance(over, dict):
        return {**under, **{key: _merged(under.get(key), value) for key, value in over.items()}}
    return over


def document(schema: GraphQLSchema, path: str, arguments: dict[str, Any], selection: str) -> str:
    """The operation that calls the field with these arguments as variables."""
    root, name = path.split(".")[:2]
    kinds = schema.type_map[root].fields[name].args  # type: ignore[attr-defined]
    declared = ", ".join(f"${argument}: {kinds[argument].type}" for argument in arguments)
    passed = ", ".join(f"{argument}: ${argument}" for argument in arguments)
    return f"{root.lower()} ({declared}) {{ {name} ({passed}) {selection} }}".replace("()", "")


def everything_of(schema: GraphQLSchema, path: str) -> str:
    """A selection of plain fields two levels deep: enough to tell whether something was there."""
    root, name = path.split(".")[:2]
    return _selection(schema.type_map[root].fields[name].type, 2)  # type: ignore[attr-defined]


def every_field_of(schema: GraphQLSchema, kind: str) -> str:
    """Every field of a type that needs no argument, and of the objects in them what is plain."""
    parts = [
        f"{name} {_selection(field.type, 2 if get_named_type(field.type).name.endswith('Connection') else 1)}"
        for name, field in _askable(schema.type_map[kind])
    ]
    return f"{{ {' '.join(parts)} }}"


def _askable(kind: Any) -> Iterator[tuple[str, Any]]:
    for name, field in kind.fields.items():
        if not any(isinstance(one.type, GraphQLNonNull) for one in field.args.values()):
            yield name, field


def _selection(kind: Any, depth: int) -> str:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInterfaceType):
        return "{ __typename ... on Node { id } }" if named.name == "Node" else "{ code message field }"
    if not isinstance(named, GraphQLObjectType):
        return ""
    parts = ["__typename"]
    for name, field in _askable(named):
        below = get_named_type(field.type)
        if (
            name == "userErrors"
            or not isinstance(below, GraphQLObjectType | GraphQLInterfaceType)
            or (depth > 1 and name in ("nodes", "edges"))
        ):
            parts.append(f"{name} {_selection(field.type, depth - 1)}")
    return f"{{ {' '.join(parts)} }}"
