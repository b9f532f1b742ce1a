"""What tests of the staff ask the API."""

from typing import Any

from app import db
from app.kit import ids
from tests.client import Api

LOGIN = """
mutation ($email: String!, $password: String!, $otp: String) {
  staffLogin(input: { email: $email, password: $password }, otp: $otp) {
    accessToken refreshToken userErrors { code field }
  }
}
"""
ME = "{ staffMe { id email name permissions secondFactorEnabled role { name isOwner } } }"
ROLE_CREATE = """
mutation ($name: String!, $permissions: [Permission!]!) {
  staffRoleCreate(input: { name: $name, permissions: $permissions }) {
    staffRole { id name permissions isOwner } userErrors { code field }
  }
}
"""
ROLE_UPDATE = """
mutation ($id: ID!, $input: StaffRoleUpdateInput!) {
  staffRoleUpdate(id: $id, input: $input) { staffRole { id permissions } userErrors { code field } }
}
"""
ROLE_DELETE = "mutation ($id: ID!) { staffRoleDelete(id: $id) { deletedId userErrors { code field } } }"
INVITE = """
mutation ($email: String!, $role: ID!) {
  staffInvite(input: { email: $email, name: "Nell", roleId: $role }) {
    staffInvitation { id email role { name } } userErrors { code field }
  }
}
"""
ACCEPT = """
mutation ($token: String!, $password: String!) {
  staffInvitationAccept(input: { token: $token, password: $password }) { accessToken userErrors { code field } }
}
"""
UPDATE = """
mutation ($id: ID!, $input: StaffUpdateInput!) {
  staffUpdate(id: $id, input: $input) { staffUser { id name role { id } } userErrors { code field } }
}
"""
DEACTIVATE = "mutation ($id: ID!) { staffDeactivate(id: $id) { staffUser { active } userErrors { code field } } }"
REACTIVATE = "mutation ($id: ID!) { staffReactivate(id: $id) { staffUser { active } userErrors { code field } } }"
KEY_CREATE = """
mutation ($permissions: [Permission!]!, $expiresAt: DateTime) {
  apiKeyCreate(input: { name: "ERP", permissions: $permissions, expiresAt: $expiresAt }) {
    key apiKey { id lastCharacters permissions expiresAt lastUsedAt } userErrors { code field }
  }
}
"""
KEY_REVOKE = "mutation ($id: ID!) { apiKeyRevoke(id: $id) { apiKey { revokedAt } userErrors { code field } } }"


async def codes(api: Api, document: str, variables: dict[str, Any], token: str | None) -> list[str]:
    return [error["code"] for error in await api.refused(document, variables, token=token)]


async def my_id(api: Api, token: str) -> str:
    found: str = (await api.ok(ME, token=token))["staffMe"]["id"]
    return found


async def role_of(staff_id: str) -> str:
    role_id = await db.fetchval("SELECT role_id FROM staff_users WHERE id = $1", ids.decode("staff", staff_id))
    return ids.encode("role", role_id)


async def staff_rows() -> list[dict[str, Any]]:
    """Everything that says who may do what."""
    found: list[dict[str, Any]] = []
    for table in ("staff_roles", "staff_users", "staff_invitations", "api_keys"):
        found += [dict(row) for row in await db.fetch(f"SELECT * FROM {table} ORDER BY id")]
    return found
