"""What an attacker who has a part of a staff account, or nothing but an address, gets: nothing."""

import time
import uuid

import pyotp
import pytest

from app import db
from app.accounts.clients import Client, network_hashes
from app.audit.recording import Origin
from app.errors import DomainError
from app.staff import limits, second_factor, service
from app.staff.permissions import NOT_FOR_KEYS, Permission
from tests.api.staff_operations import (
    ACCEPT,
    INVITE,
    KEY_CREATE,
    LOGIN,
    ME,
    ROLE_CREATE,
    UPDATE,
    codes,
    my_id,
    role_of,
    staff_rows,
)
from tests.api.test_staff_second_factor import OWNER, switched_on
from tests.client import Api
from tests.factories import accounts, api_keys, shop, staff

AT_HOME, ELSEWHERE = Client("203.0.113.5"), Client("198.51.100.7")
HERE = Origin()


@pytest.fixture(autouse=True)
async def _shop(clean_database: None) -> None:
    await shop.shop()


async def refusal(client: Client, password: str, otp: str | None = None) -> str | None:
    try:
        await service.sign_in(OWNER["email"], password, client, HERE, otp=otp)
    except DomainError as error:
        return error.code.name
    return None


@pytest.fixture
async def olive(clean_database: None) -> uuid.UUID:
    """An owner, who signed in at home before."""
    member_id = await service.create_owner(OWNER["email"], "Olive", OWNER["password"])
    assert await refusal(AT_HOME, OWNER["password"]) is None
    return member_id


