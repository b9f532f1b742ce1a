"""Documents about accounts that several test files send."""

from typing import Any

from tests.client import Api

PASSWORD = "a long harbour wall"
OTHER_PASSWORD = "another long wall"
AUTH = """
    customer { id email emailVerified firstName lastName phone hasPassword sessions { id current userAgent } }
    accessToken refreshToken expiresAt cartId warnings { code } userErrors { code field message }
"""
CREATE = f"mutation ($input: CustomerCreateInput!) {{ customerCreate(input: $input) {{ {AUTH} }} }}"
LOGIN = f"mutation ($input: LoginInput!, $cart: ID) {{ customerLogin(input: $input, cartId: $cart) {{ {AUTH} }} }}"
ME = "{ me { id email emailVerified firstName lastName phone language hasPassword active createdAt sessions { id } } }"
REFRESH = """
    mutation ($token: String!) {
        tokenRefresh(refreshToken: $token) { accessToken refreshToken userErrors { code } }
    }
"""
LOGOUT = "mutation { logout { userErrors { code } } }"


async def sign_up(api: Api, email: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """The payload of `customerCreate`: a claim to the address, signed in."""
    given = {"email": email, "password": password, **more}
    payload: dict[str, Any] = (await api.ok(CREATE, {"input": given}))["customerCreate"]
    return payload


async def login(api: Api, email: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """The payload of `customerLogin`, whatever it says."""
    result = await api.query(LOGIN, {"input": {"email": email, "password": password}}, **more)
    assert result.data is not None, result.errors
    payload: dict[str, Any] = result.data["customerLogin"]
    return payload


async def me(api: Api, token: str | None) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await api.ok(ME, token=token))["me"]
    return found
