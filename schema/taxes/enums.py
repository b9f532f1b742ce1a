"""Enums of taxes, described for the schema."""

from app.tax.terms import ShippingTax, TaxEngineFallback, TaxIdCheck, TaxIdFallback
from schema.enums import describe_enum

__all__ = ["ShippingTax", "TaxEngineFallback", "TaxIdCheck", "TaxIdFallback"]

describe_enum(
    ShippingTax,
    "What decides the tax on shipping.",
    AS_GOODS="Shipping is ancillary: it bears the taxes of the goods that ship, in proportion to their value.",
    SHIPPING_CLASS="It has the rates of the class in `taxSettings.shippingClass`.",
    NOT_TAXED="There is none.",
)
describe_enum(
    TaxIdCheck,
    "When the number of a business counts.",
    FORMAT="When its form and its check digits are right.",
    ONLINE="When the register of the European Union (VIES) knows it, which is asked after it was entered.",
)
describe_enum(
    TaxIdFallback,
    "What a number is worth until the register has answered.",
    ACCEPT="It counts: business is not held up, and the shop bears the risk.",
    CHARGE_TAX="It does not: tax is charged.",
)
describe_enum(
    TaxEngineFallback,
    "What happens when the tax engine does not answer in time.",
    OWN_RATES="The shop's own rates are charged, and the order says so (`taxEstimated`).",
    REFUSE="Nothing is sold until it answers: TAX_UNAVAILABLE.",
)
