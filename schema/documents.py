"""Parsing and validating a document once, not at every request that sends it.

A storefront sends the same few dozen documents all day. Parsing and validating one costs several milliseconds, more
than most answers. Kept in memory by its exact text, of which variables are no part, and up to a size: texts that differ
at every request push each other out and cost no more than they did before.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, NoSchemaIntrospectionCustomRule, OperationDefinitionNode
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from schema.costs import MAX_POINTS, OperationCost, TooComplexError, check_points
from schema.limits import MAX_TOKENS, measure
from schema.throttling import Throttle, document_points

MAX_KEPT_CHARS = 300_000
"""Of all documents together: some hundred. Parsed, a character takes 60 bytes, and 350 where somebody tries."""
MAX_DOCUMENT_CHARS = MAX_KEPT_CHARS // 10


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    document: DocumentNode
    errors: list[GraphQLError]
    costs: dict[str | None, OperationCost]


class Documents:
    """The documents of one schema."""

    def __init__(self, *, introspection: bool) -> None:
        self.rules = () if introspection else (NoSchemaIntrospectionCustomRule,)
        self._kept: OrderedDict[str, CheckedDocument] = OrderedDict()
        self._kept_chars = 0

    def get(self, text: str | None) -> CheckedDocument | None:
        if text is None or (checked := self._kept.get(text)) is None:
            return None
        self._kept.move_to_end(text)
        return checked

    def keep(self, text: str | None, checked: CheckedDocument) -> None:
        """Only what is valid: mistakes are as many as there are people, and each is made once."""
        if text is None or len(text) > MAX_DOCUMENT_CHARS or checked.errors or text in self._kept:
            return
        self._kept[text] = checked
        self._kept_chars += len(text)
        while self._kept_chars > MAX_KEPT_CHARS:
            oldest, _ = self._kept.popitem(last=False)
            self._kept_chars -= len(oldest)


class DocumentChecks(SchemaExtension):
    """Takes documents from `Documents`, refuses those that ask for too much, and tells what each operation cost."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._points: int | None = None

    @property
    def _throttle(self) -> Throttle | None:
        return getattr(self.execution_context.context, "throttle", None)

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.parse_options["max_tokens"] = MAX_TOKENS
        if checked := self.documents.get(context.query):
            context.graphql_document = checked.document
        elif throttle := self._throttle:
            throttle.spend(document_points(context.query))
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        document = context.graphql_document
        if document is not None:
            checked = self.documents.get(context.query)
            if checked is None:
                checked = self._check(context.schema, document, (*context.validation_rules, *self.documents.rules))
                self.documents.keep(context.query, checked)
            context.pre_execution_errors = checked.errors or self._refusals(checked)
        yield

    @staticmethod
    def _check(schema: strawberry.Schema, document: DocumentNode, rules: tuple[type, ...]) -> CheckedDocument:
        try:
            costs = measure(document)
            errors = validate_document(schema._schema, document, rules)
        except TooComplexError as error:
            return CheckedDocument(document, [error], {})
        except ValueError:  # Python reads no whole number of more than 4,300 digits
            return CheckedDocument(document, [TooComplexError("A number in the query has too many digits.")], {})
        except RecursionError:
            return CheckedDocument(document, [TooComplexError("The query is nested too deeply.")], {})
        return CheckedDocument(document, errors, costs)

    def _refusals(self, checked: CheckedDocument) -> list[GraphQLError]:
        """What depends on more than the document's text. An empty list means: execute."""
        context = self.execution_context
        name = context._provided_operation_name
        operations = sum(isinstance(node, OperationDefinitionNode) for node in checked.document.definitions)
        if name is None and operations > 1:
            return [GraphQLError("Say which of the operations to run: send operationName.")]
        if cost := checked.costs.get(context.operation_name):
            self._points = points = cost.points(context.variables)
            try:
                check_points(points)
            except TooComplexError as error:
                return [error]
            if throttle := self._throttle:
                throttle.spend(points)
        return []

    def get_results(self) -> dict[str, Any]:
        """`extensions.cost` of the answer; of a document that was refused as it stands, nothing was counted."""
        if self._points is None:
            return {}
        cost: dict[str, Any] = {"requestedValues": self._points, "limit": MAX_POINTS}
        if throttle := self._throttle:
            cost["throttleStatus"] = throttle.status()
        return {"cost": cost}
