"""Counting operations by the name of their root field and by what came of them.

The name is the schema's, never the client's: operation names, aliases and texts are as many as people care to send.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from graphql import DocumentNode, FieldNode, OperationDefinitionNode, OperationType
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import PreExecutionError

from app import tracing
from app.metrics import instruments
from schema.faults import INTERNAL

INTROSPECTION = "introspection"
SEVERAL = "several"
UNKNOWN = "unknown"
"""Of what was never executed, as it could not be read or is not valid."""


class Metering(SchemaExtension):
    """The outermost extension: it sees errors as the client does."""

    def on_operation(self) -> Iterator[None]:
        started = time.perf_counter()
        outcome = "fault"
        try:
            yield
            outcome = _outcome(getattr(self.execution_context, "result", None))
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            name, streamed = UNKNOWN, False
            if outcome != "invalid" and (document := self.execution_context.graphql_document) is not None:
                name, streamed = _root_field(document, self.execution_context.operation_name)
            tracing.describe(f"graphql {name}", outcome=outcome)
            instruments.request_answered(name, outcome, None if streamed else time.perf_counter() - started)


def _outcome(result: Any) -> str:
    if isinstance(result, PreExecutionError):
        return "invalid"
    if not hasattr(result, "data"):
        return "ok"  # a subscription that ended
    if result.errors:
        if any((error.extensions or {}).get("code") == INTERNAL for error in result.errors):
            return "fault"
        return "refused"
    for answer in (result.data or {}).values():
        if answer.__class__ is dict and answer.get("userErrors"):
            return "refused"
    return "ok"


def _root_field(document: DocumentNode, operation_name: str | None) -> tuple[str, bool]:
    """The name of the only root field, and whether it is a subscription's. The document is valid: the schema has it."""
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        if operation_name is not None and (node.name is None or node.name.value != operation_name):
            continue
        names = {one.name.value if isinstance(one, FieldNode) else SEVERAL for one in node.selection_set.selections}
        names.discard("__typename")
        name = SEVERAL if len(names) > 1 else names.pop() if names else INTROSPECTION
        return INTROSPECTION if name.startswith("__") else name, node.operation is OperationType.SUBSCRIPTION
    return UNKNOWN, False
