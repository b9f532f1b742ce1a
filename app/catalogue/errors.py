"""What staff can get wrong about products and collections."""

from app.errors import ErrorCode


class CatalogueErrorCode(ErrorCode):
    SLUG_TAKEN = "Another product or collection has this slug."
    DUPLICATE_OPTION = "The same option is given twice."
    UNKNOWN_OPTION = "The product has no option of this name."
    DUPLICATE_OPTION_VALUE = "The option has the same value twice."
    UNKNOWN_OPTION_VALUE = "The option has no such value; add it to the option's values first."
    OPTION_VALUE_IN_USE = "A variant of the product still has this value."
    DUPLICATE_VARIANT = "Two variants have the same options."
    TOO_MANY_EXPORTS = "Other exports are being made; wait for one of them to end."
