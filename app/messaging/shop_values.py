"""The shop, as every template is given it."""

from typing import Protocol

from app.messaging.formats import web_url
from app.messaging.order_values import ShopValues
from app.settings import Settings


class ShopFacts(Protocol):
    """Of the shop's row, as `app.shop.queries.ShopSettings` has them."""

    @property
    def name(self) -> str: ...
    @property
    def legal_name(self) -> str: ...
    @property
    def postal_address(self) -> str: ...
    @property
    def contact_email(self) -> str: ...


def shop_values(shop: ShopFacts, settings: Settings) -> ShopValues:
    written = [line.strip() for line in shop.postal_address.splitlines() if line.strip()]
    has_legal_name = shop.legal_name and shop.legal_name not in (shop.name, *written[:1])
    return ShopValues(
        name=shop.name,
        url=web_url("/", settings.storefront_url) if settings.storefront_url else None,
        email=shop.contact_email or None,
        address=[shop.legal_name, *written] if has_legal_name else written,
    )
