"""What can be wrong with webhooks."""

from app.errors import ErrorCode


class WebhookErrorCode(ErrorCode):
    URL_REFUSED = "The URL cannot be called: not http(s), or not on the public internet. The message says why."
    WEBHOOK_BODY_GONE = "The delivery is too old to be replayed: its body is no longer kept."
