"""Strawberry's schema with what every request to this one goes through."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionContext

from schema.documents import DocumentChecks, Documents
from schema.executor import Executor
from schema.faults import ErrorMasking
from schema.metering import Metering


class Schema(strawberry.Schema):
    """Documents are checked once, limits hold, and no error leaves unmasked.

    Args:
        introspection: whether clients may read the schema; without it, errors hint at no names either.
    """

    def __init__(self, *, introspection: bool = True, **more: Any) -> None:
        documents = Documents(introspection=introspection)
        super().__init__(
            **more,
            execution_context_class=Executor,
            extensions=[
                Metering,
                lambda: ErrorMasking(suggestions=introspection),
                lambda: DocumentChecks(documents),
            ],
        )

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Strawberry would log each error with what it quotes; `schema.faults` logs those that are ours."""
