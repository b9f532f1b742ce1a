"""The second factor of staff: codes of an app, each good once, and recovery codes."""

from typing import Any

import pyotp
import pytest

from app import db
from app.staff import limits, second_factor, service
from app.staff.permissions import Permission
from tests.api.staff_operations import LOGIN, ME, codes
from tests.client import Api
from tests.factories import shop, staff

OWNER = {"email": "owner@example.com", "password": "a-long-password"}
SET_UP = """mutation ($password: String!) {
    staffSecondFactorSetUp(password: $password) { secret provisioningUri userErrors { code field } } }"""
CONFIRM = """mutation ($code: String!) {
    staffSecondFactorConfirm(code: $code) { recoveryCodes userErrors { code field } } }"""
DISABLE = "mutation ($code: String!) { staffSecondFactorDisable(code: $code) { userErrors { code field } } }"
RENEW = """mutation ($code: String!) {
    staffRecoveryCodesRenew(code: $code) { recoveryCodes userErrors { code field } } }"""
RESET = (
    "mutation ($id: ID!) { staffSecondFactorReset(id: $id) { staffUser { secondFactorEnabled } userErrors { code } } }"
)


async def now() -> int:
    seconds: int = await db.fetchval("SELECT extract(epoch FROM clock_timestamp())::bigint")
    return seconds


