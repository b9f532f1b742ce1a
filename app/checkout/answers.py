"""What completing a checkout can come to."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from app import db
from app.checkout import refusals
from app.checkout.models import AttemptState
from app.errors import DomainError
from app.orders import queries as order_queries
from app.orders.draft import OrderDraft, lines_json
from app.payments.gateway import Action, PaymentActionType


@dataclass(frozen=True, slots=True)
class Placed:
    """`order` is the order as it was just written; None where it was placed before and has to be read."""

    order_id: uuid.UUID
    order: order_queries.OrderRow | None = None

    @classmethod
    def just_now(cls, row: Mapping[str, Any], draft: OrderDraft) -> "Placed":
        lines = [{**line, "fulfilled_quantity": 0} for line in orjson.loads(lines_json(draft))]
        return cls(draft.id, {**order_queries.decoded(row), "lines": lines})


@dataclass(frozen=True, slots=True)
class Refused:
    errors: list[DomainError]


@dataclass(frozen=True, slots=True)
class ActionRequired:
    """The shopper has to do something until then (business time)."""

    action: Action
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Undecided:
    """Somebody is at it, or the gateway has not said yet."""


Answer: TypeAlias = Placed | Refused | ActionRequired | Undecided


def action_json(action: Action | None) -> str | None:
    if action is None:
        return None
    kept = {"type": action.type.value, "url": action.url, "clientSecret": action.client_secret}
    return orjson.dumps(kept).decode()


def action_from(stored: Mapping[str, Any]) -> Action:
    return Action(PaymentActionType(stored["type"]), stored["url"], stored.get("clientSecret"))


def known_answer(row: db.Record) -> Answer:
    """What is known of an attempt from its row alone, without asking the gateway."""
    match AttemptState(row["state"]):
        case AttemptState.SUCCEEDED:
            return Placed(row["order_id"])
        case AttemptState.REFUSED:
            return Refused(refusals.from_json(row["refusal"]))
        case AttemptState.REQUIRES_ACTION if row["action"]:
            return ActionRequired(action_from(orjson.loads(row["action"])), row["hold_until"])
        case _:
            return Undecided()
