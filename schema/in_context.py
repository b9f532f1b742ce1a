"""`@inContext`, its headers, and which market they come to; see docs/decisions/markets.md."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any

import strawberry
from graphql import DirectiveLocation, DirectiveNode, GraphQLError, OperationDefinitionNode, VariableNode
from graphql.execution.values import get_directive_values, get_variable_values
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from app.errors import CommonErrorCode, DomainError
from app.markets import current
from app.markets.terms import Wish
from schema.access import as_graphql_error
from schema.context import COUNTRY_HEADER, CURRENCY_HEADER, PLACE_HEADERS, Context
from schema.scalars import CountryCode, CurrencyCode, parse_country, parse_currency

NAME = "inContext"
MAX_LANGUAGES = 10
MAX_HEADER_CHARS = 500
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_QUALITY = re.compile(r"q=([01](?:\.\d{0,3})?)")


@strawberry.directive(
    locations=[DirectiveLocation.QUERY, DirectiveLocation.MUTATION, DirectiveLocation.SUBSCRIPTION],
    name=NAME,
    description="Where the operation is meant to be seen: prices, visibility and language follow the market. What it "
    "leaves out is taken from the headers `X-Country`, `X-Currency` and `Accept-Language`, then from the signed-in "
    "account, and else from the default market. A country that the shop does not sell to is answered as the default "
    "market; a currency that no market has is refused with CURRENCY_NOT_OFFERED.",
)
def in_context(
    country: Annotated[
        CountryCode | None, strawberry.argument(description="Where the shopper is; decides the market.")
    ] = strawberry.UNSET,
    language: Annotated[
        str | None,
        strawberry.argument(description="A tag such as `de-CH`; the market's default where it has none of it."),
    ] = strawberry.UNSET,
    currency: Annotated[
        CurrencyCode | None,
        strawberry.argument(description="Decides the market where no country does: a market has one currency."),
    ] = strawberry.UNSET,
) -> None:
    """Strawberry prints it and has it validated; `Placing` reads it."""


class Placing(SchemaExtension):
    """Gives each operation its market before anything is executed."""

    async def on_execute(self) -> AsyncIterator[None]:
        execution = self.execution_context
        context: Context | None = execution.context
        if context is not None:
            try:
                wishes = [*self._directive(), *_headers(context), *_account(context)]
                customer_id = context.customer.id if context.customer else None
                context.buying = await current.resolve(wishes, customer_id=customer_id)
            except DomainError as wrong:
                error = as_graphql_error([wrong])
                if execution.operation_type is OperationType.SUBSCRIPTION:
                    raise error from wrong  # there, a result would not be looked at
                execution.result = PreExecutionError(data=None, errors=[error])
        yield

    def _directive(self) -> Iterator[Wish]:
        """Variables that are wrong are the executor's to refuse. Raises DomainError(INVALID)."""
        execution = self.execution_context
        operation = _operation(execution.graphql_document, execution.operation_name)
        if operation is None or not operation.directives:
            return
        used = set(variables_in(operation.directives))
        definitions = [one for one in operation.variable_definitions or () if one.variable.name.value in used]
        schema = execution.schema._schema
        variables = get_variable_values(schema, definitions, dict(execution.variables or {}))
        directive = schema.get_directive(NAME)
        if directive is None or isinstance(variables, list):
            return
        given = get_directive_values(directive, operation, variables) or {}
        language = given.get("language")
        if language and not _TAG.fullmatch(language):
            raise DomainError(CommonErrorCode.INVALID, 'A language is a tag such as "de-CH".', ["language"])
        yield Wish(given.get("country"), (language,) if language else (), given.get("currency"))


def variables_in(directives: Iterable[DirectiveNode]) -> Iterator[str]:
    """Names of the variables in their arguments."""
    for directive in directives:
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value


def _operation(document: Any, name: str | None) -> OperationDefinitionNode | None:
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return next((node for node in operations if name is None or (node.name and node.name.value == name)), None)


def _headers(context: Context) -> Iterator[Wish]:
    """Raises DomainError(INVALID) for a country or currency that is none by its form."""
    if not context.place_headers:
        return
    country, currency, languages = (context.place_headers.get(name, "") for name in PLACE_HEADERS)
    yield Wish(
        _parsed(COUNTRY_HEADER, parse_country, country),
        accepted_languages(languages),
        _parsed(CURRENCY_HEADER, parse_currency, currency),
    )


def _parsed(header: str, parse: Callable[[object], str], value: str) -> str | None:
    try:
        return parse(value.strip()) if value.strip() else None
    except GraphQLError as wrong:
        raise DomainError(CommonErrorCode.INVALID, f"{header}: {wrong.message}") from wrong


def _account(context: Context) -> Iterator[Wish]:
    customer = context.customer
    if customer and (customer.country_code or customer.language):
        yield Wish(customer.country_code, (customer.language,) if customer.language else ())


@lru_cache(maxsize=1_000)
def accepted_languages(header: str) -> tuple[str, ...]:
    """The tags of an Accept-Language header, the dearest first; browsers send it by themselves, so that what is wrong
    with it is left out."""
    weighed = []
    for place, part in enumerate(header[:MAX_HEADER_CHARS].split(",")[:MAX_LANGUAGES]):
        tag, _, weight = part.partition(";")
        quality = _QUALITY.fullmatch(weight.strip()) if weight else None
        if _TAG.fullmatch(tag.strip()) and (quality or not weight):
            weighed.append((-float(quality[1]) if quality else -1.0, place, tag.strip()))
    return tuple(tag for quality, _, tag in sorted(weighed) if quality < 0)
