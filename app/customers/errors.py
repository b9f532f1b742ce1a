"""What can be wrong with a request about a person and what they agreed to."""

from app.errors import ErrorCode


class CustomerErrorCode(ErrorCode):
    CONSENT_TEXT_UNKNOWN = "The shop holds no such wording; `Shop.consentTexts` has those that can be agreed to."
    CONSENT_TEXT_OF_ANOTHER_CHANNEL = "The wording is for another channel than the consent."
    CONSENT_ADDRESS_MISSING = "Consent for a channel needs an address or number there."
