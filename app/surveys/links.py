"""The survey's links: signed, one for each score, with nothing in them that opens anything else."""

import uuid
from dataclasses import dataclass

from app.keys import keyring
from app.settings import get_settings

SURVEY_PATH = "/surveys"
DELIVERY_SURVEY = "delivery"
MAX_TOKEN_CHARS = 300
_PURPOSE = "survey"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked about which order; `message_id` is None in previews, which record nothing."""

    survey: str
    profile_id: uuid.UUID
    order_id: uuid.UUID
    message_id: uuid.UUID | None


def survey_url(profile_id: uuid.UUID, order_id: uuid.UUID, message_id: uuid.UUID | None, score: int) -> str:
    """Opens the survey with this score chosen. Opening it records nothing: mail scanners open every link."""
    return f"{get_settings().public_url}{SURVEY_PATH}/{survey_token(profile_id, order_id, message_id)}?score={score}"


def survey_token(profile_id: uuid.UUID, order_id: uuid.UUID, message_id: uuid.UUID | None) -> str:
    """What the page's address ends with; `surveyRespond` takes it, too. Good for as long as its key is in the ring."""
    payload = [DELIVERY_SURVEY, profile_id.hex, order_id.hex, message_id.hex if message_id else None]
    return keyring().sign(_PURPOSE, payload)


def read_token(token: str) -> Asked | None:
    """None for anything that was not signed here for this purpose."""
    match keyring().unsign(_PURPOSE, token) if len(token) <= MAX_TOKEN_CHARS else None:
        case [str(survey), str(profile), str(order), message]:
            message_id = uuid.UUID(hex=message) if isinstance(message, str) else None
            return Asked(survey, uuid.UUID(hex=profile), uuid.UUID(hex=order), message_id)
        case _:
            return None
