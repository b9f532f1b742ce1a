"""What can be wrong with a request about one's own data."""

from app.errors import ErrorCode


class PrivacyErrorCode(ErrorCode):
    ADDRESS_NOT_VERIFIED = "The account's address is not verified: follow the link that was mailed, then repeat this."
