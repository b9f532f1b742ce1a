"""What Amazon SES tells through SNS, as feedback notifications or as published events.

Source: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html and
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
"""

from collections.abc import Mapping
from typing import Any

from app.messaging.provider_notices.keeping import Notice, NoticeKind
from app.messaging.provider_notices.message_ids import from_header

PROVIDER = "ses"


def notices(message: Mapping[str, Any], sns_message_id: str) -> list[Notice]:
    """One or none. Raises KeyError, TypeError or ValueError for what is not SES's."""
    kind: NoticeKind | None = None
    code: str | None = None
    match message.get("notificationType") or message.get("eventType"):
        case "Delivery":
            kind = NoticeKind.DELIVERED
        case "Complaint":
            kind, code = NoticeKind.COMPLAINT, message["complaint"].get("complaintFeedbackType")
        case "Bounce":
            bounce = message["bounce"]
            kind = NoticeKind.HARD_BOUNCE if bounce["bounceType"] == "Permanent" else NoticeKind.SOFT_BOUNCE
            code = f"{bounce['bounceType']} {bounce.get('bounceSubType', '')}".strip()
        case "Reject":
            kind, code = NoticeKind.FAILED, "Reject"
        case "Subscription":
            kind = NoticeKind.UNSUBSCRIBED
    if kind is None:
        return []
    mail = message["mail"]
    reference = mail.get("messageId")
    return [
        Notice(PROVIDER, sns_message_id, kind, _ours(mail), reference if isinstance(reference, str) else None, code)
    ]


def _ours(mail: Mapping[str, Any]) -> Any:
    """SES gives mail a Message-ID of its own and tells ours among the original headers, where it was told to."""
    found = from_header((mail.get("commonHeaders") or {}).get("messageId"))
    for header in mail.get("headers") or []:
        if found is None and str(header.get("name", "")).lower() == "message-id":
            found = from_header(header.get("value"))
    return found
