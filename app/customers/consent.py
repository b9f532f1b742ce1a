"""Consent to marketing: an append-only record for each channel and address, whose latest row is what holds.

Every function here runs in the caller's unit of work and takes the address's lock, so that two changes at once have an
order; it is taken after the locks of cart and profile, which the caller holds, and by channel where one transaction
changes several. Ids of an address's rows grow in that order, whatever the clocks of the machines say.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from app import db
from app.customers import consent_rules, consent_texts, identification, timeline
from app.customers.addresses import address_hashes
from app.customers.models import ConsentAction, ConsentSource
from app.kit.ids import new_id
from app.messaging import marketing_settings
from app.messaging.models import MessageChannel

MAX_USER_AGENT_CHARS = 300
MAX_IP_CHARS = 45
MAX_DETAIL_CHARS = 200


@dataclass(frozen=True, slots=True)
class Proof:
    """Where a request came from: stored with the consent that it changes."""

    ip: str | None
    user_agent: str | None


NO_PROOF = Proof(None, None)


@dataclass(frozen=True, slots=True)
class ConsentRow:
    id: uuid.UUID
    profile_id: uuid.UUID
    action: ConsentAction
    source: ConsentSource
    text_id: uuid.UUID | None
    confirms_id: uuid.UUID | None
    detail: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class _Line:
    """The locked record of one address, newest first."""

    channel: MessageChannel
    address: str
    hashes: list[bytes]
    rows: list[ConsentRow]
    now: datetime

    @property
    def action(self) -> ConsentAction | None:
        return self.rows[0].action if self.rows else None


_COLUMNS = "id, profile_id, action, source, text_id, confirms_id, detail, recorded_at"


async def state(channel: MessageChannel, address: str) -> ConsentAction | None:
    """What holds for marketing at this address; None where it was never spoken of. For calls, ask for SMS."""
    action: str | None = await db.fetchval(
        "SELECT action FROM consents WHERE channel = $1 AND address_hash = ANY($2::bytea[]) ORDER BY id DESC LIMIT 1",
        channel,
        address_hashes(channel, address),
    )
    return ConsentAction(action) if action else None


async def request_or_grant(
    *,
    profile_id: uuid.UUID,
    channel: MessageChannel,
    address: str,
    source: ConsentSource,
    text_id: uuid.UUID | None = None,
    ip: str | None = None,
    user_agent: str | None = None,
    given_in: str | None = None,
    confirm: bool = False,
) -> ConsentAction:
    """Take consent as its source allows: at once, or as a request that the receiver confirms.

    Args:
        address: normalised email or E.164.
        text_id: the wording that was shown; without it, the shop's current one.
        given_in: names the cart, `cart:…`, so that its owner can take back and give again what was given in it.
        confirm: ask for a confirmation whatever the settings say.

    Returns:
        GRANTED, or REQUESTED, also where the address has had its share of confirmations.

    Raises:
        DomainError: CONSENT_TEXT_UNKNOWN, CONSENT_TEXT_OF_ANOTHER_CHANNEL; INVALID for calls.
    """
    wording = await consent_texts.chosen(channel, text_id)
    line = await _locked(channel, address)
    if line.action is ConsentAction.GRANTED:
        return ConsentAction.GRANTED
    settings = await marketing_settings.current()
    elsewhere = [row for row in line.rows if given_in is None or row.detail != given_in]
    confirmed_by_receiver = confirm or consent_rules.needs_confirmation(
        source,
        double_opt_in=settings.needs_confirmation(channel, source),
        last_elsewhere=elsewhere[0].action if elsewhere else None,
    )
    if not confirmed_by_receiver:
        action = ConsentAction.GRANTED
    elif consent_rules.may_ask(_unanswered(line.rows), line.now):
        action = ConsentAction.REQUESTED
    else:
        return ConsentAction.REQUESTED
    await _append(
        line,
        profile_id,
        action,
        source,
        text_id=wording.id,
        ip=ip,
        user_agent=user_agent,
        detail=given_in,
    )
    return action


async def grant(
    *,
    profile_id: uuid.UUID,
    channel: MessageChannel,
    address: str,
    source: ConsentSource,
    text_id: uuid.UUID | None = None,
    ip: str | None = None,
    user_agent: str | None = None,
    detail: str | None = None,
) -> bool:
    """Take consent from its receiver, or from staff, with no confirmation. False when it holds already.

    Raises:
        DomainError: CONSENT_TEXT_UNKNOWN, CONSENT_TEXT_OF_ANOTHER_CHANNEL.
        ValueError: for a source where anybody can enter anybody's address.
    """
    if source not in consent_rules.PROVEN_SOURCES:
        raise ValueError(f"{source} proves nothing by itself: request_or_grant() asks for what is missing")
    wording = await consent_texts.chosen(channel, text_id)
    line = await _locked(channel, address)
    if line.action is ConsentAction.GRANTED:
        return False
    await _append(
        line,
        profile_id,
        ConsentAction.GRANTED,
        source,
        text_id=wording.id,
        ip=ip,
        user_agent=user_agent,
        detail=detail,
    )
    return True


async def revoke(
    *,
    profile_id: uuid.UUID,
    channel: MessageChannel,
    address: str,
    source: ConsentSource,
    ip: str | None = None,
    user_agent: str | None = None,
    detail: str | None = None,
    given_in: str | None = None,
) -> bool:
    """Withdraw consent; it counts from the commit on. False when it was withdrawn already.

    An address that was never spoken of gets a row, too: it says no.

    Args:
        given_in: withdraw only what was given in this cart, `cart:…`; what holds from elsewhere stays. A box that is
            left empty in a checkout is no withdrawal.
    """
    line = await _locked(channel, address)
    if line.action is ConsentAction.REVOKED:
        return False
    if given_in is not None and not (line.rows and line.rows[0].detail == given_in):
        return False
    await _append(
        line,
        profile_id,
        ConsentAction.REVOKED,
        source,
        ip=ip,
        user_agent=user_agent,
        detail=given_in or detail,
    )
    return True


async def confirm(
    consent_id: uuid.UUID,
    *,
    source: ConsentSource = ConsentSource.CONFIRMATION,
    ip: str | None = None,
    user_agent: str | None = None,
    detail: str | None = None,
) -> ConsentAction | None:
    """The receiver confirms a request, or a newer one for the same address. Repeating it changes nothing.

    Returns:
        What holds afterwards: REVOKED where they withdrew it after the request, which an old link does not undo. None
        when there is no such request, or its person was erased.
    """
    request = await find(consent_id)
    if request is None or request.action is not ConsentAction.REQUESTED or not request.address:
        return None
    profile_id = await identification.lock(request.profile_id)
    line = await _locked(request.channel, request.address)
    if line.action is not ConsentAction.REQUESTED:
        return line.action
    asked = line.rows[0]
    await _append(
        line,
        profile_id,
        ConsentAction.GRANTED,
        source,
        text_id=asked.text_id,
        confirms_id=asked.id,
        ip=ip,
        user_agent=user_agent,
        detail=detail,
    )
    return ConsentAction.GRANTED


@dataclass(frozen=True, slots=True)
class Request:
    profile_id: uuid.UUID
    channel: MessageChannel
    address: str
    """Empty after an erasure."""
    action: ConsentAction
    text_id: uuid.UUID | None


async def find(consent_id: uuid.UUID) -> Request | None:
    row = await db.fetchrow(
        "SELECT profile_id, channel, address, action, text_id FROM consents WHERE id = $1", consent_id
    )
    if row is None:
        return None
    return Request(
        profile_id=row["profile_id"],
        channel=MessageChannel(row["channel"]),
        address=row["address"],
        action=ConsentAction(row["action"]),
        text_id=row["text_id"],
    )


async def history(channel: MessageChannel, address: str) -> list[ConsentRow]:
    """Everything that was ever recorded of an address, newest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM consents WHERE channel = $1 AND address_hash = ANY($2::bytea[]) ORDER BY id DESC",
        channel,
        address_hashes(channel, address),
    )
    return [_row(row) for row in rows]


