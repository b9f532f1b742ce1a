"""Documents about accounts that several test files send."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.client import Api
from tests.factories import account_mails

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


VERIFY = f"""
    mutation ($token: String!, $password: String) {{
        customerEmailVerify(token: $token, password: $password) {{ {AUTH} }}
    }}
"""
RESET_SEND = "mutation ($email: String!) { customerPasswordResetSend(email: $email) { accepted userErrors { code } } }"
RESET = f"""
    mutation ($token: String!, $password: String!) {{
        customerPasswordReset(token: $token, password: $password) {{ {AUTH} }}
    }}
"""
LINK_SEND = "mutation ($email: String!) { customerSignInLinkSend(email: $email) { accepted userErrors { code } } }"
LINK = f"""
    mutation ($token: String!, $cart: ID) {{ customerSignInWithLink(token: $token, cartId: $cart) {{ {AUTH} }} }}
"""
VERIFICATION_SEND = "mutation { customerEmailVerificationSend { accepted userErrors { code } } }"
EMAIL_UPDATE = """
    mutation ($email: String!, $password: String) {
        customerEmailUpdate(newEmail: $email, password: $password) { accepted userErrors { code field } }
    }
"""
EMAIL_CONFIRM = """
    mutation ($token: String!, $password: String) {
        customerEmailUpdateConfirm(token: $token, password: $password) {
            customer { email emailVerified } userErrors { code field }
        }
    }
"""
PASSWORD_UPDATE = """
    mutation ($current: String, $new: String!) {
        customerPasswordUpdate(currentPassword: $current, newPassword: $new) {
            customer { id } userErrors { code field }
        }
    }
"""
DELETE = "mutation ($password: String) { customerDelete(password: $password) { deleted userErrors { code field } } }"
EVERYWHERE = "mutation { logoutEverywhere { ended userErrors { code } } }"
CONSENT = """
    mutation ($consent: [ConsentInput!]!) {
        customerMarketingConsentUpdate(consent: $consent) {
            consent { channel state } userErrors { code field }
        }
    }
"""
UPDATE = """
    mutation ($input: CustomerUpdateInput!) {
        customerUpdate(input: $input) {
            customer { firstName lastName phone language } userErrors { code field }
        }
    }
"""
SESSION_REVOKE = "mutation ($id: ID!) { customerSessionRevoke(id: $id) { ended userErrors { code field } } }"


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def verified(api: Api, drain: Callable[[], Awaitable[None]], email: str, password: str = PASSWORD) -> str:
    """An account whose address was verified by the mail; its access token."""
    token: str = (await sign_up(api, email, password))["accessToken"]
    await drain()
    await api.ok(VERIFY, {"token": (await account_mails.last(email, "account_verify_email")).token}, token=token)
    return token
