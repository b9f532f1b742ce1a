"""Markets, price lists and groups of customers; how prices come about is told in `app.markets.prices`."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class PriceList(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    currency_code = fields.CharField(max_length=3)
    """Of its prices; never changes."""
    adjustment_percentage = fields.DecimalField(max_digits=9, decimal_places=4, default=0)
    """On the shop's prices: -10 takes a tenth off."""
    exchange_rate = fields.DecimalField(max_digits=24, decimal_places=12, default=1)
    """Units of the list's currency for one unit of the shop's."""
    round_to_minor = fields.BigIntField(default=1)
    ending_minor = fields.BigIntField(default=0)
    """Adjusted prices are a multiple of `round_to_minor` and this: 100 and 99 make prices such as 4.99."""
    factor = fields.DecimalField(max_digits=44, decimal_places=22)
    """Both of the above and the two currencies' digits: from the shop's minor units to the list's."""
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "price_lists"


class PriceListPrice(Model):
    id = fields.UUIDField(primary_key=True)
    price_list_id = fields.UUIDField()
    variant_id = fields.UUIDField()
    min_quantity = fields.IntField(default=1)
    """It holds from this many units of the variant on."""
    price_minor = fields.BigIntField()
    compare_at_price_minor = fields.BigIntField(null=True)
    updated_at = fields.DatetimeField()

    class Meta:
        table = "price_list_prices"


class PriceListProduct(Model):
    """A product with own prices in a list, and what it begins at there. Triggers keep it (migrations 0054, 0055)."""

    id = fields.UUIDField(primary_key=True)
    price_list_id = fields.UUIDField()
    product_id = fields.UUIDField()
    lowest_minor = fields.BigIntField()
    shop_minor = fields.BigIntField()
    """In the shop's own prices; decides between equal ones."""

    class Meta:
        table = "price_list_products"


class Market(Model):
    id = fields.UUIDField(primary_key=True)
    code = fields.CharField(max_length=32, unique=True)
    name = fields.CharField(max_length=120)
    is_default = fields.BooleanField(default=False)
    price_list_id = fields.UUIDField(null=True)
    """Without one, the shop's prices and currency."""
    languages = ArrayField(element_type="text", default=list)
    """Tags such as de-CH, the default first; empty for the shop's own."""
    prices_include_tax = fields.BooleanField(default=False)
    minimum_order_minor = fields.BigIntField(null=True)
    rounding_minor = fields.BigIntField(default=1)
    """Totals are a multiple of it: 5 where the smallest coin is 0.05."""
    position = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "markets"


class MarketCountry(Model):
    country_code = fields.CharField(max_length=2, primary_key=True)
    market_id = fields.UUIDField()

    class Meta:
        table = "market_countries"


class MarketHiddenProduct(Model):
    id = fields.UUIDField(primary_key=True)
    market_id = fields.UUIDField()
    product_id = fields.UUIDField()

    class Meta:
        table = "market_hidden_products"


class CustomerGroup(Model):
    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=120)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "customer_groups"


class CustomerGroupPriceList(Model):
    id = fields.UUIDField(primary_key=True)
    group_id = fields.UUIDField()
    price_list_id = fields.UUIDField()

    class Meta:
        table = "customer_group_price_lists"


class CustomerGroupMember(Model):
    id = fields.UUIDField(primary_key=True)
    group_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    added_at = fields.DatetimeField()

    class Meta:
        table = "customer_group_members"
