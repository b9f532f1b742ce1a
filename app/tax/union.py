"""The European Union's territory for VAT: which country's tax a place belongs to.

Source: Council Directive 2006/112/EC, Articles 5 to 7 and 6(1), (2); for Northern Ireland the Windsor Framework, by
which goods (not services) are treated as in a member state.
"""

from app.addresses.postal import Destination
from app.addresses.postal_patterns import PostalPattern, comparable

MEMBERS = frozenset(
    ("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK").split()  # noqa: SIM905
)
"""ISO 3166-1 codes; VAT numbers of Greece begin with EL all the same."""

NORTHERN_IRELAND = "XI"
"""As VAT numbers have it: a part of GB that is a member state for goods."""

_TREATED_AS = {"MC": "FR"}
"""Art. 7: transactions with Monaco are transactions with France."""

_OUTSIDE = {
    # Art. 6(1): inside the customs territory. Åland, Mount Athos, the Canary Islands, the French overseas regions.
    "FI": ("22*",),
    "GR": ("63086",),
    "ES": ("35*", "38*", "51*", "52*"),  # 51, 52: Ceuta and Melilla, Art. 6(2).
    "FR": ("97*", "98*"),
    # Art. 6(2): Heligoland, Büsingen; Livigno. Campione d'Italia lies in Art. 6(1) since 2020.
    "DE": ("27498", "78266"),
    "IT": ("23041", "22061"),
}
"""Parts of member states that are outside the Union for VAT, by postal code. Those with an ISO code of their own (GP,
RE, AX, …) are no members to begin with."""


def member_at(place: Destination, *, services: bool = False) -> str | None:
    """The member state whose VAT a place belongs to, `XI` for Northern Ireland's goods; None outside the Union."""
    code = _TREATED_AS.get(place.country_code, place.country_code)
    postal_code = comparable(place.postal_code, place.country_code)
    if code == "GB" and not services and postal_code is not None and postal_code.startswith("BT"):
        return NORTHERN_IRELAND
    if code not in MEMBERS:
        return None
    if postal_code is not None and any(
        PostalPattern.parse(pattern).specificity(postal_code) is not None for pattern in _OUTSIDE.get(code, ())
    ):
        return None
    return code


def member_of_tax_id(tax_id: str) -> str | None:
    """The member state that gave a VAT number, by its prefix; None for numbers from elsewhere."""
    prefix = tax_id[:2]
    if prefix == "EL":
        return "GR"
    return prefix if prefix in MEMBERS or prefix == NORTHERN_IRELAND else None
