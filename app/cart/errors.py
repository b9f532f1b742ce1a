from app.errors import ErrorCode


class CartErrorCode(ErrorCode):
    CART_COMPLETED = "The cart has become an order and cannot change any more; start a new one."
    CHECKOUT_IN_PROGRESS = "What is in the cart is being paid for at this moment, so it cannot change."
    PRODUCT_UNAVAILABLE = "The product was taken off sale; its line can only be removed."
    CART_OF_ACCOUNT = "The cart belongs to an account, and what was asked for would take its lines out of that account."
