"""Postal addresses in the schema."""

from collections.abc import Sequence

import strawberry

from app.addresses.lines import address_lines
from app.addresses.postal import AddressFields, PostalAddress, normalise_address
from schema.scalars import CountryCode


@strawberry.input(
    description="A postal address. What it needs besides these fields depends on its country; what the country's "
    "addresses do not carry is left out."
)
class AddressInput:
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="Given name.")
    last_name: str = strawberry.field(description="Family name, or the only one.")
    company: str | None = strawberry.field(default=strawberry.UNSET, description="Company or institution.")
    address1: str = strawberry.field(description="Street and number, or the post box.")
    address2: str | None = strawberry.field(default=strawberry.UNSET, description="Flat, floor, building.")
    city: str = strawberry.field(description="Town or city.")
    province_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="State, province or prefecture: `CA`, `US-CA` or `California`."
    )
    postal_code: str | None = strawberry.field(default=strawberry.UNSET, description="Postal code or ZIP.")
    country_code: CountryCode = strawberry.field(description="The country.")
    phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="For the carrier; in international form, or as dialled in the country."
    )

    def parsed(self, at: Sequence[str]) -> PostalAddress:
        """Checked and written as its country does. Raises DomainErrors, each with its field below `at`."""
        return normalise_address(
            AddressFields(
                first_name=self.first_name or None,
                last_name=self.last_name,
                company=self.company or None,
                address1=self.address1,
                address2=self.address2 or None,
                city=self.city,
                province_code=self.province_code or None,
                postal_code=self.postal_code or None,
                country_code=self.country_code,
                phone=self.phone or None,
            ),
            at,
        )


def _formatted(self: "Address") -> list[str]:
    """Written where somebody asks for it."""
    return address_lines(self.postal)


@strawberry.type(description="A postal address, written as its country does.")
class Address:
    first_name: str | None = strawberry.field(description="Given name.")
    last_name: str = strawberry.field(description="Family name, or the only one.")
    company: str | None = strawberry.field(description="Company or institution.")
    address1: str = strawberry.field(description="Street and number, or the post box.")
    address2: str | None = strawberry.field(description="Flat, floor, building.")
    city: str = strawberry.field(description="Town or city.")
    province_code: str | None = strawberry.field(
        description="State, province or prefecture: the last part of its ISO 3166-2 code."
    )
    province: str | None = strawberry.field(description="Its name.")
    postal_code: str | None = strawberry.field(description="With the country's spaces and hyphens.")
    country_code: CountryCode = strawberry.field(description="The country.")
    phone: str | None = strawberry.field(description="In international form, E.164.")
    formatted: list[str] = strawberry.field(
        resolver=_formatted, description="Its lines, as the country prints them on a label."
    )
    postal: strawberry.Private[PostalAddress]

    @classmethod
    def of(cls, address: PostalAddress) -> "Address":
        return cls(
            first_name=address.first_name,
            last_name=address.last_name,
            company=address.company,
            address1=address.address1,
            address2=address.address2,
            city=address.city,
            province_code=address.province_code,
            province=address.province,
            postal_code=address.postal_code,
            country_code=CountryCode(address.country_code),
            phone=address.phone,
            postal=address,
        )
