"""Staff sign-in: opaque tokens that rotate, and what a stolen one is worth."""

import pytest

from app import db
from app.staff import limits, service
from app.staff.permissions import Permission
from tests.client import Api

LOGIN = """
mutation ($email: String!, $password: String!) {
  staffLogin(input: { email: $email, password: $password }) {
    accessToken refreshToken expiresAt userErrors { code field message }
  }
}
"""
REFRESH = """
mutation ($token: String!) {
  tokenRefresh(refreshToken: $token) { accessToken refreshToken userErrors { code field } }
}
"""
ME = "{ staffMe { name permissions } }"
OWNER = {"email": "owner@example.com", "password": "a-long-password"}


@pytest.fixture
async def owner(api: Api) -> None:
    await service.create_owner(OWNER["email"], "Olive", OWNER["password"])


async def sign_in(api: Api) -> tuple[str, str]:
    pair = (await api.ok(LOGIN, OWNER))["staffLogin"]
    return pair["accessToken"], pair["refreshToken"]


async def test_an_owner_signs_in_and_has_every_permission(api: Api, owner: None) -> None:
    access, _ = await sign_in(api)
    me = (await api.ok(ME, token=access))["staffMe"]
    assert me == {"name": "Olive", "permissions": sorted(permission.value for permission in Permission)}


async def test_the_address_is_found_whatever_its_case(api: Api, owner: None) -> None:
    await api.ok(LOGIN, {**OWNER, "email": " Owner@Example.COM "})


async def test_unknown_address_and_wrong_password_answer_alike(api: Api, owner: None) -> None:
    wrong = await api.refused(LOGIN, {**OWNER, "password": "another-password"})
    unknown = await api.refused(LOGIN, {**OWNER, "email": "nobody@example.com"})
    impossible = await api.refused(LOGIN, {**OWNER, "email": "owner@example.com\x00"})
    assert wrong == unknown == impossible
    assert wrong[0]["code"] == "INVALID_CREDENTIALS"
    assert await db.fetchval("SELECT count(*) FROM sessions") == 0


async def test_a_refresh_token_is_good_for_one_exchange(api: Api, owner: None) -> None:
    _, refresh = await sign_in(api)
    renewed = (await api.ok(REFRESH, {"token": refresh}))["tokenRefresh"]
    await api.ok(ME, token=renewed["accessToken"])
    assert (await api.refused(REFRESH, {"token": refresh}))[0]["code"] == "INVALID_TOKEN"


async def test_a_refresh_token_used_twice_ends_the_whole_session(api: Api, owner: None) -> None:
    access, stolen = await sign_in(api)
    renewed = (await api.ok(REFRESH, {"token": stolen}))["tokenRefresh"]
    await api.refused(REFRESH, {"token": stolen})
    for token in (access, renewed["accessToken"]):
        assert (await api.query(ME, token=token)).codes == ["UNAUTHENTICATED"]
    await api.refused(REFRESH, {"token": renewed["refreshToken"]})


async def test_an_access_token_does_not_refresh(api: Api, owner: None) -> None:
    access, _ = await sign_in(api)
    assert (await api.refused(REFRESH, {"token": access}))[0]["code"] == "INVALID_TOKEN"


async def test_logout_ends_this_session_only(api: Api, owner: None) -> None:
    (first, _), (second, _) = await sign_in(api), await sign_in(api)
    await api.ok("mutation { logout { userErrors { code } } }", token=first)
    assert (await api.query(ME, token=first)).codes == ["UNAUTHENTICATED"]
    await api.ok(ME, token=second)


async def test_an_expired_access_token_is_no_token(api: Api, owner: None) -> None:
    access, _ = await sign_in(api)
    await db.execute("UPDATE session_tokens SET expires_at = clock_timestamp() WHERE kind = 'access'")
    assert (await api.query(ME, token=access)).codes == ["UNAUTHENTICATED"]


async def test_somebody_who_left_is_out_at_once(api: Api, owner: None) -> None:
    access, _ = await sign_in(api)
    await db.execute("UPDATE staff_users SET is_active = false")
    assert (await api.query(ME, token=access)).codes == ["UNAUTHENTICATED"]
    await api.refused(LOGIN, OWNER)


async def test_guessing_is_limited(api: Api, owner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOGINS_PER_EMAIL", 2)
    guess = {**OWNER, "email": "guessed@example.com"}
    codes = [(await api.refused(LOGIN, guess))[0]["code"] for _ in range(4)]
    assert codes == ["INVALID_CREDENTIALS", "INVALID_CREDENTIALS", "RATE_LIMITED", "RATE_LIMITED"]
    await api.ok(LOGIN, OWNER)


async def test_tokens_are_not_stored_in_clear(api: Api, owner: None) -> None:
    access, refresh = await sign_in(api)
    stored = [bytes(row["token_hash"]) for row in await db.fetch("SELECT token_hash FROM session_tokens")]
    assert len(stored) == 2
    assert access.encode() not in stored
    assert refresh.encode() not in stored
