"""What can be wrong with what staff ask about themselves and each other."""

from app.errors import ErrorCode


class StaffErrorCode(ErrorCode):
    SECOND_FACTOR_REQUIRED = "The password is right; send `otp` too, from the authenticator app or a recovery code."
    SECOND_FACTOR_INVALID = "The code is wrong, has expired or was used already; wait for the next one."
    PERMISSION_NOT_HELD = "Nobody gives, takes or touches what they may not do themselves."
    OWN_ROLE = "This is about yourself; a colleague has to do it."
    OWNER_ROLE_FIXED = "The role of owners holds every permission; it is neither changed nor deleted."
    ROLE_IN_USE = "Somebody has this role, or is invited to it; give them another one first."
