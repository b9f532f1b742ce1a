"""Links that are mailed to people about their account: each is good for one thing, once, and for a time.

What is mailed is derived from the key ring, and only its hash is stored: a link outlives a rotation of the keys, and
whoever reads the database can follow none. Purposes differ by kind, so the link of one never does what another does.
"""

import uuid
from dataclasses import dataclass
from urllib.parse import quote

from app import db
from app.accounts.errors import AccountErrorCode
from app.accounts.models import AccountTokenKind
from app.errors import DomainError
from app.keys import keyring
from app.kit.crypto import hash_token, token_matches
from app.kit.ids import new_id
from app.messaging.formats import web_url
from app.settings import get_settings

MAX_TOKEN_CHARS = 100
GOOD_FOR_SECONDS = {
    AccountTokenKind.VERIFY_EMAIL: 7 * 24 * 3600,
    AccountTokenKind.RESET_PASSWORD: 3600,
    AccountTokenKind.SIGN_IN: 15 * 60,
    AccountTokenKind.CHANGE_EMAIL: 24 * 3600,
}
ACTIONS = {
    AccountTokenKind.VERIFY_EMAIL: "verify-email",
    AccountTokenKind.RESET_PASSWORD: "reset-password",
    AccountTokenKind.SIGN_IN: "sign-in",
    AccountTokenKind.CHANGE_EMAIL: "change-email",
}
PATH = "/account"
MAX_MAILS = 3
"""Of one kind to one address within `PAUSE_SECONDS`, whoever asks. The newest one is good for longer than that, so
asking in somebody's stead never leaves them without a link that works."""
PAUSE_SECONDS = 300

_RECENT = """
    SELECT count(*) FROM account_tokens
    WHERE lower(email) = lower($1) AND kind = $2 AND created_at > clock_timestamp() - $3 * interval '1 second'
"""
_INSERT = """
    WITH older AS (
        UPDATE account_tokens SET expires_at = clock_timestamp()
        WHERE customer_id = $2 AND kind = $3 AND used_at IS NULL AND expires_at > clock_timestamp()
    )
    INSERT INTO account_tokens (id, customer_id, kind, token_hash, email, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp() + $6 * interval '1 second')
"""


@dataclass(frozen=True, slots=True)
class Link:
    id: uuid.UUID
    customer_id: uuid.UUID
    email: str
    """Where it was sent to."""


async def recently_mailed(kind: AccountTokenKind, email: str) -> int:
    """How many links of the kind the address was sent within `PAUSE_SECONDS`."""
    count: int = await db.fetchval(_RECENT, email, kind, PAUSE_SECONDS)
    return count


async def issue(kind: AccountTokenKind, customer_id: uuid.UUID, email: str) -> uuid.UUID:
    """A new link, in the open unit of work, which holds the account's row; older ones of the kind end."""
    db.current_unit_of_work()
    token_id = new_id()
    digest = hash_token(keyring().derive_token(_purpose(kind), token_id))
    await db.execute(_INSERT, token_id, customer_id, kind, digest, email, GOOD_FOR_SECONDS[kind])
    return token_id


async def find(kind: AccountTokenKind, token: str) -> Link:
    """What a link is for, while it is good. Raises DomainError(INVALID_LINK)."""
    row = None
    if len(token) <= MAX_TOKEN_CHARS and token.isascii():
        row = await db.fetchrow(
            """
            SELECT id, customer_id, email FROM account_tokens
            WHERE token_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > clock_timestamp()
            """,
            hash_token(token),
            kind,
        )
    if row is None:
        raise invalid()
    return Link(row["id"], row["customer_id"], row["email"])


async def use(link: Link) -> None:
    """Spend it, in the open unit of work. Raises DomainError(INVALID_LINK) where somebody else was quicker."""
    db.current_unit_of_work()
    used = await db.execute(
        """
        UPDATE account_tokens SET used_at = clock_timestamp()
        WHERE id = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
        """,
        link.id,
    )
    if not used:
        raise invalid()


async def end_all(customer_id: uuid.UUID) -> None:
    """No link that was mailed before is good for anything any more."""
    await db.execute(
        """
        UPDATE account_tokens SET expires_at = clock_timestamp()
        WHERE customer_id = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
        """,
        customer_id,
    )


async def is_good(token_id: uuid.UUID) -> bool:
    good: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM account_tokens WHERE id = $1 AND used_at IS NULL "
        "AND expires_at > clock_timestamp())",
        token_id,
    )
    return good


async def url_of(token_id: uuid.UUID) -> str | None:
    """The address that is mailed, made again from the key ring; None where its key has left the ring."""
    row = await db.fetchrow("SELECT kind, token_hash FROM account_tokens WHERE id = $1", token_id)
    if row is None:
        return None
    kind = AccountTokenKind(row["kind"])
    derived = keyring().derivations(_purpose(kind), token_id)
    token = next((token for token in derived if token_matches(token, row["token_hash"])), None)
    return url(kind, token) if token else None


def url(kind: AccountTokenKind, token: str) -> str:
    """The front end's page (STOREFRONT_ACCOUNT_URL), or else a page of this API. Never what a request names as host."""
    settings = get_settings()
    page = settings.storefront_account_url
    if page is not None and "{token}" in page:
        made = page.replace("{action}", ACTIONS[kind]).replace("{token}", quote(token, safe=""))
        if absolute := web_url(made, page):
            return absolute
    return f"{settings.public_url}{PATH}/{ACTIONS[kind]}/{token}"


def invalid() -> DomainError:
    message = "This link was used, has expired, or was replaced by a newer one. Ask for another."
    return DomainError(AccountErrorCode.INVALID_LINK, message, ["token"])


def _purpose(kind: AccountTokenKind) -> str:
    return f"account {kind.value}"
