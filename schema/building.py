"""Executors of operations that come again: what of them is the document's is worked out once.

The operation that a document and a name mean, its fragments and how its variables are coerced do not change. Documents
are kept (`schema.documents`), so they come again as the same objects.
"""

from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    MiddlewareManager,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import FragmentDetails
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.keeping import Kept
from schema.variables import Variables


class _Kept(NamedTuple):
    """It holds the document, so that its identity cannot be used again."""

    document: DocumentNode
    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragment_definitions: dict[str, FragmentDefinitionNode]
    fragments: dict[str, FragmentDetails]
    variables: Variables


_operations: Kept[tuple[int, str | None], _Kept] = Kept()


class QuicklyBuilt(StrawberryGraphQLCoreExecutionContext):
    @classmethod
    def build(  # type: ignore[override]  # noqa: PLR0917 - as graphql-core has it, its keywords in `options`
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        field_resolver: Any = None,
        type_resolver: Any = None,
        subscribe_field_resolver: Any = None,
        max_coercion_errors: int = 50,
        enable_early_execution: bool = False,
        middleware: Any = None,
        is_awaitable: Any = None,
        is_async_iterable: Any = None,
        **options: Any,
    ) -> Any:
        """An executor, or the list of what is wrong with the operation or its variables."""
        kept = _operations.get((id(document), operation_name))
        if kept is not None and kept.schema is schema and (middleware is None or type(middleware) is MiddlewareManager):
            variables = kept.variables.values(raw_variable_values or {})
            if variables is not None:
                return cls(
                    schema,
                    kept.fragment_definitions,
                    kept.fragments,
                    root_value,
                    context_value,
                    kept.operation,
                    variables,
                    field_resolver or default_field_resolver,
                    type_resolver or default_type_resolver,
                    subscribe_field_resolver or default_field_resolver,
                    enable_early_execution,
                    middleware,
                    is_awaitable,
                    is_async_iterable,
                    **options,
                )
        built = super().build(
            schema,
            document,
            root_value,
            context_value,
            raw_variable_values,
            operation_name,
            field_resolver,
            type_resolver,
            subscribe_field_resolver,
            max_coercion_errors,
            enable_early_execution,
            middleware,
            is_awaitable,
            is_async_iterable,
            **options,
        )
        if isinstance(built, cls) and kept is None:
            _keep(built, document, operation_name)
        return built


def _keep(built: StrawberryGraphQLCoreExecutionContext, document: DocumentNode, operation_name: str | None) -> None:
    kept = _Kept(
        document,
        built.schema,
        built.operation,
        built.fragment_definitions,
        built.fragments,
        Variables(built.schema, built.operation.variable_definitions or ()),
    )
    _operations.keep((id(document), operation_name), kept, document)
