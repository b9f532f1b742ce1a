"""Making an account: always a new, unverified one, whoever has the address already.

So the answer says nothing about the address, and takes as long for each. What the mail says depends on it, and is
decided by a worker (`mailing`). See docs/decisions/accounts.md.
"""

from typing import TypedDict

from app import db, events
from app.accounts import limits
from app.accounts.clients import Client
from app.accounts.signing_in import SignedIn, open_session
from app.addresses.contact import normalise_email, normalise_phone
from app.errors import DomainError
from app.kit.ids import new_id
from app.kit.problems import Problems
from app.sessions import passwords

CREATED = "account.created"


class Applicant(TypedDict):
    email: str
    password: str
    first_name: str | None
    last_name: str | None
    phone: str | None


async def create(given: Applicant, client: Client) -> SignedIn:
    """A new account, signed in, that stands for nobody until its address is verified.

    Raises:
        DomainErrors: what is wrong with the input; paths begin with `input`.
        DomainError: RATE_LIMITED.
    """
    problems = Problems()
    email = ""
    phone = None
    try:
        email = normalise_email(given["email"], ["input", "email"])
    except DomainError as error:
        problems.note(error)
    try:
        passwords.check_new(given["password"], email=email or given["email"], field=["input", "password"])
    except DomainError as error:
        problems.note(error)
    if given["phone"]:
        try:
            phone = normalise_phone(given["phone"], None, ["input", "phone"])
        except DomainError as error:
            problems.note(error)
    first_name = problems.line(given["first_name"], "firstName")
    last_name = problems.line(given["last_name"], "lastName")
    problems.raise_if_any()
    await limits.sign_up(client)
    password_hash = await passwords.hash_password(given["password"])
    customer_id = new_id()
    async with db.unit_of_work():
        await db.execute(
            """
            INSERT INTO customers (id, email, password_hash, first_name, last_name, phone, is_active, created_at,
                                   updated_at, last_login_at)
            VALUES ($1, $2, $3, $4, $5, $6, true, clock_timestamp(), clock_timestamp(), clock_timestamp())
            """,
            customer_id,
            email,
            password_hash,
            first_name,
            last_name,
            phone,
        )
        await events.record(CREATED, subject_id=customer_id)
        return await open_session(customer_id, client)
