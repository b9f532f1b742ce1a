"""The invoice that goes out with a confirmation."""

from app.invoices import issuing, queries, settings
from app.invoices.models import IssueInvoices
from app.messaging.ledger import LedgerRow
from app.messaging.mime import AttachedPdf

CONFIRMATION = "order_confirmation"


async def issue_for(row: LedgerRow) -> None:
    """The mail and the event that issues the invoice have nobody to wait for: whoever is first issues it."""
    if row.template == CONFIRMATION and row.order_id is not None:
        await issuing.issue_when(row.order_id, IssueInvoices.WHEN_PLACED)


async def for_mail(row: LedgerRow) -> list[AttachedPdf]:
    """What is attached: nothing for other mails, and where the shop does not want it."""
    if row.template != CONFIRMATION or row.order_id is None or not (await settings.current()).attached:
        return []
    invoice_id = await queries.latest_of(row.order_id)
    printed = await queries.print_out(invoice_id) if invoice_id else None
    return [AttachedPdf(f"{printed.number.replace('/', '-')}.pdf", printed.pdf)] if printed else []
