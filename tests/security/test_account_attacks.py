"""What strangers try on accounts: finding out who has one, getting in, and keeping somebody out."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher

from app import db
from app.sessions import passwords
from tests.api.account_operations import (
    CREATE,
    LINK,
    LINK_SEND,
    LOGIN,
    OTHER_PASSWORD,
    PASSWORD,
    RESET_SEND,
    codes,
    login,
    me,
    sign_up,
    verified,
)
from tests.client import Api
from tests.factories import account_mails, accounts
from tests.factories import shop as shops

Drain = Callable[[], Awaitable[None]]
ADA, EVE = "ada@example.com", "eve@example.com"
SCRUBBED = ("id", "email", "accessToken", "refreshToken", "expiresAt")


class CountingHasher:
    """Quick, and knows how often it was asked."""

    def __init__(self) -> None:
        self.inner = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        self.calls = 0

    def hash(self, password: bytes) -> str:
        self.calls += 1
        return self.inner.hash(password)

    def verify(self, stored: str, password: bytes) -> bool:
        self.calls += 1
        return self.inner.verify(stored, password)

    def check_needs_rehash(self, stored: str) -> bool:
        return self.inner.check_needs_rehash(stored)


@pytest.fixture(autouse=True)
def hasher(monkeypatch: pytest.MonkeyPatch) -> CountingHasher:
    counting = CountingHasher()
    decoy = counting.inner.hash("nobody has this password")
    monkeypatch.setattr(passwords, "_hasher", counting)
    monkeypatch.setattr(passwords, "_decoy", lambda: decoy)
    return counting


@pytest.fixture(autouse=True)
async def shop(clean_database: None) -> None:
    await shops.shop()


def from_network(api: Api, ip: str) -> Api:
    """The same shop, asked from another address."""
    other = Api(api.app)
    transport = httpx2.ASGITransport(api.app, client=(ip, 50_000))
    other._http = httpx2.AsyncClient(transport=transport, base_url="http://testserver")
    return other


async def raw(api: Api, document: str, variables: dict[str, Any]) -> tuple[bytes, int]:
    """The bytes of an answer, and how many statements it took."""
    with db.counted_statements() as statements:
        response = await api.http.post("/graphql", json={"query": document, "variables": variables})
    return response.content, len(statements)


# --- who has an account -----------------------------------------------------------------------------------------------


async def test_a_failed_sign_in_says_and_costs_the_same_whoever_has_the_address(
    api: Api, drain: Drain, hasher: CountingHasher
) -> None:
    await verified(api, drain, ADA)
    await sign_up(api, EVE)
    closed = await accounts.signed_in("off@example.com")
    await db.execute("UPDATE customers SET is_active = false WHERE id = $1", closed.id)
    answers = []
    for email in (ADA, EVE, "off@example.com", "new@example.com", "no address", "a\x00b@example.com"):
        hasher.calls = 0
        answer, statements = await raw(api, LOGIN, {"input": {"email": email, "password": OTHER_PASSWORD}})
        answers.append((answer, statements, hasher.calls))
    assert len(set(answers)) == 1, answers
    assert b"INVALID_CREDENTIALS" in answers[0][0]
    assert answers[0][2] == 2


@pytest.mark.parametrize("document", [RESET_SEND, LINK_SEND])
async def test_asking_for_a_link_says_and_costs_the_same(api: Api, drain: Drain, document: str) -> None:
    await verified(api, drain, ADA)
    await sign_up(api, EVE)
    await drain()
    before = await db.fetchval("SELECT count(*) FROM messages")
    answers = [await raw(api, document, {"email": email}) for email in (ADA, EVE, "new@example.com")]
    assert len(set(answers)) == 1, answers
    assert await db.fetchval("SELECT count(*) FROM messages") == before, "mails are decided in the request"


async def test_signing_up_with_a_taken_address_says_and_costs_the_same_and_its_owner_is_told(
    api: Api, drain: Drain, hasher: CountingHasher
) -> None:
    owner = await verified(api, drain, ADA)
    answers, costs = [], []
    for email in (ADA, EVE):
        hasher.calls = 0
        with db.counted_statements() as statements:
            payload = await sign_up(api, email)
        costs.append((len(statements), hasher.calls))
        customer = (
            payload["customer"]
            | dict.fromkeys(("id", "email"), "")
            | {"sessions": len(payload["customer"]["sessions"])}
        )
        answers.append({**payload, **dict.fromkeys(SCRUBBED[2:], ""), "customer": customer})
    assert answers[0] == answers[1]
    assert costs[0] == costs[1]
    assert costs[0][1] == 1
    await drain()
    assert (await account_mails.templates(ADA))[-1] == "account_exists"
    assert (await account_mails.templates(EVE)) == ["account_verify_email"]
    assert await db.fetchval("SELECT count(*) FROM account_tokens WHERE email = $1 AND used_at IS NULL", ADA) == 0
    assert await me(api, owner) is not None


async def test_a_taken_address_is_told_once_an_hour_however_often_it_is_tried(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    for _ in range(3):
        await sign_up(api, ADA)
    await drain()
    assert (await account_mails.templates(ADA)).count("account_exists") == 1


# --- guessing, and keeping somebody out -------------------------------------------------------------------------------


async def test_guesses_under_aliases_of_one_request_count_one_by_one(
    api: Api, hasher: CountingHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.accounts.limits.LOGINS_PER_CLIENT_AND_EMAIL", 5)
    await sign_up(api, ADA)
    hasher.calls = 0
    guesses = " ".join(
        f'a{number}: customerLogin(input: {{email: "{ADA}", password: "guess number {number}"}}) '
        "{ userErrors { code } accessToken }"
        for number in range(9)
    )
    result = await api.query(f"mutation {{ {guesses} }}")
    data = result.data
    assert data is not None, result.errors
    told = [payload["userErrors"][0]["code"] for payload in data.values()]
    assert told == ["INVALID_CREDENTIALS"] * 5 + ["RATE_LIMITED"] * 4
    assert hasher.calls == 10, "a refused guess was hashed all the same"
    assert codes(await login(api, ADA)) == ["RATE_LIMITED"]


async def test_strangers_who_guess_keep_nobody_out_who_was_there_before(
    api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.accounts.limits.LOGINS_OF_STRANGERS_AN_HOUR", 3)
    at_home = from_network(api, "198.51.100.7")
    await verified(at_home, drain, ADA)
    botnet = [from_network(api, f"203.0.113.{number}") for number in range(5)]
    told = [codes(await login(bot, ADA, OTHER_PASSWORD)) for bot in botnet]
    assert told == [["INVALID_CREDENTIALS"]] * 3 + [["RATE_LIMITED"]] * 2
    assert codes(await login(at_home, ADA)) == []
    travelling = from_network(api, "192.0.2.1")
    assert codes(await login(travelling, ADA)) == ["RATE_LIMITED"]
    await travelling.ok(LINK_SEND, {"email": ADA})
    await drain()
    link = (await account_mails.last(ADA, "account_sign_in")).token
    assert (await travelling.ok(LINK, {"token": link}))["customerSignInWithLink"]["accessToken"]
    assert codes(await login(travelling, ADA)) == [], "a network that signed in is no stranger any more"


async def test_a_claim_of_ones_own_makes_nobody_less_of_a_stranger(
    api: Api, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the limit would tell whether there is an account behind the claim."""
    monkeypatch.setattr("app.accounts.limits.LOGINS_OF_STRANGERS_AN_HOUR", 2)
    await verified(from_network(api, "198.51.100.7"), drain, ADA)
    for email in (ADA, EVE):
        stranger = from_network(api, "203.0.113.1")
        await sign_up(stranger, email, OTHER_PASSWORD)
        told = [codes(await login(stranger, email, "guess after guess")) for _ in range(3)]
        assert told == [["INVALID_CREDENTIALS"]] * 2 + [["RATE_LIMITED"]], email


async def test_right_sign_ins_use_up_no_attempts(api: Api) -> None:
    await sign_up(api, ADA)
    assert [codes(await login(api, ADA)) for _ in range(12)] == [[]] * 12


async def test_asking_for_links_in_somebodys_stead_leaves_them_one_that_works(api: Api, drain: Drain) -> None:
    await verified(api, drain, ADA)
    for number in range(6):
        await from_network(api, f"203.0.113.{number}").ok(LINK_SEND, {"email": ADA})
        await drain()
    sent = [mail for mail in await account_mails.mails(ADA) if mail.template == "account_sign_in"]
    assert len(sent) == 3
    assert (await api.ok(LINK, {"token": sent[-1].token}))["customerSignInWithLink"]["accessToken"]


async def test_sign_ups_of_one_client_are_limited(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.accounts.limits.SIGN_UPS_PER_CLIENT_AN_HOUR", 2)
    for number in range(2):
        await sign_up(api, f"a{number}@example.com")
    refused = await api.refused(CREATE, {"input": {"email": EVE, "password": PASSWORD}})
    assert refused[0]["code"] == "RATE_LIMITED"
    assert await db.fetchval("SELECT count(*) FROM customers") == 2
