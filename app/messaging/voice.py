"""Calls that read a text aloud, through Twilio's Calls API.

Source: https://www.twilio.com/docs/voice/api/call-resource and https://www.twilio.com/docs/voice/twiml/say. As with
text messages there is no idempotency key: a call of unknown outcome is not made again.
"""

import re
from xml.sax.saxutils import escape, quoteattr

from app.messaging import twilio
from app.messaging.transports import OutgoingCall, TemporarySendError
from app.messaging.twilio import TwilioAccount

MAX_SPOKEN_CHARS = 1200
"""About a minute and a half; Twilio takes 4,000 characters of TwiML, and `&` becomes five of them."""
MAX_TWIML_CHARS = 4000
RING_SECONDS = 25
"""Shorter than what most mailboxes take to answer."""
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_REGIONS = {
    "ca": "ca-ES",
    "da": "da-DK",
    "de": "de-DE",
    "en": "en-US",
    "es": "es-ES",
    "fi": "fi-FI",
    "fr": "fr-FR",
    "it": "it-IT",
    "ja": "ja-JP",
    "ko": "ko-KR",
    "nb": "nb-NO",
    "nl": "nl-NL",
    "no": "nb-NO",
    "pl": "pl-PL",
    "pt": "pt-PT",
    "ru": "ru-RU",
    "sv": "sv-SE",
    "zh": "zh-CN",
}
"""Twilio's voices go by language and country."""


def twiml(text: str, language: str) -> str:
    """The document that makes Twilio say a text, after a second in which somebody lifts the phone to their ear.

    The text is escaped: nothing in it can become an instruction, such as dialling another number.
    """
    primary, _, rest = language.partition("-")
    region = language if len(rest) == 2 else _REGIONS.get(primary.lower())
    attribute = f" language={quoteattr(region)}" if region else ""
    spoken = _NOT_XML.sub(" ", text)[:MAX_SPOKEN_CHARS]
    while len(document := _document(spoken, attribute)) > MAX_TWIML_CHARS:
        spoken = spoken[: len(spoken) * 3 // 4]
    return document


def _document(spoken: str, attribute: str) -> str:
    return f"<Response><Pause/><Say{attribute}>{escape(spoken)}</Say></Response>"


class TwilioCalls:
    def __init__(self, account: TwilioAccount, timeout_seconds: float) -> None:
        self._account = account
        self._timeout_seconds = timeout_seconds

    async def send(self, call: OutgoingCall) -> str | None:
        """The call's SID: Twilio will dial. Whether anybody answered is reported elsewhere."""
        account = self._account
        if account.voice_sender is None:
            raise TemporarySendError("TWILIO_VOICE_FROM is not set")
        form = {
            "To": call.recipient,
            "From": account.voice_sender,
            "Twiml": twiml(call.text, call.language),
            "Timeout": str(RING_SECONDS),
            **account.report_to(call.id),
        }
        return await twilio.post(account, "Calls.json", form, self._timeout_seconds)
