"""Signing up for news: the same answer whoever the address belongs to, and whatever is known of it."""

from collections.abc import Sequence

from app import db, rate_limit
from app.addresses.contact import normalise_email, normalise_phone
from app.customers import consenting, identification
from app.customers.consent import Proof
from app.customers.consenting import ConsentGiven, Reachable
from app.customers.models import ConsentSource
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.kit.problems import Problems

SOURCE = "NEWSLETTER"
LIMIT_PER_CLIENT = 20
LIMIT_WINDOW_SECONDS = 3600


async def subscribe(
    *,
    email: str,
    phone: str | None,
    first_name: str | None,
    consents: Sequence[ConsentGiven],
    proof: Proof,
    client: str,
) -> None:
    """Take consent for these addresses, to be confirmed where the shop wants that.

    Args:
        consents: what is not granted is not taken; nothing is withdrawn here, as anybody can type any address.
        client: who asks, for the rate limit.

    Raises:
        DomainErrors: what is wrong with the input, fields below `input`; CONSENT_TEXT_UNKNOWN,
            CONSENT_TEXT_OF_ANOTHER_CHANNEL, CONSENT_ADDRESS_MISSING; REQUIRED without any consent.
        DomainError: RATE_LIMITED.
    """
    problems = Problems()
    name = problems.line(first_name, "firstName")
    addresses = Reachable(_checked(problems, email, "email"), _checked(problems, phone, "phone"))
    given = [one for one in consents if one.granted]
    if not given:
        problems.add(CommonErrorCode.REQUIRED, "Nothing is agreed to.", "consent")
    problems.raise_if_any()
    await rate_limit.allow(SOURCE.lower(), client, limit=LIMIT_PER_CLIENT, window_seconds=LIMIT_WINDOW_SECONDS)
    try:
        consenting.check(consents, addresses)
        async with db.unit_of_work():
            profile_id = await identification.identify(
                email=addresses.email, phone=addresses.phone, first_name=name, source=SOURCE
            )
            await consenting.take(given, addresses, profile_id=profile_id, source=ConsentSource.NEWSLETTER, proof=proof)
    except DomainErrors as wrong:
        raise DomainErrors([error.under("input", "consent") for error in wrong.errors]) from wrong


def _checked(problems: Problems, text: str | None, name: str) -> str | None:
    if text is None:
        return None
    try:
        return (
            normalise_email(text, ["input", name]) if name == "email" else normalise_phone(text, None, ["input", name])
        )
    except DomainError as error:
        problems.note(error)
        return None
