"""Codes of sign-in and tokens."""

from app.errors import ErrorCode


class SessionErrorCode(ErrorCode):
    INVALID_CREDENTIALS = "The email or the password is wrong."
    INVALID_TOKEN = "The refresh token is unknown, expired or used already; sign in again."  # noqa: S105 - a description
