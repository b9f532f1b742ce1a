"""Who buys: checked and normalised before it is kept."""

from typing import TypedDict

from app.addresses.contact import normalise_email, normalise_phone
from app.addresses.countries import country
from app.addresses.errors import AddressErrorCode
from app.cart.warnings import CartWarning, WarningCode
from app.errors import DomainError, DomainErrors
from app.tax.tax_ids import normalise_tax_id


class BuyerIdentity(TypedDict, total=False):
    """What is given changes; None takes it out of the cart."""

    email: str | None
    phone: str | None
    country_code: str | None
    tax_id: str | None


def checked_identity(given: BuyerIdentity, country_in_cart: str | None = None) -> BuyerIdentity:
    """The same as it is stored; a phone number in national form is read as one of the buyer's country.

    Raises:
        DomainErrors: INVALID_EMAIL, INVALID_PHONE, INVALID_COUNTRY, INVALID_TAX_ID, REQUIRED for blank text,
            TOO_LONG; field paths are within the identity.
    """
    errors: list[DomainError] = []
    checked: BuyerIdentity = given.copy()
    country_code = given.get("country_code", country_in_cart)
    if country_code is not None and country(country_code) is None:
        message = f"There is no country {country_code}."
        errors.append(DomainError(AddressErrorCode.INVALID_COUNTRY, message, ["countryCode"]))
        country_code = None
    if (email := given.get("email")) is not None:
        try:
            checked["email"] = normalise_email(email, ["email"])
        except DomainError as error:
            errors.append(error)
    if (phone := given.get("phone")) is not None:
        try:
            checked["phone"] = normalise_phone(phone, country_code, ["phone"])
        except DomainError as error:
            errors.append(error)
    if (tax_id := given.get("tax_id")) is not None:
        try:
            checked["tax_id"] = normalise_tax_id(tax_id, country_code, ["taxId"])
        except DomainError as error:
            errors.append(error)
    if errors:
        raise DomainErrors(errors)
    return checked


def country_warnings(given: BuyerIdentity, served: list[str]) -> list[CartWarning]:
    """The cart is kept all the same: not everything ships, and the address may be another one in the end."""
    country_code = given.get("country_code")
    if country_code is None or country_code in served:
        return []
    return [CartWarning(WarningCode.COUNTRY_NOT_SERVED, "The shop does not ship to this country.", ["countryCode"])]
