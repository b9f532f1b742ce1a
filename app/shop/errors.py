"""What staff can get wrong about the shop."""

from app.errors import ErrorCode


class ShopErrorCode(ErrorCode):
    SHOP_CURRENCY_FIXED = (
        "The shop's currency cannot change once it has products, price lists, shipping methods or orders."
    )
