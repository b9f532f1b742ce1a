"""Zones, classes and rates of tax, exemptions, and what registers said of VAT numbers."""

from tortoise import fields
from tortoise.models import Model

from app.tax.rules import TaxIdState
from app.tax.terms import ShippingTax, TaxEngineFallback, TaxIdCheck, TaxIdFallback


class TaxClassRow(Model):
    """What is taxed alike: standard, reduced, zero, …; one is the default."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    code = fields.CharField(max_length=64, unique=True)
    is_default = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "tax_classes"


class TaxZoneRow(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    locations = fields.JSONField[list[dict[str, object]]](default=list)
    """As those of shipping zones; shape in `app.addresses.locations`."""
    shipping = fields.CharEnumField(ShippingTax, max_length=16, null=True)
    """NULL is the shop's own choice."""
    position = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "tax_zones"


class TaxRateRow(Model):
    id = fields.UUIDField(primary_key=True)
    zone: fields.ForeignKeyRelation[TaxZoneRow] = fields.ForeignKeyField(
        "tradewind.TaxZoneRow", related_name="rates", on_delete=fields.CASCADE
    )
    tax_class: fields.ForeignKeyRelation[TaxClassRow] = fields.ForeignKeyField(
        "tradewind.TaxClassRow", related_name="rates", on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=120)
    percentage = fields.DecimalField(max_digits=9, decimal_places=6)
    """Of 100: 9.975 for Quebec's QST."""
    compound = fields.BooleanField(default=False)
    """Levied on the price and on the rates before it."""
    code = fields.CharField(max_length=64, null=True)
    """For the bookkeeping."""
    position = fields.IntField(default=0)

    class Meta:
        table = "tax_rates"


class TaxSettingsRow(Model):
    """The shop's one row, once anything was set; what its columns mean is told in `app.tax.terms`."""

    id = fields.SmallIntField(primary_key=True)
    """Always 1."""
    home_country_code = fields.CharField(max_length=2, null=True)
    tax_id = fields.CharField(max_length=32, null=True)
    gross_price_stays = fields.BooleanField(default=True)
    untaxed_price_stays = fields.BooleanField(default=False)
    shipping = fields.CharEnumField(ShippingTax, max_length=16, default=ShippingTax.AS_GOODS)
    shipping_class_id = fields.UUIDField(null=True)
    gift_wrap_class_id = fields.UUIDField(null=True)
    tax_id_check = fields.CharEnumField(TaxIdCheck, max_length=8, default=TaxIdCheck.FORMAT)
    tax_id_fallback = fields.CharEnumField(TaxIdFallback, max_length=16, default=TaxIdFallback.CHARGE_TAX)
    engine = fields.CharField(max_length=64, null=True)
    engine_configuration = fields.JSONField[dict[str, str]](default=dict)
    engine_credentials = fields.BinaryField(null=True)
    """Encrypted under the key ring."""
    engine_timeout_ms = fields.IntField(default=2000)
    engine_fallback = fields.CharEnumField(TaxEngineFallback, max_length=16, default=TaxEngineFallback.OWN_RATES)
    updated_at = fields.DatetimeField()

    class Meta:
        table = "tax_settings"


class TaxExemptionRow(Model):
    """Of a customer's account, or of a company."""

    id = fields.UUIDField(primary_key=True)
    customer_id = fields.UUIDField(null=True)
    company_id = fields.UUIDField(null=True)
    country_code = fields.CharField(max_length=2, null=True)
    province_code = fields.CharField(max_length=64, null=True)
    certificate_number = fields.CharField(max_length=64)
    valid_until = fields.DateField(null=True)
    """The last day on which it holds, in the shop's time zone."""
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "tax_exemptions"


class TaxIdCheckRow(Model):
    """One question to a register, and its answer: the proof that the shop kept its duty of care."""

    id = fields.UUIDField(primary_key=True)
    tax_id = fields.CharField(max_length=32)
    state = fields.CharEnumField(TaxIdState, max_length=16)
    requested_at = fields.DatetimeField()
    checked_at = fields.DatetimeField(null=True)
    consultation_number = fields.CharField(max_length=64, null=True)
    """What the register calls the consultation: VIES gives one to those who name their own number."""
    requester = fields.CharField(max_length=32, null=True)
    """The seller's number that was named."""

    class Meta:
        table = "tax_id_checks"
