"""Links to printed invoices: signed, good while their key is in the ring and the buyer is not forgotten."""

import uuid

from app.keys import keyring
from app.settings import get_settings

PATH = "/invoices"
MAX_TOKEN_CHARS = 200
_PURPOSE = "invoice"


def invoice_url(invoice_id: uuid.UUID) -> str:
    """Whoever has it reads the invoice: it goes to the buyer and to staff."""
    return f"{get_settings().public_url}{PATH}/{keyring().sign(_PURPOSE, invoice_id.hex)}.pdf"


def read_token(token: str) -> uuid.UUID | None:
    """None for anything that was not signed here for this purpose."""
    payload = keyring().unsign(_PURPOSE, token) if len(token) <= MAX_TOKEN_CHARS else None
    return uuid.UUID(hex=payload) if isinstance(payload, str) else None
