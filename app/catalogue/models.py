"""Products, their options, variants and images, and the collections they stand in."""

from enum import StrEnum

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class ProductStatus(StrEnum):
    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class ProductKind(StrEnum):
    PHYSICAL = "PHYSICAL"
    DIGITAL = "DIGITAL"
    SERVICE = "SERVICE"
    GIFT_CARD = "GIFT_CARD"


class InventoryPolicy(StrEnum):
    DENY = "DENY"
    CONTINUE = "CONTINUE"


class Product(Model):
    id = fields.UUIDField(primary_key=True)
    slug = fields.CharField(max_length=255, unique=True)
    name = fields.CharField(max_length=255)
    status = fields.CharEnumField(ProductStatus, max_length=16, default=ProductStatus.DRAFT)
    kind = fields.CharEnumField(ProductKind, max_length=16, default=ProductKind.PHYSICAL)
    description = fields.TextField(default="")
    """Plain text."""
    description_html = fields.TextField(default="")
    """Sanitised HTML."""
    vendor = fields.CharField(max_length=255, null=True)
    product_type = fields.CharField(max_length=255, null=True)
    tags = ArrayField(element_type="text", default=list)
    seo_title = fields.CharField(max_length=255, null=True)
    seo_description = fields.TextField(null=True)
    metadata = fields.JSONField[dict[str, object]](default=dict)
    tax_class_id = fields.UUIDField(null=True)
    """NULL is the default class."""
    min_price_minor = fields.BigIntField(default=0)
    max_price_minor = fields.BigIntField(default=0)
    """Range over the variants, in the shop's currency; kept by every write to variants."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "products"


class ProductOption(Model):
    id = fields.UUIDField(primary_key=True)
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "tradewind.Product", related_name="options", on_delete=fields.CASCADE
    )
    position = fields.SmallIntField()
    name = fields.CharField(max_length=255)
    values = ArrayField(element_type="text", default=list)

    class Meta:
        table = "product_options"


class ProductImage(Model):
    id = fields.UUIDField(primary_key=True)
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "tradewind.Product", related_name="images", on_delete=fields.CASCADE
    )
    position = fields.IntField()
    url = fields.TextField()
    """Absolute, or a path below the API's public URL."""
    alt_text = fields.TextField(null=True)
    width = fields.IntField(null=True)
    height = fields.IntField(null=True)

    class Meta:
        table = "product_images"


class ProductVariant(Model):
    id = fields.UUIDField(primary_key=True)
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "tradewind.Product", related_name="variants", on_delete=fields.CASCADE
    )
    position = fields.IntField()
    name = fields.CharField(max_length=800)
    """Its option values, such as "M / Navy"; the product's name where there are no options."""
    option_values = ArrayField(element_type="text", default=list)
    """One for each of the product's options, in their order; unique within the product."""
    sku = fields.CharField(max_length=255, null=True)
    barcode = fields.CharField(max_length=255, null=True)
    price_minor = fields.BigIntField()
    compare_at_price_minor = fields.BigIntField(null=True)
    cost_minor = fields.BigIntField(null=True)
    weight_grams = fields.IntField(default=0)
    requires_shipping = fields.BooleanField(default=True)
    taxable = fields.BooleanField(default=True)
    track_inventory = fields.BooleanField(default=True)
    inventory_policy = fields.CharEnumField(InventoryPolicy, max_length=16, default=InventoryPolicy.DENY)
    image: fields.ForeignKeyNullableRelation[ProductImage] = fields.ForeignKeyField(
        "tradewind.ProductImage", related_name="variants", null=True, on_delete=fields.SET_NULL
    )
    metadata = fields.JSONField[dict[str, object]](default=dict)
    removed_at = fields.DatetimeField(null=True)
    """Taken out of the product: nobody can buy it, but the carts and orders that name it still show it."""
    available_from = fields.DatetimeField(null=True)
    """From when on it is delivered; until then it can be ordered ahead, out of the stock that is stated for it."""
    restock_expected_at = fields.DatetimeField(null=True)
    """When units that are back-ordered are expected to come in."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "product_variants"


class Collection(Model):
    id = fields.UUIDField(primary_key=True)
    slug = fields.CharField(max_length=255, unique=True)
    name = fields.CharField(max_length=255)
    description = fields.TextField(default="")
    description_html = fields.TextField(default="")
    image_url = fields.TextField(null=True)
    image_alt_text = fields.TextField(null=True)
    seo_title = fields.CharField(max_length=255, null=True)
    seo_description = fields.TextField(null=True)
    is_published = fields.BooleanField(default=True)
    position = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "collections"


class CollectionProduct(Model):
    id = fields.UUIDField(primary_key=True)
    collection: fields.ForeignKeyRelation[Collection] = fields.ForeignKeyField(
        "tradewind.Collection", related_name="entries", on_delete=fields.CASCADE
    )
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "tradewind.Product", related_name="entries", on_delete=fields.CASCADE
    )
    position = fields.IntField()

    class Meta:
        table = "collection_products"