class Phone:
    """An authenticator app. Its codes go on by a step each time, so that none is shown twice."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)

    async def code(self, *, steps: int = 0) -> str:
        """Of now, or of so many steps later. The last used one is forgotten, as if half a minute had passed."""
        await db.execute("UPDATE staff_users SET totp_last_step = NULL")
        return self._totp.at(await now() + 30 * steps)

    async def same_code(self) -> str:
        return self._totp.at(await now())


@pytest.fixture
async def token(api: Api) -> str:
    await shop.shop()
    await service.create_owner(OWNER["email"], "Olive", OWNER["password"])
    signed_in: str = (await api.ok(LOGIN, OWNER))["staffLogin"]["accessToken"]
    return signed_in


async def switched_on(api: Api, token: str) -> tuple[Phone, list[str]]:
    made = (await api.ok(SET_UP, {"password": OWNER["password"]}, token=token))["staffSecondFactorSetUp"]
    phone = Phone(made["secret"])
    confirmed = await api.ok(CONFIRM, {"code": await phone.code()}, token=token)
    return phone, confirmed["staffSecondFactorConfirm"]["recoveryCodes"]


async def sign_in_codes(api: Api, **more: Any) -> list[str]:
    """Why it was refused; nothing where it was not."""
    answer = (await api.query(LOGIN, {**OWNER, **more})).data or {}
    return [error["code"] for error in answer["staffLogin"]["userErrors"]]


async def test_signing_in_asks_for_a_code_once_it_was_confirmed(api: Api, token: str) -> None:
    made = (await api.ok(SET_UP, {"password": OWNER["password"]}, token=token))["staffSecondFactorSetUp"]
    assert made["provisioningUri"].startswith("otpauth://totp/Tradewind%20Supply:owner%40example.com?secret=")
    await api.ok(LOGIN, OWNER)
    phone = Phone(made["secret"])
    await api.ok(CONFIRM, {"code": await phone.code()}, token=token)
    assert await sign_in_codes(api) == ["SECOND_FACTOR_REQUIRED"]
    assert await sign_in_codes(api, otp="  ") == ["SECOND_FACTOR_REQUIRED"]
    await api.ok(LOGIN, {**OWNER, "otp": await phone.code()})
    assert (await api.ok(ME, token=token))["staffMe"]["secondFactorEnabled"] is True


async def test_a_wrong_password_says_nothing_of_a_second_factor(api: Api, token: str) -> None:
    phone, _ = await switched_on(api, token)
    assert await sign_in_codes(api, password="another-password") == ["INVALID_CREDENTIALS"]
    right = {"password": "another-password", "otp": await phone.code()}
    assert await sign_in_codes(api, **right) == ["INVALID_CREDENTIALS"]
    await api.ok(LOGIN, {**OWNER, "otp": await phone.same_code()})


async def test_no_code_is_good_twice(api: Api, token: str) -> None:
    phone, _ = await switched_on(api, token)
    code = await phone.code()
    await api.ok(LOGIN, {**OWNER, "otp": code})
    before = await db.fetchval("SELECT count(*) FROM sessions")
    assert await sign_in_codes(api, otp=code) == ["SECOND_FACTOR_INVALID"]
    assert await codes(api, DISABLE, {"code": code}, token) == ["SECOND_FACTOR_INVALID"]
    assert await db.fetchval("SELECT count(*) FROM sessions") == before


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_clock_may_be_a_step_off(api: Api, token: str, steps: int, good: bool) -> None:
    phone, _ = await switched_on(api, token)
    # A step may end between making a code and using it: then the window has moved, and this one says nothing.
    while True:
        begun, code = await now() // 30, await phone.code(steps=steps)
        answered = await sign_in_codes(api, otp=code)
        if await now() // 30 == begun:
            break
    assert answered == ([] if good else ["SECOND_FACTOR_INVALID"])


async def test_a_recovery_code_stands_in_once(api: Api, token: str) -> None:
    _, recovery = await switched_on(api, token)
    assert len(set(recovery)) == second_factor.RECOVERY_CODES
    await api.ok(LOGIN, {**OWNER, "otp": recovery[0].upper().replace("-", " ")})
    assert await sign_in_codes(api, otp=recovery[0]) == ["SECOND_FACTOR_INVALID"]
    renewed = await api.ok(RENEW, {"code": recovery[1]}, token=token)
    assert await sign_in_codes(api, otp=recovery[2]) == ["SECOND_FACTOR_INVALID"]
    await api.ok(LOGIN, {**OWNER, "otp": renewed["staffRecoveryCodesRenew"]["recoveryCodes"][0]})


async def test_switching_on_ends_other_sessions_and_needs_the_password(api: Api, token: str) -> None:
    other = (await api.ok(LOGIN, OWNER))["staffLogin"]["accessToken"]
    assert await codes(api, SET_UP, {"password": "another-password"}, token) == ["INVALID_CREDENTIALS"]
    assert await db.fetchval("SELECT totp_secret IS NULL FROM staff_users") is True
    await switched_on(api, token)
    await api.ok(ME, token=token)
    assert (await api.query(ME, token=other)).codes == ["UNAUTHENTICATED"]
    assert await codes(api, SET_UP, {"password": OWNER["password"]}, token) == ["CONFLICT"]


async def test_switching_off_needs_a_code(api: Api, token: str) -> None:
    phone, _ = await switched_on(api, token)
    assert await codes(api, DISABLE, {"code": "000000"}, token) == ["SECOND_FACTOR_INVALID"]
    assert await sign_in_codes(api) == ["SECOND_FACTOR_REQUIRED"]
    await api.ok(DISABLE, {"code": await phone.code()}, token=token)
    await api.ok(LOGIN, OWNER)
    assert await db.fetchval("SELECT count(*) FROM staff_recovery_codes") == 0


async def test_owners_reset_that_of_a_colleague_and_nobody_else_does(api: Api, token: str) -> None:
    await switched_on(api, token)
    olive = (await api.ok(ME, token=token))["staffMe"]["id"]
    colleague, everything = await staff.owner(), await staff.signed_in(set(Permission))
    assert await codes(api, RESET, {"id": olive}, token) == ["OWN_ROLE"]
    assert await codes(api, RESET, {"id": olive}, everything) == ["FORBIDDEN"]
    assert await sign_in_codes(api) == ["SECOND_FACTOR_REQUIRED"]
    await api.ok(RESET, {"id": olive}, token=colleague)
    assert (await api.query(ME, token=token)).codes == ["UNAUTHENTICATED"]
    await api.ok(LOGIN, OWNER)


async def test_wrong_codes_are_limited_and_keep_nobody_else_out(
    api: Api, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODES_PER_CLIENT", 2)
    phone, _ = await switched_on(api, token)
    wrong = [(await sign_in_codes(api, otp="000000"))[0] for _ in range(3)]
    assert wrong == ["SECOND_FACTOR_INVALID", "SECOND_FACTOR_INVALID", "RATE_LIMITED"]
    assert await sign_in_codes(api, otp=await phone.code()) == ["RATE_LIMITED"]


async def test_the_secret_is_stored_encrypted_and_codes_as_hashes(api: Api, token: str) -> None:
    made = (await api.ok(SET_UP, {"password": OWNER["password"]}, token=token))["staffSecondFactorSetUp"]
    confirmed = await api.ok(CONFIRM, {"code": await Phone(made["secret"]).code()}, token=token)
    stored = bytes(await db.fetchval("SELECT totp_secret FROM staff_users"))
    assert made["secret"].encode() not in stored
    log = " ".join(str(dict(row)) for row in await db.fetch("SELECT before, after FROM audit_changes"))
    hidden = [made["secret"], *confirmed["staffSecondFactorConfirm"]["recoveryCodes"], stored.hex()]
    assert not [secret for secret in hidden if secret in log]
    hashes = await db.fetch("SELECT code_hash FROM staff_recovery_codes")
    assert all(len(row["code_hash"]) == 32 for row in hashes)
