"""What a client can have got wrong about taxes."""

from app.errors import ErrorCode


class TaxErrorCode(ErrorCode):
    INVALID_TAX_ID = "Not a tax number of its country: the form or the check digits are wrong."
    TAX_CLASS_IN_USE = "Products, rates or the settings still name the tax class."
    TAX_ENGINE_UNKNOWN = "No tax engine of this name is installed."
    TAX_UNAVAILABLE = "The tax cannot be computed at this moment; try again in a minute."
