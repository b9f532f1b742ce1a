from app.errors import ErrorCode


class InvoiceErrorCode(ErrorCode):
    INVOICE_PREFIX_TAKEN = "Another series of invoices has this prefix."
