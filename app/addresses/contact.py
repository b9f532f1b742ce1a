"""Email addresses and phone numbers, normalised for storing, sending and comparing."""

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from app.addresses.errors import AddressErrorCode
from app.errors import CommonErrorCode, DomainError

MAX_EMAIL_CHARS = 254
MAX_PHONE_CHARS = 32


def normalise_email(text: str, field: list[str | int] | None = None) -> str:
    """The address as mail servers take it: the domain in lower case and in ASCII (IDNA), the rest as typed.

    Nothing is looked up: whether the domain receives mail shows when mail is sent. Letters outside ASCII before
    the @ are refused, since a confirmation to them needs SMTPUTF8, which most servers on the way do not offer.

    Raises:
        DomainError: REQUIRED for blank text, TOO_LONG, INVALID_EMAIL.
    """
    address = text.strip(" ")
    if not address:
        raise DomainError(CommonErrorCode.REQUIRED, "Enter an email address.", field)
    if len(address) > MAX_EMAIL_CHARS:
        message = f"An email address has at most {MAX_EMAIL_CHARS} characters."
        raise DomainError(CommonErrorCode.TOO_LONG, message, field)
    try:
        # test_environment lets the reserved domain .test pass, which developers and their tests use.
        checked = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, strict=True, test_environment=True
        )
    except EmailNotValidError as problem:
        raise DomainError(AddressErrorCode.INVALID_EMAIL, str(problem), field) from None
    if "=?" in checked.local_part:
        # An encoded word of RFC 2047: readers and writers of mail headers would not take it for what it is.
        raise DomainError(AddressErrorCode.INVALID_EMAIL, "The part before the @-sign cannot contain =?.", field)
    if checked.ascii_email is None or "." not in checked.ascii_domain:
        raise DomainError(AddressErrorCode.INVALID_EMAIL, "The part after the @-sign needs a period.", field)
    if len(checked.ascii_email) > MAX_EMAIL_CHARS:
        message = f"An email address has at most {MAX_EMAIL_CHARS} characters."
        raise DomainError(CommonErrorCode.TOO_LONG, message, field)
    return checked.ascii_email


def email_key(text: str) -> str:
    """What two spellings of one mailbox share: every provider of note ignores case before the @ as well.

    For comparing only (`Ada@example.com` finds the order of `ada@example.com`); never for sending.
    """
    try:
        return normalise_email(text).lower()
    except DomainError:
        return text.strip().lower()


def normalise_phone(text: str, country_code: str | None = None, field: list[str | int] | None = None) -> str:
    """The number in E.164 (`+442079460018`); national forms are read as those of `country_code`.

    Numbers of a possible length pass even in ranges that nobody is known to own: ranges open every month, and an
    unreachable phone must not stop a checkout.

    Raises:
        DomainError: REQUIRED for blank text, TOO_LONG, INVALID_PHONE.
    """
    number = text.strip(" ")
    if not number:
        raise DomainError(CommonErrorCode.REQUIRED, "Enter a phone number.", field)
    if len(number) > MAX_PHONE_CHARS:
        message = f"A phone number has at most {MAX_PHONE_CHARS} characters."
        raise DomainError(CommonErrorCode.TOO_LONG, message, field)
    hint = "" if number.startswith("+") else ", or start it with + and the country's code"
    invalid = DomainError(AddressErrorCode.INVALID_PHONE, f"Check the phone number{hint}.", field)
    if not number.isprintable():
        raise invalid
    try:
        parsed = phonenumbers.parse(number, country_code)
    except phonenumbers.NumberParseException:
        raise invalid from None
    if not phonenumbers.is_possible_number(parsed):
        raise invalid
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
