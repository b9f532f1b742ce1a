"""Running out of stock, as clients see it."""

import strawberry

from app.inventory.errors import InsufficientStock
from schema.errors import UserError, error_type


@error_type(InsufficientStock, lambda error: {"available_quantity": error.available_quantity})
@strawberry.type(description="There is less in stock than was asked for.")
class InsufficientStockError(UserError):
    available_quantity: int = strawberry.field(
        description="Units that you could have altogether, those already in the cart included."
    )