async def lock(channel: MessageChannel, address: str) -> None:
    """Keep the address's consent as it is until the open unit of work ends. Its rows are read by a later statement."""
    db.current_unit_of_work()
    # By the oldest key's hash, which processes of before and after a rotation have in common.
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 0))",
        address_hashes(channel, address)[-1],
    )


async def _locked(channel: MessageChannel, address: str) -> _Line:
    if channel is MessageChannel.VOICE:
        raise ValueError("calls follow the consent to text messages")
    await lock(channel, address)
    rows = await history(channel, address)
    now: datetime = await db.fetchval("SELECT business_now()")
    return _Line(channel, address, address_hashes(channel, address), rows, now)


def _unanswered(rows: list[ConsentRow]) -> list[datetime]:
    """When confirmations were asked for since somebody last said yes."""
    asked: list[datetime] = []
    for row in rows:
        if row.action is ConsentAction.GRANTED:
            break
        if row.action is ConsentAction.REQUESTED:
            asked.append(row.recorded_at)
    return asked


async def _append(
    line: _Line,
    profile_id: uuid.UUID,
    action: ConsentAction,
    source: ConsentSource,
    *,
    text_id: uuid.UUID | None = None,
    confirms_id: uuid.UUID | None = None,
    ip: str | None = None,
    user_agent: str | None = None,
    detail: str | None = None,
) -> uuid.UUID:
    consent_id = _following(line.rows)
    await db.execute(
        """
        INSERT INTO consents (id, profile_id, channel, address, address_hash, action, purpose, source, text_id,
                              confirms_id, ip, user_agent, detail, recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'MARKETING', $7, $8, $9, $10, $11, $12, $13)
        """,
        consent_id,
        profile_id,
        line.channel,
        line.address,
        line.hashes[0],
        action,
        source,
        text_id,
        confirms_id,
        _printable(ip, MAX_IP_CHARS),
        _printable(user_agent, MAX_USER_AGENT_CHARS),
        _printable(detail, MAX_DETAIL_CHARS),
        line.now,
    )
    await timeline.record(
        f"consent.{action.lower()}",
        profile_id=profile_id,
        subject_id=consent_id,
        data={"channel": line.channel.value, "source": source.value},
    )
    return consent_id


def _following(rows: list[ConsentRow]) -> uuid.UUID:
    """An id above all of the address's others: another machine's clock may be ahead."""
    made = new_id()
    return made if not rows or made > rows[0].id else uuid.UUID(int=rows[0].id.int + 1)


def _row(row: db.Record) -> ConsentRow:
    return ConsentRow(
        id=row["id"],
        profile_id=row["profile_id"],
        action=ConsentAction(row["action"]),
        source=ConsentSource(row["source"]),
        text_id=row["text_id"],
        confirms_id=row["confirms_id"],
        detail=row["detail"],
        recorded_at=row["recorded_at"],
    )


def _printable(text: str | None, max_chars: int) -> str | None:
    """What a client sent about itself, fit for a text column: no NUL, no line ends."""
    if not text:
        return None
    return "".join(character for character in text if character.isprintable())[:max_chars] or None
