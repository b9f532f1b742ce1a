"""Making an account, signing in and out, and the tokens that one gets."""

import asyncio

import pytest
from argon2 import PasswordHasher, Type

from app import db
from app.sessions import passwords
from tests.api.account_operations import CREATE, LOGOUT, OTHER_PASSWORD, PASSWORD, REFRESH, codes, login, me, sign_up
from tests.client import Api
from tests.patience import patience


async def test_a_new_account_is_signed_in_and_unverified(api: Api) -> None:
    payload = await sign_up(api, "Ada@Example.com", firstName=" Ada ", phone="+44 20 7946 0018")
    assert payload["customer"] | {"id": "", "sessions": []} == {
        "id": "",
        "email": "Ada@example.com",
        "emailVerified": False,
        "firstName": "Ada",
        "lastName": None,
        "phone": "+442079460018",
        "hasPassword": True,
        "sessions": [],
    }
    assert payload["accessToken"].startswith("twc_")
    seen = await me(api, payload["accessToken"])
    assert seen is not None
    assert seen["id"] == payload["customer"]["id"]
    assert len(seen["sessions"]) == 1
    assert await me(api, None) is None
    assert await db.fetchval("SELECT profile_id IS NULL AND email_verified_at IS NULL FROM customers")


async def test_what_is_wrong_with_a_new_account_is_told_together_and_makes_none(api: Api) -> None:
    given = {"email": "no address", "password": "short", "phone": "12", "lastName": "x" * 256}
    refused = await api.refused(CREATE, {"input": given})
    assert [(error["code"], error["field"]) for error in refused] == [
        ("INVALID_EMAIL", ["input", "email"]),
        ("INVALID", ["input", "password"]),
        ("INVALID_PHONE", ["input", "phone"]),
        ("TOO_LONG", ["input", "lastName"]),
    ]
    own = await api.refused(CREATE, {"input": {"email": "ada@example.com", "password": "ADA@example.com"}})
    assert [error["field"] for error in own] == [["input", "password"]]
    assert await db.fetchval("SELECT (SELECT count(*) FROM customers) + (SELECT count(*) FROM events)") == 0


async def test_the_right_password_signs_in_and_a_wrong_one_does_not(api: Api) -> None:
    made = await sign_up(api, "ada@example.com")
    payload = await login(api, "ADA@example.com", headers={"User-Agent": "Storefront/1.0"})
    assert payload["customer"]["id"] == made["customer"]["id"]
    seen = await me(api, payload["accessToken"])
    assert seen is not None
    assert len(seen["sessions"]) == 2
    assert payload["customer"]["sessions"][0]["userAgent"] == "Storefront/1.0"
    wrong = await login(api, "ada@example.com", OTHER_PASSWORD)
    assert codes(wrong) == ["INVALID_CREDENTIALS"]
    assert wrong["accessToken"] is None
    assert await db.fetchval("SELECT count(*) FROM sessions") == 2


async def test_a_password_counts_as_it_is_read_not_as_it_is_coded(api: Api) -> None:
    await sign_up(api, "ada@example.com", "gr\u00fcner Hafen")
    assert codes(await login(api, "ada@example.com", "gru\u0308ner Hafen")) == []


async def test_signing_out_ends_the_own_session_alone(api: Api) -> None:
    first = await sign_up(api, "ada@example.com")
    second = await login(api, "ada@example.com")
    await api.ok(LOGOUT, token=first["accessToken"])
    assert await me(api, first["accessToken"]) is None
    refused = await api.refused(REFRESH, {"token": first["refreshToken"]})
    assert refused[0]["code"] == "INVALID_TOKEN"
    assert await me(api, second["accessToken"]) is not None


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_family(api: Api) -> None:
    first = await sign_up(api, "ada@example.com")
    second = (await api.ok(REFRESH, {"token": first["refreshToken"]}))["tokenRefresh"]
    assert await me(api, second["accessToken"]) is not None
    stolen = await api.refused(REFRESH, {"token": first["refreshToken"]})
    assert stolen[0]["code"] == "INVALID_TOKEN"
    assert await me(api, first["accessToken"]) is None
    assert await me(api, second["accessToken"]) is None
    assert (await api.refused(REFRESH, {"token": second["refreshToken"]}))[0]["code"] == "INVALID_TOKEN"


def test_a_hash_costs_what_rfc_9106_asks_for_at_least(shops_hasher: PasswordHasher) -> None:
    """Section 4: where memory is scarce, 64 MiB in three passes over four lanes."""
    assert shops_hasher.type is Type.ID
    assert shops_hasher.memory_cost >= 64 * 1024
    assert shops_hasher.time_cost >= 3
    assert shops_hasher.parallelism >= 4
    assert shops_hasher.verify(shops_hasher.hash(PASSWORD), PASSWORD)


async def test_a_hash_of_weaker_parameters_is_renewed_at_sign_in(api: Api) -> None:
    await sign_up(api, "ada@example.com")
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    await db.execute("UPDATE customers SET password_hash = $1", weak)
    await login(api, "ada@example.com", OTHER_PASSWORD)
    assert await db.fetchval("SELECT password_hash FROM customers") == weak
    assert codes(await login(api, "ada@example.com")) == []
    renewed = await db.fetchval("SELECT password_hash FROM customers")
    assert renewed != weak
    assert not passwords.needs_rehash(renewed)
    assert codes(await login(api, "ada@example.com")) == []


async def test_many_hashes_at_once_leave_the_event_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[int] = [0, 0]
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Slow:
        def hash(self, password: bytes) -> str:
            at_work[0] += 1
            at_work[1] = max(at_work)
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(timeout=patience(30))
            at_work[0] -= 1
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", Slow())
    hashing = [asyncio.create_task(passwords.hash_password("x" * 10)) for _ in range(6)]
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in hashing)
    release.set()
    assert await asyncio.gather(*hashing) == ["hash"] * 6
    assert at_work[1] <= passwords.AT_ONCE
