"""What a client may read of an error, and what only the log gets.

Shown: what the client can put right, which is syntax, validation, variables, and errors that a resolver raised with a
code on purpose. Everything else is a fault of ours: the client gets a fixed sentence and the request's id, the log gets
the exception under the same id. Whether it is worth asking again, the code says: SERVICE_UNAVAILABLE and TIMEOUT.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import PreExecutionError

from app import outages
from app.logging import log_fault
from app.outages import RETRY_AFTER_SECONDS

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
INTERNAL = "INTERNAL_SERVER_ERROR"
TIMEOUT = "TIMEOUT"
UNAVAILABLE = "SERVICE_UNAVAILABLE"
TOLD = {
    INTERNAL: "Something went wrong on our side.",
    TIMEOUT: "It took too long, and was given up.",
    UNAVAILABLE: "The shop cannot get at its data at the moment. Try again in a moment, with the same idempotency key.",
}
"""What clients read, by code."""

# Hints name fields and values of the schema, which is nobody's business where introspection is off.
_SUGGESTION = re.compile(r"\s*Did you mean [^?]*\?")


class ErrorMasking(SchemaExtension):
    """Puts every error that leaves into its public form, over HTTP, WebSocket and SSE alike."""

    def __init__(self, *, suggestions: bool) -> None:
        self.suggestions = suggestions
        self._streamed = False

    def on_operation(self) -> Iterator[None]:
        yield
        if not self._streamed:
            self._mask(self.execution_context.result)

    def on_stream_result(self, result: Any) -> Iterator[None]:
        self._streamed = True
        self._mask(result)
        yield

    def _mask(self, result: Any) -> None:
        if errors := getattr(result, "errors", None):
            context = self.execution_context.context
            request_id = getattr(context, "request_id", "")
            before_execution = isinstance(result, PreExecutionError)
            result.errors = public_errors(errors, request_id, before_execution=before_execution)
            if context and any((error.extensions or {}).get("code") == UNAVAILABLE for error in result.errors):
                context.retry_after_seconds = max(context.retry_after_seconds, RETRY_AFTER_SECONDS)
            if not self.suggestions:
                for error in result.errors:
                    error.message = _SUGGESTION.sub("", error.message)


def public_errors(
    errors: Sequence[GraphQLError], request_id: str, *, before_execution: bool = False
) -> list[GraphQLError]:
    """The errors as a client may see them, each with a code. Faults are logged. Masking twice changes nothing."""
    return [_public(error, request_id, before_execution) for error in errors]


def _public(error: GraphQLError, request_id: str, before_execution: bool) -> GraphQLError:
    if error.extensions and "code" in error.extensions:
        return error
    cause = _cause(error)
    if isinstance(error, GraphQLSyntaxError):
        return _with_code(error, PARSE_FAILED)
    if isinstance(cause, RecursionError) and before_execution:
        return GraphQLError("The query is nested too deeply.", extensions={"code": PARSE_FAILED})
    if isinstance(cause, ValueError) and before_execution:
        # Python reads no whole number of more than 4,300 digits.
        return GraphQLError(
            "A number in the query has too many digits.", nodes=error.nodes, extensions={"code": VALIDATION_FAILED}
        )
    if isinstance(cause, (CannotGetOperationTypeError, InvalidOperationTypeError)):
        return _with_code(error, VALIDATION_FAILED)
    # Without a path it was said before any resolver ran: by validation, or about a variable's value.
    if error.path is None and (cause is None or isinstance(cause, GraphQLError)):
        return _with_code(error, VALIDATION_FAILED if before_execution else BAD_USER_INPUT)
    return masked(cause or error, request_id, error)


def masked(fault: BaseException, request_id: str, at: GraphQLError | None = None) -> GraphQLError:
    """What a client is told of a fault, which is logged: whether asking again may help.

    Args:
        at: the error that came of it, which knows the place.
    """
    code = UNAVAILABLE if outages.is_outage(fault) else TIMEOUT if outages.took_too_long(fault) else INTERNAL
    nodes, path = (at.nodes, at.path) if at else (None, None)
    log_fault(fault, path=path)
    return GraphQLError(TOLD[code], nodes=nodes, path=path, extensions={"code": code, "requestId": request_id})


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised in the first place; None when GraphQL itself said it."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _with_code(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {**(error.extensions or {}), "code": code}
    return error
