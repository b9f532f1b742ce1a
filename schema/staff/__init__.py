"""Staff: who is signed in, colleagues with their roles, and API keys."""

import strawberry

from schema.staff import operations
from schema.staff.operations import ApiKeyMutations, StaffQueries
from schema.staff.signing_in import LoginInput, LogoutPayload, StaffOwnMutations, StaffSignInMutations, TokenPayload


@strawberry.type
class StaffMutations(StaffSignInMutations, StaffOwnMutations, operations.StaffMutations, ApiKeyMutations):
    pass


__all__ = ["LoginInput", "LogoutPayload", "StaffMutations", "StaffQueries", "TokenPayload"]
