"""What can be wrong with a request about messages."""

from app.errors import ErrorCode


class MessagingErrorCode(ErrorCode):
    MESSAGE_PENDING = "The message, or an earlier repetition of it, is still on its way."
    MESSAGE_OBSOLETE = "What the message says is no longer true, or it may not be repeated."
