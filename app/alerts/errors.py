"""What can be wrong with a request for an alert."""

from app.errors import ErrorCode


class AlertErrorCode(ErrorCode):
    ALERT_CONTACT_MISSING = "There is nobody to write to: give an email, or a cart or visitor whose person has one."
    ALERT_NOT_NEEDED = "The variant can be bought now."
