"""What a client can have got wrong about an address."""

from app.errors import ErrorCode


class AddressErrorCode(ErrorCode):
    INVALID_COUNTRY = "Not a country in ISO 3166-1 alpha-2."
    INVALID_PROVINCE = "The country has no such state, province, prefecture or county."
    INVALID_POSTAL_CODE = "The postal code is malformed for its country, or lies in another province."
    INVALID_EMAIL = "Not an email address that mail can be sent to."
    INVALID_PHONE = "Not a phone number of the country, nor one in international form."
