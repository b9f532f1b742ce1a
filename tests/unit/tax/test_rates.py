"""Which rates are due: zones, classes, exemptions, reverse charge, exports."""

from decimal import Decimal

import pytest

from app.addresses.locations import Location
from app.addresses.postal import Destination
from app.pricing.amounts import TaxRate
from app.tax.rules import (
    EXPORT,
    REVERSE_CHARGE_GOODS,
    REVERSE_CHARGE_SERVICES,
    Taxation,
    TaxIdState,
    rates_for,
    tax_factor,
    tax_id_counts,
)
from app.tax.terms import NOBODY, Exemption, ShippingTax, TaxBuyer, TaxIdCheck, TaxIdFallback, TaxSettings
from tests.unit.tax.shops import CLASSES, FRANCE, GERMANY, REDUCED, SHIPPING, STANDARD, european, percent, zone

BERLIN = Destination("DE", None, "10115", "Berlin")
PARIS = Destination("FR", None, "75001", "Paris")
NEW_YORK = Destination("US", "NY", "10001", "New York")
FRENCH_BUSINESS = TaxBuyer(tax_id="FR40303265045", tax_id_counts=True)
GERMAN_BUSINESS = TaxBuyer(tax_id="DE136695976", tax_id_counts=True)


def names(rates: tuple[TaxRate, ...]) -> list[str]:
    return [rate.name for rate in rates]


def test_a_shop_without_zones_and_a_buyer_from_nowhere_pay_no_tax() -> None:
    assert rates_for(TaxSettings(), BERLIN, None) == ()
    assert rates_for(european(), None, None) == ()


def test_the_most_specific_zone_has_the_rates() -> None:
    everywhere = zone("*", standard=(percent("Else", "1"),))
    country = zone("US", standard=(percent("Country", "2"),))
    state = zone("US-NY", standard=(percent("State", "4"),))
    city = zone(Location(country="US", provinces=("NY",), postal_codes=("100*",)), standard=(percent("City", "8.875"),))
    shop = TaxSettings(classes=CLASSES, zones=(everywhere, country, state, city))

    assert names(rates_for(shop, NEW_YORK, STANDARD)) == ["City"]
    assert names(rates_for(shop, Destination("US", "NY", "14201"), STANDARD)) == ["State"]
    assert names(rates_for(shop, Destination("US", "NY"), STANDARD)) == ["State"]
    assert names(rates_for(shop, Destination("US"), STANDARD)) == ["Country"]
    assert names(rates_for(shop, Destination("BR"), STANDARD)) == ["Else"]


def test_a_product_without_class_has_the_default_one_and_a_class_without_rate_is_not_taxed() -> None:
    shop = TaxSettings(classes=CLASSES, zones=(FRANCE,))
    assert rates_for(shop, PARIS, None) == rates_for(shop, PARIS, STANDARD) == (percent("VAT", "20"),)
    assert rates_for(shop, PARIS, REDUCED) == (percent("VAT", "5.5"),)
    assert rates_for(shop, PARIS, SHIPPING) == ()


def test_business_in_another_member_state_accounts_for_the_tax_itself() -> None:
    assert rates_for(european(), PARIS, STANDARD, FRENCH_BUSINESS) == (REVERSE_CHARGE_GOODS,)
    assert rates_for(european(), PARIS, STANDARD, FRENCH_BUSINESS, services=True) == (REVERSE_CHARGE_SERVICES,)
    assert REVERSE_CHARGE_GOODS.reverse_charge
    assert REVERSE_CHARGE_GOODS.rate == 0


@pytest.mark.parametrize(
    ("destination", "buyer", "percentage"),
    [
        (BERLIN, GERMAN_BUSINESS, "19"),  # business at home pays VAT
        (BERLIN, FRENCH_BUSINESS, "19"),  # goods that stay at home bear its VAT
        (PARIS, GERMAN_BUSINESS, "20"),  # a number of the seller's own country shows no business elsewhere
        (PARIS, TaxBuyer(tax_id="FR40303265045"), "20"),  # a number that does not count
        (PARIS, TaxBuyer(tax_id="GB980780684", tax_id_counts=True), "20"),  # from outside the Union
        (PARIS, TaxBuyer(tax_id="CHE107787577", tax_id_counts=True), "20"),
    ],
)
def test_others_pay_the_tax(destination: Destination, buyer: TaxBuyer, percentage: str) -> None:
    assert rates_for(european(), destination, STANDARD, buyer) == (percent("VAT", percentage),)


def test_no_reverse_charge_from_a_seller_outside_the_union_or_unknown() -> None:
    assert rates_for(european(home="CH"), PARIS, STANDARD, FRENCH_BUSINESS) == (percent("VAT", "20"),)
    shop = TaxSettings(classes=CLASSES, zones=(FRANCE,))
    assert rates_for(shop, PARIS, STANDARD, FRENCH_BUSINESS) == (percent("VAT", "20"),)


def test_northern_ireland_is_a_member_state_for_goods_alone() -> None:
    britain = zone("GB", standard="20")
    belfast = Destination("GB", None, "BT1 5GS")
    business = TaxBuyer(tax_id="XI980780684", tax_id_counts=True)
    shop = european(GERMANY, britain)
    assert rates_for(shop, belfast, STANDARD, business) == (REVERSE_CHARGE_GOODS,)
    assert rates_for(shop, belfast, STANDARD, business, services=True) == (percent("VAT", "20"),)
    assert rates_for(shop, Destination("GB", None, "SW1A 1AA"), STANDARD, business) == (percent("VAT", "20"),)


