"""The worked examples of docs/taxes.md, as orders and as what they come to by hand."""

from dataclasses import dataclass
from decimal import Decimal

from app.addresses.postal import Destination
from app.kit.money import exponent
from app.pricing.amounts import Discount, LineToPrice, PriceBreak, PricingInput, ShippingToPrice
from app.tax.rules import Taxation
from app.tax.terms import NOBODY, Exemption, ShippingTax, TaxBuyer, TaxSettings
from tests.unit.tax.shops import CLASSES, REDUCED, STANDARD, ZERO, european, percent, zone

Line = tuple[str, int] | tuple[str, int, object]
"""Price of one, how many, and the tax class; the standard one unless said."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """`taxes` and `total` are figured by hand; docs/taxes.md writes the arithmetic out."""

    key: str
    rule: str
    currency: str
    settings: TaxSettings
    destination: Destination
    lines: tuple[Line, ...]
    taxes: tuple[tuple[str, str], ...]
    total: str
    buyer: TaxBuyer = NOBODY
    included: bool = False
    shipping: str | None = None
    off: str | None = None
    rounding_minor: int = 1

    def minor(self, amount: str) -> int:
        return int(Decimal(amount).scaleb(exponent(self.currency)))

    @property
    def order(self) -> PricingInput:
        home = self.settings.home_country_code
        taxation = Taxation(
            self.settings, self.destination, self.buyer, home=Destination(home) if home else None,
            prices_include_tax=self.included,
        )  # fmt: skip
        taxed = taxation.shipping
        return PricingInput(
            currency=self.currency,
            lines=tuple(self._line(place, line, taxation) for place, line in enumerate(self.lines)),
            discounts=(Discount(id="off", label="Off", amount_minor=self.minor(self.off)),) if self.off else (),
            shipping=ShippingToPrice(
                label="Post", price_minor=self.minor(self.shipping), as_goods=taxed is ShippingTax.AS_GOODS
            )
            if self.shipping
            else None,
            prices_include_tax=self.included,
            rounding_minor=self.rounding_minor,
        )

    def _line(self, place: int, line: Line, taxation: Taxation) -> LineToPrice:
        price, quantity = line[0], line[1]
        tax_class = line[2] if len(line) == 3 else STANDARD
        charged = taxation.charged(self.minor(price), tax_class)  # type: ignore[arg-type]
        return LineToPrice(
            id=str(place),
            variant_key=str(place),
            quantity=quantity,
            price_breaks=(PriceBreak(1, charged),),
            tax_rates=taxation.rates(tax_class),  # type: ignore[arg-type]
        )


GERMANY = zone("DE", standard=(percent("VAT 19 %", "19"),), reduced=(percent("VAT 7 %", "7"),))
FRANCE = zone("FR", standard=(percent("VAT 20 %", "20"),), reduced=(percent("VAT 5.5 %", "5.5"),))
BRITAIN = zone("GB", standard=(percent("VAT 20 %", "20"),), zero=(percent("VAT 0 %", "0"),))
SWITZERLAND = zone("CH", standard=(percent("VAT 8.1 %", "8.1"),))
NEW_YORK = zone(
    "US-NY",
    standard=(
        percent("New York State", "4"),
        percent("New York City", "4.5"),
        percent("Metropolitan Commuter District", "0.375"),
    ),
)
CALIFORNIA = zone("US-CA", standard=(percent("California", "7.25"),), shipping_tax=ShippingTax.NOT_TAXED)
QUEBEC = zone("CA-QC", standard=(percent("GST", "5"), percent("QST", "9.975")))
QUEBEC_BEFORE_2013 = zone("CA-QC", standard=(percent("GST", "5"), percent("QST", "9.5", compound=True)))
JAPAN = zone("JP", standard=(percent("Consumption tax 10 %", "10"),), reduced=(percent("Consumption tax 8 %", "8"),))
BAHRAIN = zone("BH", standard=(percent("VAT 10 %", "10"),))

EU = european(GERMANY, FRANCE)
US = TaxSettings(home_country_code="US", classes=CLASSES, zones=(NEW_YORK, CALIFORNIA))
FRENCH_BUSINESS = TaxBuyer(tax_id="FR40303265045", tax_id_counts=True)
GERMAN_BUSINESS = TaxBuyer(tax_id="DE136695976", tax_id_counts=True)
RESELLER = TaxBuyer(exemptions=(Exemption(country_code="US", province_code="NY", certificate_number="ST-120 88"),))
BERLIN, PARIS, ZURICH = Destination("DE", None, "10115"), Destination("FR", None, "75001"), Destination("CH")
NYC, LA, PORTLAND = Destination("US", "NY"), Destination("US", "CA"), Destination("US", "OR")


def only(home: str, *zones: object) -> TaxSettings:
    return TaxSettings(home_country_code=home, classes=CLASSES, zones=zones)  # type: ignore[arg-type]


EXAMPLES = (
    Example(
        key="eu-inclusive", rule="tax inside the price", currency="EUR", settings=EU, destination=BERLIN, included=True,
        lines=(("59.50", 2),), taxes=(("VAT 19 %", "19.00"),), total="119.00",
    ),
    Example(
        key="eu-once", rule="rounded once over the order", currency="EUR", settings=EU, destination=BERLIN,
        included=True, lines=(("9.99", 1), ("9.99", 1), ("9.99", 1)), taxes=(("VAT 19 %", "4.79"),), total="29.97",
    ),
    Example(
        key="eu-mixed-shipping", rule="shipping as the goods", currency="EUR", settings=EU, destination=BERLIN,
        included=True, lines=(("100.00", 1), ("50.00", 1, REDUCED)), shipping="6.00",
        taxes=(("VAT 19 %", "16.61"), ("VAT 7 %", "3.40")), total="156.00",
    ),
    Example(
        key="eu-discount", rule="discounts before tax", currency="EUR", settings=EU, destination=BERLIN, off="10.00",
        lines=(("100.00", 1), ("50.00", 1, REDUCED)), taxes=(("VAT 19 %", "17.73"), ("VAT 7 %", "3.27")),
        total="161.00",
    ),
    Example(
        key="eu-gross-stays", rule="the inclusive price stays", currency="EUR", settings=EU, destination=PARIS,
        included=True, lines=(("119.00", 1),), taxes=(("VAT 20 %", "19.83"),), total="119.00",
    ),
    Example(
        key="eu-net-stays", rule="the net part stays", currency="EUR", destination=PARIS, included=True,
        settings=european(GERMANY, FRANCE, gross_price_stays=False), lines=(("119.00", 1),),
        taxes=(("VAT 20 %", "20.00"),), total="120.00",
    ),
    Example(
        key="eu-reverse-charge", rule="reverse charge", currency="EUR", settings=EU, destination=PARIS, included=True,
        buyer=FRENCH_BUSINESS, lines=(("119.00", 1),),
        taxes=(("Reverse charge, Art. 138 Directive 2006/112/EC", "0.00"),), total="100.00",
    ),
    Example(
        key="eu-business-at-home", rule="business at home pays VAT", currency="EUR", settings=EU, destination=BERLIN,
        included=True, buyer=GERMAN_BUSINESS, lines=(("119.00", 1),), taxes=(("VAT 19 %", "19.00"),), total="119.00",
    ),
    Example(
        key="eu-export", rule="export", currency="EUR", settings=EU, destination=ZURICH, included=True,
        lines=(("119.00", 1),), taxes=(("Export, Art. 146 Directive 2006/112/EC", "0.00"),), total="100.00",
    ),
    Example(
        key="gb-zero-rated", rule="a rate of zero is a rate", currency="GBP", settings=only("GB", BRITAIN),
        destination=Destination("GB"), included=True, lines=(("24.00", 1), ("12.00", 1, ZERO)),
        taxes=(("VAT 20 %", "4.00"), ("VAT 0 %", "0.00")), total="36.00",
    ),
    Example(
        key="us-new-york", rule="several rates at once", currency="USD", settings=US, destination=NYC,
        lines=(("24.99", 2),), shipping="5.99",
        taxes=(
            ("New York State", "2.24"),
            ("New York City", "2.52"),
            ("Metropolitan Commuter District", "0.21"),
        ),
        total="60.94",
    ),
    Example(
        key="us-california", rule="shipping is not taxed here", currency="USD", settings=US, destination=LA,
        lines=(("24.99", 2),), shipping="5.99", taxes=(("California", "3.62"),), total="59.59",
    ),
    Example(
        key="us-oregon", rule="no zone, no tax", currency="USD", settings=US, destination=PORTLAND,
        lines=(("24.99", 2),), shipping="5.99", taxes=(), total="55.97",
    ),
    Example(
        key="us-exempt", rule="exemption", currency="USD", settings=US, destination=NYC, buyer=RESELLER,
        lines=(("24.99", 2),), taxes=(("Tax exempt, certificate ST-120 88", "0.00"),), total="49.98",
    ),
    Example(
        key="ca-quebec", rule="side by side", currency="CAD", settings=only("CA", QUEBEC),
        destination=Destination("CA", "QC"), lines=(("100.00", 1),), taxes=(("GST", "5.00"), ("QST", "9.98")),
        total="114.98",
    ),
    Example(
        key="ca-compound", rule="compound", currency="CAD", settings=only("CA", QUEBEC_BEFORE_2013),
        destination=Destination("CA", "QC"), lines=(("100.00", 1),), taxes=(("GST", "5.00"), ("QST", "9.98")),
        total="114.98",
    ),
    Example(
        key="ch-rounding", rule="the total in coins of 0.05", currency="CHF", settings=only("CH", SWITZERLAND),
        destination=ZURICH, included=True, lines=(("12.97", 3),), shipping="7.00", rounding_minor=5,
        taxes=(("VAT 8.1 %", "3.44"),), total="45.90",
    ),
    Example(
        key="jp-half-up", rule="no decimals, halves up", currency="JPY", settings=only("JP", JAPAN),
        destination=Destination("JP"), lines=(("995", 3), ("1250", 1, REDUCED)),
        taxes=(("Consumption tax 10 %", "299"), ("Consumption tax 8 %", "100")), total="4634",
    ),
    Example(
        key="kw-no-tax", rule="three decimals, no tax", currency="KWD", settings=only("KW"),
        destination=Destination("KW"), lines=(("1.250", 3),), taxes=(), total="3.750",
    ),
    Example(
        key="bh-three-decimals", rule="three decimals, halves up", currency="BHD", settings=only("BH", BAHRAIN),
        destination=Destination("BH"), lines=(("1.235", 3),), taxes=(("VAT 10 %", "0.371"),), total="4.076",
    ),
    Example(
        key="stress-exclusive", rule="rounded once over the order", currency="EUR", settings=EU, destination=BERLIN,
        lines=tuple(("0.01", 1) for _ in range(100)), taxes=(("VAT 19 %", "0.19"),), total="1.19",
    ),
    Example(
        key="stress-inclusive", rule="rounded once over the order", currency="EUR", settings=EU, destination=BERLIN,
        included=True, lines=tuple(("0.01", 1) for _ in range(100)), taxes=(("VAT 19 %", "0.16"),), total="1.00",
    ),
)  # fmt: skip
