"""Strawberry's schema with what every request to this one goes through."""

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

import strawberry
from graphql import ExecutionResult, GraphQLError, MiddlewareManager
from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.types import ExecutionContext

from schema.coercion import compile_inputs
from schema.documents import DocumentChecks, Documents
from schema.executor import Executor
from schema.faults import TIMEOUT, TOLD, ErrorMasking
from schema.hooks import Hooks
from schema.in_context import Placing, in_context
from schema.metering import Metering
from schema.roots import compile_roots


class Schema(strawberry.Schema):
    """Documents are checked once, limits hold, and no error leaves unmasked.

    Args:
        introspection: whether clients may read the schema.
        suggestions: whether errors hint at its names.
        timeout_seconds: for executing a query or a mutation; None for as long as it takes.
    """

    def __init__(
        self,
        *,
        introspection: bool = True,
        suggestions: bool | None = None,
        timeout_seconds: float | None = None,
        **more: Any,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        hints = introspection if suggestions is None else suggestions
        documents = Documents(introspection=introspection)
        super().__init__(
            **more,
            directives=[in_context],
            execution_context_class=Executor,
            extensions=[
                Metering,
                lambda: ErrorMasking(suggestions=hints),
                lambda: DocumentChecks(documents),
                Placing,
            ],
        )
        compile_inputs(self)
        compile_roots(self)
        looks_at_fields = any(extension._implements_resolve() for extension in self.get_extensions())
        self._middleware = None if looks_at_fields else MiddlewareManager()

    def get_extensions(self, sync: bool = False) -> list[SchemaExtension]:
        """Without Strawberry's own extension for directives: it would be asked about every field of every answer, and
        ours is for whole operations, which `Placing` reads."""
        return [extension() for extension in self.extensions]

    def _get_middleware_manager(self, extensions: list[SchemaExtension]) -> MiddlewareManager:
        """One for all requests, as no extension of ours looks at single fields."""
        return self._middleware or super()._get_middleware_manager(extensions)

    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> SchemaExtensionsRunner:
        return Hooks(execution_context=execution_context, extensions=extensions)

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry would log each error with what it quotes; `schema.faults` logs those that are ours."""

    def _get_execute_function(self) -> Callable[..., Any]:
        """For every transport. What is cancelled rolls its transaction back and gives its connection back.

        A commit that is under way may still succeed: as with a connection that breaks, the client cannot know, and
        idempotency keys are there for that.
        """
        execute = super()._get_execute_function()

        async def execute_in_time(*arguments: Any, **options: Any) -> Any:
            try:
                async with asyncio.timeout(self._timeout_seconds) as deadline:
                    result = execute(*arguments, **options)
                    return await result if isawaitable(result) else result
            except TimeoutError:
                if not deadline.expired():
                    raise
                error = GraphQLError(TOLD[TIMEOUT], extensions={"code": TIMEOUT})
                return ExecutionResult(data=None, errors=[error])

        return execute_in_time
