"""The engine `http`: asks any server that speaks the document of docs/taxes.md. The one to begin from.

The question is a POST of JSON, signed with the secret after Standard Webhooks (https://www.standardwebhooks.com,
specification 1.0): `webhook-id`, `webhook-timestamp`, `webhook-signature`. Decimals are texts, amounts in minor units.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, ClassVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks import Webhook

from app.kit import http
from app.kit.ids import new_id
from app.pricing.amounts import TaxRate
from app.settings import get_settings
from app.tax.engines.engine import TaxAnswer, TaxedItem, TaxEngineError, TaxQuestion

VERSION = 1


class _Rate(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=120)]
    rate: Annotated[Decimal, Field(ge=0, le=1, max_digits=12, decimal_places=9)]
    compound: bool = False
    code: Annotated[str | None, Field(max_length=64)] = None
    reverse_charge: Annotated[bool, Field(alias="reverseCharge")] = False


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    rates: Annotated[dict[str, _Rate], Field(max_length=500)]
    lines: dict[str, list[str]]
    shipping: list[str] = []
    gift_wrap: Annotated[list[str], Field(alias="giftWrap")] = []


class HttpEngine:
    settings: ClassVar[Mapping[str, str]] = {"url": "Where the question is sent to; https."}
    required: ClassVar[frozenset[str]] = frozenset({"url"})

    def __init__(self, configuration: Mapping[str, str], secret: str) -> None:
        self._url = configuration["url"]
        self._secret = secret

    async def rates(self, question: TaxQuestion, timeout_seconds: float) -> TaxAnswer:
        body = orjson.dumps(document_of(question))
        try:
            answer = await http.post(
                self._url,
                headers={"content-type": "application/json", "accept": "application/json", **self._signed(body)},
                content=body,
                timeout_seconds=timeout_seconds,
                allow_private=get_settings().allow_private_addresses,
            )
        except http.HttpError as error:
            raise TaxEngineError(error.detail) from None
        if not answer.is_success:
            raise TaxEngineError(f"HTTP {answer.status}")
        return answer_of(answer.body, question)

    def _signed(self, body: bytes) -> dict[str, str]:
        message_id, now = f"tax_{new_id().hex}", datetime.now(UTC).replace(microsecond=0)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self._secret.encode()).sign(message_id, now, body.decode()),
        }


def document_of(question: TaxQuestion) -> dict[str, object]:
    """The question as JSON; see docs/taxes.md."""
    return {
        "version": VERSION,
        "currency": question.currency,
        "pricesIncludeTax": question.prices_include_tax,
        "seller": {"country": question.seller_country, "taxId": question.seller_tax_id},
        "destination": {
            "country": question.country_code,
            "province": question.province_code,
            "postalCode": question.postal_code,
            "city": question.city,
        },
        "buyer": {"taxId": question.buyer_tax_id, "exemptions": list(question.exemptions)},
        "lines": [_line(item) for item in question.items],
        "shipping": None if question.shipping_minor is None else {"amountMinor": question.shipping_minor},
        "giftWrap": None if question.gift_wrap_minor is None else {"amountMinor": question.gift_wrap_minor},
    }


def _line(item: TaxedItem) -> dict[str, object]:
    return {
        "id": item.id,
        "sku": item.sku,
        "quantity": item.quantity,
        "amountMinor": item.amount_minor,
        "taxClass": item.tax_class,
        "taxable": item.taxable,
        "services": item.services,
    }


def answer_of(body: bytes, question: TaxQuestion) -> TaxAnswer:
    """Raises TaxEngineError for anything but a complete answer to the question."""
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        raise TaxEngineError(f"the answer is not as described: {'.'.join(map(str, first['loc']))[:80]}") from None
    known = {
        key: TaxRate(one.name, one.rate, one.compound, one.code, one.reverse_charge)
        for key, one in answer.rates.items()
    }

    def of(keys: list[str]) -> tuple[TaxRate, ...]:
        if not known.keys() >= set(keys) or len(set(keys)) < len(keys):
            raise TaxEngineError("the answer names rates that it does not have, or one twice")
        return tuple(known[key] for key in keys)

    missing = [item.id for item in question.items if item.id not in answer.lines]
    if missing:
        raise TaxEngineError(f"the answer leaves out {len(missing)} lines")
    return TaxAnswer(
        items={item.id: of(answer.lines[item.id]) if item.taxable else () for item in question.items},
        shipping=of(answer.shipping) if question.shipping_minor is not None else (),
        gift_wrap=of(answer.gift_wrap) if question.gift_wrap_minor is not None else (),
    )