async def test_failures_of_others_keep_no_member_out(olive: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOGINS_PER_EMAIL", 3)
    monkeypatch.setattr(limits, "LOGINS_OF_STRANGERS_AN_HOUR", 5)
    attackers = [Client(f"192.0.2.{number}") for number in range(8)]
    tried = [await refusal(client, "guess-the-password") for client in attackers]
    assert tried == ["INVALID_CREDENTIALS"] * 5 + ["RATE_LIMITED"] * 3
    assert await refusal(attackers[-1], OWNER["password"]) == "RATE_LIMITED", "however right"
    assert await refusal(AT_HOME, OWNER["password"]) is None


async def test_guessed_codes_of_others_keep_no_member_out(
    api: Api, olive: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODES_OF_STRANGERS_AN_HOUR", 4)
    token = (await api.ok(LOGIN, OWNER))["staffLogin"]["accessToken"]
    phone, _ = await switched_on(api, token)
    thieves = [Client(f"192.0.2.{number}") for number in range(6)]
    tried = [await refusal(client, OWNER["password"], "000000") for client in thieves]
    assert tried == ["SECOND_FACTOR_INVALID"] * 4 + ["RATE_LIMITED"] * 2
    assert await refusal(ELSEWHERE, OWNER["password"], await phone.code()) == "RATE_LIMITED"
    assert await refusal(AT_HOME, OWNER["password"], await phone.code()) is None


async def test_right_passwords_without_a_code_do_not_use_up_the_guesses(
    api: Api, olive: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODES_PER_CLIENT", 2)
    token = (await api.ok(LOGIN, OWNER))["staffLogin"]["accessToken"]
    phone, _ = await switched_on(api, token)
    assert [await refusal(AT_HOME, OWNER["password"]) for _ in range(4)] == ["SECOND_FACTOR_REQUIRED"] * 4
    assert await refusal(AT_HOME, OWNER["password"], await phone.code()) is None


async def test_aliases_of_one_request_count_one_by_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOGINS_PER_EMAIL", 2)
    guess = 'staffLogin(input: {email: "a@example.com", password: "guess-it-%d"}) { userErrors { code } }'
    document = "mutation { " + " ".join(f"a{number}: {guess % number}" for number in range(4)) + " }"
    answer = (await api.query(document)).data or {}
    found = [answer[f"a{number}"]["userErrors"][0]["code"] for number in range(4)]
    assert found == ["INVALID_CREDENTIALS", "INVALID_CREDENTIALS", "RATE_LIMITED", "RATE_LIMITED"]


async def test_known_and_unknown_addresses_take_the_same_statements(olive: uuid.UUID) -> None:
    asked: list[list[str]] = []
    for email in (OWNER["email"], "nobody@example.com"):
        with db.counted_statements() as statements:
            with pytest.raises(DomainError):
                await service.sign_in(email, "guess-the-password", ELSEWHERE, HERE)
            asked.append(list(statements))
    assert asked[0] == asked[1]


async def test_failed_and_good_sign_ins_of_members_are_in_the_log_and_those_of_nobody_are_not(
    olive: uuid.UUID,
) -> None:
    origin = Origin("198.51.100.7", "curl/8", "request-1")
    for email in (OWNER["email"], "nobody@example.com"):
        with pytest.raises(DomainError):
            await service.sign_in(email, "guess-the-password", ELSEWHERE, origin)
    rows = await db.fetch("SELECT * FROM audit_entries ORDER BY id")
    assert [(row["actor_id"], row["action"], row["outcome"]) for row in rows] == [
        (olive, "staffLogin", "DONE"),
        (olive, "staffLogin", "REFUSED"),
    ]
    assert (rows[1]["ip"], rows[1]["user_agent"], rows[1]["request_id"]) == ("198.51.100.7", "curl/8", "request-1")
    assert "guess-the-password" not in str([dict(row) for row in rows])


async def test_tokens_of_one_kind_open_nothing_of_another(api: Api) -> None:
    customer = await accounts.signed_in()
    key = await api_keys.key(set(Permission) - NOT_FOR_KEYS)
    member = await staff.signed_in(set(Permission))
    for token in (customer.token, f"twk_{customer.token}", f"twk_{member}", f"twc_{key}", key.removeprefix("twk_")):
        assert (await api.query("{ orders { nodes { id } } }", token=token)).codes == ["UNAUTHENTICATED"]
    for token in (member, key):
        assert (await api.ok("{ me { id } }", token=token))["me"] is None


async def test_a_key_changes_neither_staff_nor_keys_whatever_its_row_says(api: Api) -> None:
    clerk = await my_id(api, await staff.signed_in(set()))
    role = await role_of(clerk)
    key = await api_keys.key(set(Permission))
    before = await staff_rows()
    asked = (
        (KEY_CREATE, {"permissions": ["ORDERS_READ"]}),
        (ROLE_CREATE, {"name": "Mine", "permissions": []}),
        (INVITE, {"email": "me@example.com", "role": role}),
        (UPDATE, {"id": clerk, "input": {"name": "Mud"}}),
    )
    for document, variables in asked:
        assert await codes(api, document, variables, key) == ["FORBIDDEN"]
    after = await staff_rows()
    assert [{**row, "last_used_at": None} for row in after] == [{**row, "last_used_at": None} for row in before]


async def test_a_code_that_was_seen_is_worthless_after_reset_and_new_set_up(api: Api, olive: uuid.UUID) -> None:
    """The step of the last code outlives the secret, so a code cannot be replayed around a reset."""
    token = (await api.ok(LOGIN, OWNER))["staffLogin"]["accessToken"]
    phone, _ = await switched_on(api, token)
    seen = await phone.code()
    assert await refusal(AT_HOME, OWNER["password"], seen) is None
    stored = await db.fetchval("SELECT totp_last_step FROM staff_users WHERE id = $1", olive)
    async with db.unit_of_work():
        assert not await second_factor.use(olive, seen)
        assert not await second_factor.use(olive, pyotp.TOTP(pyotp.random_base32()).at(time.time()))
    assert await db.fetchval("SELECT totp_last_step FROM staff_users WHERE id = $1", olive) == stored


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\x00", "ü", "inv_" + "0" * 32])
async def test_guessed_links_join_nobody(api: Api, token: str) -> None:
    before = await staff_rows()
    assert await codes(api, ACCEPT, {"token": token, "password": "a-long-password"}, None) == ["INVALID_LINK"]
    assert await staff_rows() == before


@pytest.mark.parametrize("email", ["a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com", "\x00"])
async def test_an_invitation_goes_to_one_address_alone(api: Api, email: str) -> None:
    owner = await staff.owner()
    given = {"email": email, "role": await role_of(await my_id(api, owner))}
    assert (await codes(api, INVITE, given, owner))[0] in ("INVALID_EMAIL", "REQUIRED")
    assert await db.fetchval("SELECT count(*) FROM staff_invitations") == 0


async def test_colleagues_without_the_permission_see_nobody(api: Api) -> None:
    owner, clerk = await staff.owner(), await staff.signed_in(set(Permission) - {Permission.STAFF_WRITE})
    other = (await api.ok(ME, token=owner))["staffMe"]["id"]
    seen = await api.ok("query ($id: ID!) { node(id: $id) { id } }", {"id": other}, token=clerk)
    assert seen["node"] is None


async def test_a_network_is_known_by_a_keyed_hash(olive: uuid.UUID) -> None:
    stored = await db.fetchval("SELECT client_hash FROM sessions")
    assert bytes(stored) == network_hashes(AT_HOME)[0]
    assert AT_HOME.address.encode() not in bytes(stored)
