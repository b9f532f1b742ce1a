"""Answers written by hand in the API's own form."""

import orjson
from starlette.responses import Response


def money(amount_minor: int) -> dict[str, str]:
    return {"amount": f"{amount_minor // 100}.{amount_minor % 100:02}", "currencyCode": "USD"}


def public_id(prefix: str, stored: str) -> str:
    return f"{prefix}_{stored.replace('-', '')}"


def answer(field: str, value: object) -> Response:
    return Response(orjson.dumps({"data": {field: value}}), media_type="application/json")
