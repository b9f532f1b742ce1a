"""Draft orders, quotations and companies: what became an order stays as that, whom the rest was for goes."""

from app.privacy.tables import Table, Whose, columns

# Whoever rang has left a number, and maybe nothing else.
_DRAFT = """(
    t.customer_id = ANY(:customers) OR t.customer_id IS NULL AND (
        lower(t.email) = ANY(:emails) OR t.email IS NULL AND t.content ->> 'phone' = ANY(:phones)
    )
)"""

TABLES = (
    Table(
        "draft_orders",
        Whose.PERSON,
        columns(
            id="id customer_id company_id order_id created_by",
            contact="email",
            text="content offer message reply",
            fact="kind state currency_code total_minor days_good sent_at expires_at created_at updated_at",
            hidden="token_hash",
        ),
        rows=_DRAFT,
        section="draftOrders",
        emptied={
            "email": "NULL",
            "content": "NULL",
            "offer": "NULL",
            "message": "NULL",
            "reply": "NULL",
            "token_hash": "decode(replace(t.id::text, '-', ''), 'hex')",
        },
    ),
    Table(
        "companies",
        Whose.SHOP,
        columns(
            id="id price_list_id",
            fact="name tax_id address payment_terms_days credit_limit_minor approval_threshold_minor currency_code "
            "note created_at updated_at",
        ),
    ),
    Table(
        "company_members",
        Whose.PERSON,
        columns(
            id="id company_id customer_id",
            contact="email",
            fact="spending_limit_minor role invited_until joined_at created_at",
            hidden="token_hash",
        ),
        rows="(t.customer_id = ANY(:customers) OR t.customer_id IS NULL AND lower(t.email) = ANY(:emails))",
        section="companyMemberships",
    ),
    Table(
        "order_approvals",
        Whose.PERSON,
        columns(
            id="id company_id cart_id customer_id approver_id staff_id attempt_id order_id",
            text="message comment",
            address="delivery",
            fact="state lines total_minor maximum_minor currency_code staff_kind decided_at expires_at created_at "
            "updated_at",
            hidden="content_key",
        ),
        rows="t.customer_id = ANY(:customers)",
        section="orderApprovals",
    ),
    Table(
        "order_conditions",
        Whose.PERSON,
        columns(id="id order_id", fact="kind amount_minor met_at"),
        rows="t.order_id IN :orders",
        section="orderConditions",
        why="What was agreed on with an order stays with it.",
    ),
)
