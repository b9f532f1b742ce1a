"""What a product may be sold with and to whom, beside its price and stock. No row means no terms."""

from enum import StrEnum

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class CustomizationType(StrEnum):
    TEXT = "TEXT"
    TEXTAREA = "TEXTAREA"
    CHOICE = "CHOICE"
    CHECKBOX = "CHECKBOX"
    NUMBER = "NUMBER"
    DATE = "DATE"


class AgeCheck(StrEnum):
    DECLARATION = "DECLARATION"
    BIRTH_DATE = "BIRTH_DATE"


class ProductTerms(Model):
    product_id = fields.UUIDField(primary_key=True)
    customizations = fields.JSONField[list[dict[str, object]]](default=list, db_default="[]")
    """Definitions in the order to show them in; shape in `customizations.py`."""
    minimum_quantity = fields.IntField(null=True)
    """Units over all lines of the product in one order; likewise the two below."""
    maximum_quantity = fields.IntField(null=True)
    quantity_step = fields.IntField(null=True)
    minimum_age = fields.IntField(null=True)
    """Years."""
    allowed_regions = ArrayField(element_type="text", default=list, db_default="{}")
    """`US`, or `US-CA` for a province; empty allows all."""
    forbidden_regions = ArrayField(element_type="text", default=list, db_default="{}")
    updated_at = fields.DatetimeField()

    class Meta:
        table = "product_terms"
