"""What can be wrong with a request about messages."""

from app.errors import ErrorCode


class MessagingErrorCode(ErrorCode):
    MESSAGE_PENDING = "The message, or an earlier repetition of it, is still on its way."
    MESSAGE_OBSOLETE = "What the message says is no longer true, or it may not be repeated."
    TEMPLATE_INVALID = "The template is no MJML or no Liquid, or prints what there is not; the message names the line."
    TEMPLATE_NOT_PUBLISHED = "The template has no published version."
    POSTAL_ADDRESS_MISSING = (
        "A marketing mail shows the shop's postal address: the shop has none, or it is not printed."
    )
    OPT_OUT_MISSING = "A marketing mail has a link, for everybody to see, by which its reader opts out."
    BRAND_MISSING = "A marketing text message or call names the shop."
