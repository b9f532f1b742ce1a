"""The Stripe SDK over the shop's own HTTP, and its errors as gateways name them."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import stripe

from app.kit import http
from app.payments.gateway import GatewayRefusedError, GatewayUnavailableError

TIMEOUT_SECONDS = 15.0
"""Of one request. The gateway's whole answer has to be there within 20."""
MAX_ANSWER_BYTES = 8_000_000
"""A page of a hundred payments with their charges has about one."""

# The SDK logs bodies, which hold names and addresses, where somebody lets every library log at DEBUG.
logging.getLogger("stripe").setLevel(logging.WARNING)
stripe.enable_telemetry = False


class StripeHttp(stripe.HTTPClient):
    """The SDK's own asynchronous clients want libraries that the shop does not have otherwise.

    It never retries by itself: whoever asks decides on that, and knows what a second request means.
    """

    name = "tradewind"

    def __init__(self, *, allow_private: bool) -> None:
        super().__init__()
        self._allow_private = allow_private

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | bytes | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        content = post_data.encode() if isinstance(post_data, str) else post_data or b""
        try:
            answer = await http.request(
                method.upper(),
                url,
                headers=headers,
                content=content,
                timeout_seconds=TIMEOUT_SECONDS,
                max_answer_bytes=MAX_ANSWER_BYTES,
                allow_private=self._allow_private,
            )
        except http.HttpError as error:
            failure = error.detail
        else:
            return answer.body, answer.status, httpx2.Headers(dict(answer.headers))
        raise stripe.APIConnectionError(failure, should_retry=False)  # type: ignore[no-untyped-call]

    async def close_async(self) -> None:
        """Nothing is kept between two requests."""


def client(secret_key: str, api_url: str, *, allow_private: bool) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": api_url.rstrip("/")},
        http_client=StripeHttp(allow_private=allow_private),
        max_network_retries=0,
    )


@contextmanager
def asking(*, may_refuse: bool = True) -> Iterator[None]:
    """Around requests: the SDK's errors become the gateway's.

    Args:
        may_refuse: whether a refusal is an answer. To a question that changes nothing it says nothing.

    Raises:
        GatewayUnavailableError: no answer, too many requests, an error of Stripe's own, a key that is being worked on;
            also a secret key that Stripe does not accept, which an operator can put right.
        GatewayRefusedError: with Stripe's code.
    """
    try:
        yield
        return
    except stripe.StripeError as error:
        failure = error
    # From None: the SDK's errors carry whole bodies, which must not get into logs with a chain of causes.
    if may_refuse and isinstance(failure, stripe.InvalidRequestError | stripe.CardError):
        raise GatewayRefusedError(code_of(failure)) from None
    raise GatewayUnavailableError(code_of(failure)) from None


def code_of(error: stripe.StripeError) -> str:
    """What a person can look up: Stripe's code, or the kind of error. Nothing of what was sent."""
    detail = details_of(error)
    return str(detail.get("decline_code") or detail.get("code") or detail.get("type") or type(error).__name__)


def details_of(error: stripe.StripeError) -> Mapping[str, Any]:
    body = error.json_body
    detail = body.get("error") if isinstance(body, Mapping) else None
    return detail if isinstance(detail, Mapping) else {}
