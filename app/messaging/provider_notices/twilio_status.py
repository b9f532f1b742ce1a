"""Twilio's status callbacks of texts and calls.

Source: https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks,
https://www.twilio.com/docs/voice/api/call-resource#statuscallback and https://www.twilio.com/docs/api/errors. The
request is signed as that of an incoming text (`inbound_twilio.signature`), with the ledger row's id in its URL.
"""

from collections.abc import Mapping

from app.messaging.provider_notices.keeping import Notice, NoticeKind
from app.messaging.provider_notices.message_ids import from_hex

PROVIDER = "twilio"
_CODES = {
    "21610": NoticeKind.UNSUBSCRIBED,  # the receiver has texted STOP
    "21211": NoticeKind.HARD_BOUNCE,  # no valid number
    "21614": NoticeKind.HARD_BOUNCE,  # no mobile number
    "30005": NoticeKind.HARD_BOUNCE,  # unknown handset
    "30006": NoticeKind.HARD_BOUNCE,  # a landline, or a carrier that takes no texts
    "30003": NoticeKind.SOFT_BOUNCE,  # switched off or out of reach
    "30004": NoticeKind.SOFT_BOUNCE,  # the receiver blocks messages
    "30008": NoticeKind.SOFT_BOUNCE,
}
"""Any other is about our sender, our text or the carrier."""
_CALLS = {
    "completed": NoticeKind.DELIVERED,
    "busy": NoticeKind.SOFT_BOUNCE,
    "no-answer": NoticeKind.SOFT_BOUNCE,
    "failed": NoticeKind.FAILED,
    "canceled": NoticeKind.FAILED,
}


def notices(form: Mapping[str, str], message: str | None) -> list[Notice]:
    """One, or none for a status that is not the last. Raises ValueError for what is not Twilio's.

    Args:
        message: the ledger row's id, from the URL that Twilio was given.
    """
    sid = form.get("MessageSid") or form.get("CallSid")
    status = form.get("MessageStatus") or form.get("CallStatus")
    if not sid or not status:
        raise ValueError("MessageSid or MessageStatus is missing")
    code = form.get("ErrorCode") or None
    kind: NoticeKind | None
    if "CallSid" in form:
        kind = _CALLS.get(status)
    elif status in ("delivered", "read"):
        kind = NoticeKind.DELIVERED
    elif status in ("undelivered", "failed"):
        kind = _CODES.get(code or "", NoticeKind.FAILED)
    else:
        kind = None
    if kind is None:
        return []
    return [Notice(PROVIDER, f"{sid}:{status}", kind, from_hex(message), sid, code or status)]