def test_goods_that_leave_the_union_are_an_export_unless_rates_are_set_for_their_destination() -> None:
    zurich = Destination("CH", None, "8001")
    assert rates_for(european(), zurich, STANDARD) == (EXPORT,)
    assert rates_for(european(), zurich, STANDARD, services=True) == ()
    assert rates_for(european(GERMANY, zone("CH", standard="8.1")), zurich, STANDARD) == (percent("VAT", "8.1"),)
    # Switzerland is no export of a shop in the United States, and Austria none of one in Germany.
    assert rates_for(european(home="US"), zurich, STANDARD) == ()
    assert rates_for(european(), Destination("AT"), STANDARD) == ()


def test_parts_of_member_states_outside_the_tax_territory_are_exported_to() -> None:
    canaries = zone(Location(country="ES", postal_codes=("35*", "38*")))
    shop = european(GERMANY, zone("ES", standard="21"), canaries)
    las_palmas = Destination("ES", "GC", "35001")
    assert rates_for(shop, las_palmas, STANDARD) == (EXPORT,)
    assert rates_for(shop, Destination("ES", "M", "28001"), STANDARD) == (percent("VAT", "21"),)


def test_who_is_exempt_pays_nothing_where_the_certificate_holds() -> None:
    shop = TaxSettings(classes=CLASSES, zones=(zone("US-NY", standard="4"), zone("US-CA", standard="7.25")))
    reseller = TaxBuyer(exemptions=(Exemption(country_code="US", province_code="NY", certificate_number="ST-120 88"),))
    assert rates_for(shop, NEW_YORK, STANDARD, reseller) == (TaxRate("Tax exempt, certificate ST-120 88", Decimal(0)),)
    assert rates_for(shop, Destination("US", "CA"), STANDARD, reseller) == (percent("VAT", "7.25"),)
    anywhere = TaxBuyer(exemptions=(Exemption(certificate_number="UN"),))
    assert rates_for(shop, Destination("US", "CA"), STANDARD, anywhere)[0].rate == 0


@pytest.mark.parametrize("state", [None, *TaxIdState])
@pytest.mark.parametrize("check", TaxIdCheck)
@pytest.mark.parametrize("fallback", TaxIdFallback)
def test_when_a_number_counts(state: TaxIdState | None, check: TaxIdCheck, fallback: TaxIdFallback) -> None:
    settings = TaxSettings(tax_id_check=check, tax_id_fallback=fallback)
    expected = (
        check is TaxIdCheck.FORMAT
        or state is TaxIdState.VALID
        or (state is not TaxIdState.INVALID and fallback is TaxIdFallback.ACCEPT)
    )
    assert tax_id_counts(settings, "FR40303265045", state) is expected
    assert not tax_id_counts(settings, "CHE107787577", state)
    assert not tax_id_counts(settings, None, state)


def test_a_compound_rate_is_on_top_of_those_before_it() -> None:
    assert tax_factor((percent("GST", "5"), percent("QST", "9.975"))) == Decimal("1.14975")
    assert tax_factor((percent("GST", "5"), percent("QST", "9.5", compound=True))) == Decimal("1.14975")


def charged(settings: TaxSettings, destination: Destination, buyer: TaxBuyer = NOBODY, *, included: bool = True) -> int:
    taxation = Taxation(settings, destination, buyer, home=Destination("DE"), prices_include_tax=included)
    return taxation.charged(119_00, STANDARD)


def test_an_inclusive_price_stays_at_every_rate_or_its_net_part_does() -> None:
    assert charged(european(), PARIS) == 119_00
    assert charged(european(gross_price_stays=False), PARIS) == 120_00
    assert charged(european(gross_price_stays=False), BERLIN) == 119_00


def test_an_inclusive_price_loses_its_tax_where_none_is_due_unless_the_shop_keeps_it() -> None:
    for settings in (european(), european(gross_price_stays=False)):
        assert charged(settings, PARIS, FRENCH_BUSINESS) == 100_00
        assert charged(settings, Destination("CH")) == 100_00
    keeping = european(untaxed_price_stays=True)
    assert charged(keeping, PARIS, FRENCH_BUSINESS) == charged(keeping, Destination("CH")) == 119_00


def test_a_price_without_tax_is_the_same_everywhere() -> None:
    for destination in (BERLIN, PARIS, Destination("CH")):
        assert charged(european(gross_price_stays=False), destination, included=False) == 119_00


def test_what_is_not_taxable_has_no_rates_and_keeps_its_price() -> None:
    taxation = Taxation(european(), Destination("CH"), home=Destination("DE"), prices_include_tax=True)
    assert taxation.rates(STANDARD, taxable=False) == ()
    assert taxation.charged(50_00, STANDARD, taxable=False) == 50_00


def test_a_zone_has_its_own_word_on_shipping() -> None:
    california = zone("US-CA", standard="7.25", shipping_tax=ShippingTax.NOT_TAXED)
    settings = TaxSettings(classes=CLASSES, zones=(california, zone("US", standard="4")), shipping=ShippingTax.AS_GOODS)
    assert Taxation(settings, Destination("US", "CA")).shipping is ShippingTax.NOT_TAXED
    assert Taxation(settings, NEW_YORK).shipping is ShippingTax.AS_GOODS
    assert Taxation(settings, None).shipping is ShippingTax.AS_GOODS
