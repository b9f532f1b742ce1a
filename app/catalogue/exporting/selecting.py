"""Which products an export holds."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from app.catalogue.models import ProductStatus
from app.catalogue.queries import matching
from app.catalogue.statements import Statement


@dataclass(frozen=True, slots=True)
class ExportFilters:
    """All of them have to hold; by default every product is meant."""

    query: str | None = None
    """As in lists: words that all are in the name, or the SKU of a variant."""
    statuses: tuple[ProductStatus, ...] = ()
    """Any of them."""
    collection_id: uuid.UUID | None = None
    updated_since: datetime | None = None

    def condition(self, s: Statement) -> str:
        """SQL over the product `p`, beginning with AND. Raises DomainError(TOO_LONG | INVALID) for the query."""
        sql = matching(s, self.query)
        if self.statuses:
            sql += f" AND p.status = ANY({s.bind([status.value for status in self.statuses], 'text[]')})"
        if self.collection_id is not None:
            sql += f""" AND EXISTS (
                SELECT FROM collection_products e
                WHERE e.product_id = p.id AND e.collection_id = {s.bind(self.collection_id, "uuid")}
            )"""
        if self.updated_since is not None:
            sql += f" AND p.updated_at >= {s.bind(self.updated_since, 'timestamptz')}"
        return sql

    def to_json(self) -> dict[str, object]:
        return {
            "query": self.query,
            "statuses": [status.value for status in self.statuses],
            "collectionId": self.collection_id and str(self.collection_id),
            "updatedSince": self.updated_since and self.updated_since.isoformat(),
        }

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> Self:
        """What `to_json` made, also of an earlier release."""
        collection_id, updated_since = given.get("collectionId"), given.get("updatedSince")
        return cls(
            query=given.get("query"),
            statuses=tuple(ProductStatus(name) for name in given.get("statuses") or ()),
            collection_id=uuid.UUID(collection_id) if collection_id else None,
            updated_since=datetime.fromisoformat(updated_since) if updated_since else None,
        )
