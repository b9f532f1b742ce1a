"""Payments, refunds and what differed from the gateways: the books stay, the people in them go."""

from app.privacy.tables import Table, Whose, columns, shop

_ORDER = "t.order_id IN :orders"
_THEIRS = f"{_ORDER} OR t.attempt_id IN :attempts"
_PAYMENTS = f"SELECT t.id FROM payments t WHERE {_THEIRS}"

TABLES = (
    Table(
        "payments",
        Whose.PERSON,
        columns(
            id="id attempt_id order_id saved_method_id request_id",
            fact="saves gateway method amount_minor currency_code state captured_minor refunded_minor failure_code "
            "created_at updated_at reference purpose authorized_until leased_until hold_until",
            text="return_url idempotency_key",
            hidden="token action fingerprint",
        ),
        rows=f"({_THEIRS})",
        section="payments",
        emptied={
            "token": "NULL",
            "action": "NULL",
            "return_url": "NULL",
            "idempotency_key": "CASE WHEN t.idempotency_key IS NOT NULL THEN t.id::text END",
            "fingerprint": r"CASE WHEN t.fingerprint IS NOT NULL THEN '\x'::bytea END",
        },
        why="What was paid stays, with the gateway's own number of it: books, refunds and disputes need both.",
    ),
    Table(
        "payment_transactions",
        Whose.PERSON,
        columns(id="id payment_id", fact="kind succeeded amount_minor reference failure_code created_at"),
        rows=f"t.payment_id IN ({_PAYMENTS})",
        section="paymentTransactions",
        why="The ledger.",
    ),
    Table(
        "payment_requests",
        Whose.PERSON,
        columns(id="id order_id", fact="purpose amount_minor currency_code state created_at updated_at"),
        rows=_ORDER,
        section="paymentRequests",
        why="What was asked for: the books.",
    ),
    Table(
        "payment_captures",
        Whose.PERSON,
        columns(id="id payment_id", fact="amount_minor is_final state failure_code created_at updated_at"),
        rows=f"t.payment_id IN ({_PAYMENTS})",
        section="paymentCaptures",
        why="What was taken: the books.",
    ),
    Table(
        "refunds",
        Whose.PERSON,
        columns(
            id="id order_id",
            fact="source target state amount_minor shipping_minor currency_code lines notify_customer created_at "
            "updated_at",
            text="reason idempotency_key",
            hidden="fingerprint",
        ),
        rows=_ORDER,
        section="refunds",
        emptied={
            "reason": "NULL",
            "idempotency_key": "CASE WHEN t.idempotency_key IS NOT NULL THEN t.id::text END",
            "fingerprint": r"CASE WHEN t.fingerprint IS NOT NULL THEN '\x'::bytea END",
        },
        why="What was given back: the books.",
    ),
    Table(
        "refund_parts",
        Whose.PERSON,
        columns(id="id refund_id payment_id", fact="amount_minor state reference failure_code created_at updated_at"),
        rows="t.refund_id IN (SELECT id FROM refunds WHERE order_id IN :orders)",
        section="refundParts",
        why="The same, by payment.",
    ),
    Table(
        "payment_discrepancies",
        Whose.PERSON,
        columns(
            id="id payment_id order_id",
            fact="gateway kind reference amount_minor currency_code detail found_at settled_at settlement",
        ),
        rows=f"(t.order_id IN :orders OR t.payment_id IN ({_PAYMENTS}))",
        section="paymentDiscrepancies",
        why="How the books were put right. `detail` has states and amounts.",
    ),
    Table(
        "payment_disputes",
        Whose.PERSON,
        columns(
            id="id payment_id refund_id",
            fact="gateway reference state amount_minor currency_code reason respond_by fee_minor "
            "fee_currency_code opened_at closed_at created_at updated_at",
        ),
        rows=f"t.payment_id IN ({_PAYMENTS})",
        section="paymentDisputes",
        why="What a buyer disputed, and how it ended: the books. `reason` is the provider's code.",
    ),
    Table(
        "test_gateway_payments",
        Whose.PERSON,
        columns(
            id="id idempotency_key",
            fact="amount_minor currency_code state created_at saves forgotten_at captured_minor refunded_minor "
            "authorized_until",
            text="return_url",
            hidden="token",
        ),
        rows=f"t.idempotency_key IN (SELECT id::text FROM payments t WHERE {_THEIRS})",
        emptied={"token": "''", "return_url": "NULL"},
        why="The test gateway's side of payments that are exported themselves.",
    ),
    Table(
        "test_gateway_operations",
        Whose.PERSON,
        columns(id="id idempotency_key payment_id", fact="kind amount_minor state created_at"),
        rows="t.payment_id IN (SELECT g.id FROM test_gateway_payments g WHERE g.idempotency_key IN "
        f"(SELECT id::text FROM payments t WHERE {_THEIRS}))",
        why="The same, of captures and refunds.",
    ),
    shop(
        "payment_settings",
        "id capture_policy cash_on_delivery bank_transfer bank_account_holder bank_name bank_iban bank_bic "
        "bank_instructions bank_days_to_pay bank_reminder_days updated_at",
    ),
    shop("gateway_watermarks", "gateway compared_until updated_at", key="gateway"),
)
