"""Gift cards and store credit: the ledger stays, who gave to whom goes."""

from app.privacy.tables import Table, Whose, columns, shop

_CREDIT = "SELECT id FROM stored_values WHERE customer_id = ANY(:customers)"

TABLES = (
    Table(
        "stored_values",
        Whose.PERSON,
        columns(id="id customer_id", fact="kind status currency_code balance_minor expires_at created_at updated_at"),
        rows="t.customer_id = ANY(:customers)",
        section="storeCredit",
        why="What the shop owes is in its books, whoever it was owed to.",
    ),
    Table(
        "stored_value_entries",
        Whose.PERSON,
        columns(
            id="id stored_value_id attempt_id order_id refund_id source_key part_id",
            fact="kind amount_minor expires_at created_at",
            text="reason",
        ),
        rows=f"t.stored_value_id IN ({_CREDIT})",
        section="storeCreditEntries",
        emptied={"reason": "NULL"},
        why="The ledger; the words of staff go.",
    ),
    Table(
        "gift_cards",
        Whose.PERSON,
        columns(
            id="id order_id order_line_id frozen_by",
            contact="recipient_email",
            name="recipient_name",
            text="message note",
            fact="last_characters initial_minor send_at unit_number created_at",
            hidden="code_hash",
        ),
        rows="(lower(t.recipient_email) = ANY(:emails) OR t.order_id IN :orders)",
        section="giftCards",
        emptied={"recipient_email": "NULL", "recipient_name": "NULL", "message": "NULL", "note": "NULL"},
        why="A card is good for who has its code; who gave it to whom is gone.",
    ),
    shop("gift_settings", "id wrapping_enabled wrapping_label updated_at"),
    shop("gift_wrap_prices", "currency_code order_minor unit_minor updated_at", key="currency_code"),
)
