"""Asking the Union's register of VAT numbers (VIES), outside any transaction, and keeping what it said.

VIES answers for its members' registers, some of which are away for hours: no answer is no answer (UNAVAILABLE), never a
no. With the seller's own number in the question it gives a consultation number, which is the proof of having asked.
Source: https://ec.europa.eu/taxation_customs/vies, REST API (`check-vat-number`).
"""

import uuid
from dataclasses import dataclass

import orjson
import structlog

from app import db, events
from app.kit import http
from app.kit.ids import new_id
from app.settings import get_settings
from app.tax.rules import TaxIdState
from app.tax.terms import TaxIdCheck, TaxSettings
from app.tax.union import member_of_tax_id

CHECK = "tax.id_check"
TIMEOUT_SECONDS = 20.0
FRESH_DAYS = 30
"""How long an answer is good: later the register is asked again, while the old answer holds."""
MAX_PENDING = 500
"""Questions that wait at one time: whoever types in one number after the other does not make a crowd of us."""
RETRY_MINUTES = (1, 10, 60)
"""How long to wait after each time that the register was away. Later somebody has to use the number again."""

log = structlog.get_logger(__name__)

# While a question is open, or an answer is fresh, nobody asks.
_ASK = """
    INSERT INTO tax_id_checks (id, tax_id, state, requested_at, requester)
    SELECT $1, $2::text, 'PENDING', business_now(), $3
    WHERE (SELECT count(*) FROM tax_id_checks k WHERE k.state = 'PENDING') < $5 AND NOT EXISTS (
        SELECT FROM tax_id_checks k WHERE k.tax_id = $2::text AND k.state IN ('VALID', 'INVALID')
          AND k.requested_at > business_now() - $4 * interval '1 day'
    )
    ON CONFLICT (tax_id) WHERE state = 'PENDING' DO NOTHING
    RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Said:
    state: TaxIdState
    consultation_number: str | None = None


def looks_up(tax_id: str | None, settings: TaxSettings) -> bool:
    """Whether the shop has such numbers looked up."""
    return (
        tax_id is not None
        and settings.tax_id_check is TaxIdCheck.ONLINE
        and bool(settings.zones)
        and member_of_tax_id(tax_id) is not None
    )


async def want(tax_id: str | None, settings: TaxSettings) -> None:
    """Somebody has just given this number: have it looked up, unless that was done or is under way. Joins the open unit
    of work; the register is asked after its commit. While too many wait for it already, the shop's fallback decides."""
    requester = settings.tax_id if settings.tax_id and member_of_tax_id(settings.tax_id) else None
    check_id = await db.fetchval(_ASK, new_id(), tax_id, requester, FRESH_DAYS, MAX_PENDING)
    if check_id is not None:
        await events.record(CHECK, subject_id=check_id, payload={"attempt": 0})


async def look_up(check_id: uuid.UUID, attempt: int) -> None:
    """Ask the register, and keep its answer. Where it is away, ask again later; whoever asked meanwhile is not lost."""
    row = await db.fetchrow("SELECT tax_id, requester, state FROM tax_id_checks WHERE id = $1", check_id)
    if row is None or row["state"] in (TaxIdState.VALID, TaxIdState.INVALID):
        return
    said = await _asked(row["tax_id"], row["requester"])
    async with db.unit_of_work():
        changed = await db.execute(
            """
            UPDATE tax_id_checks SET state = $2, consultation_number = $3, checked_at = business_now()
            WHERE id = $1 AND state IN ('PENDING', 'UNAVAILABLE')
            """,
            check_id,
            said.state.value,
            said.consultation_number,
        )
        if changed and said.state is TaxIdState.UNAVAILABLE and attempt < len(RETRY_MINUTES):
            wait = RETRY_MINUTES[attempt] * 60.0
            await events.record(CHECK, subject_id=check_id, payload={"attempt": attempt + 1}, delay_seconds=wait)


async def give_up(check_id: uuid.UUID) -> None:
    await db.execute("UPDATE tax_id_checks SET state = 'UNAVAILABLE' WHERE id = $1 AND state = 'PENDING'", check_id)


async def _asked(tax_id: str, requester: str | None) -> Said:
    settings = get_settings()
    question = {"countryCode": tax_id[:2], "vatNumber": tax_id[2:]}
    if requester is not None:
        question |= {"requesterMemberStateCode": requester[:2], "requesterNumber": requester[2:]}
    try:
        answer = await http.post(
            f"{settings.vies_url}/check-vat-number",
            headers={"content-type": "application/json", "accept": "application/json"},
            content=orjson.dumps(question),
            timeout_seconds=TIMEOUT_SECONDS,
            allow_private=True,  # the operator's own setting, not something that a client said
        )
    except http.HttpError as error:
        log.warning("the register of VAT numbers gave no answer", cause=error.detail)
        return Said(TaxIdState.UNAVAILABLE)
    return said_by(answer.status, answer.body)


def said_by(status: int, body: bytes) -> Said:
    """What an answer of VIES means. Only a plain yes or no is one: `userError` names what kept it from saying either
    (MS_UNAVAILABLE, MS_MAX_CONCURRENT_REQ, TIMEOUT, …)."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if status != 200 or not isinstance(answer, dict) or not isinstance(answer.get("valid"), bool):
        log.warning("the register of VAT numbers gave no answer", cause=f"HTTP {status}")
        return Said(TaxIdState.UNAVAILABLE)
    number = answer.get("requestIdentifier")
    consultation_number = number[:64] if isinstance(number, str) and number else None
    if answer["valid"]:
        return Said(TaxIdState.VALID, consultation_number)
    if answer.get("userError") in (None, "", "INVALID"):
        return Said(TaxIdState.INVALID, consultation_number)
    log.warning("the register of VAT numbers gave no answer", cause="a member's register is away")
    return Said(TaxIdState.UNAVAILABLE)
