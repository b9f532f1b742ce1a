"""How people are reached and answer: described before any type names it."""

from app.messaging.models import MessageChannel
from app.messaging.sms_rules import SmsKeyword
from schema.enums import describe_enum

describe_enum(
    MessageChannel,
    "How a message reaches somebody.",
    EMAIL="By email.",
    SMS="By text message.",
    VOICE="By a call that reads the text aloud; only where the shop turned it on.",
)
describe_enum(
    SmsKeyword,
    "What a text message to the shop was taken for.",
    STOP="It withdrew consent, or asked to.",
    HELP="It asked who writes.",
    START="It renewed consent.",
    YES="It confirmed, or renewed, consent.",
)

__all__ = ["MessageChannel", "SmsKeyword"]
