"""What a client can have got wrong about an account."""

from app.errors import ErrorCode


class AccountErrorCode(ErrorCode):
    INVALID_LINK = "The link was used, has expired, or was replaced by a newer one; ask for another."
    ACCOUNT_CLOSED = "The shop has closed this account; write to the shop."
    ALREADY_VERIFIED = "The address of this account is verified already."
    SIGN_IN_AGAIN = "The account has no password, and this session is not new: sign in by a mailed link, then repeat."
