"""Accounts, profiles, what people did, and what they agreed to."""

from app.privacy.tables import Table, Whose, columns

_ACCOUNTS = "t.customer_id = ANY(:customers)"
_PROFILES = "t.profile_id = ANY(:profiles)"

TABLES = (
    Table(
        "customers",
        Whose.PERSON,
        columns(
            id="id profile_id default_shipping_address_id default_billing_address_id",
            contact="email phone",
            name="first_name last_name",
            fact="email_verified_at language is_active created_at updated_at",
            behaviour="last_login_at",
            hidden="password_hash",
        ),
        rows="t.id = ANY(:customers)",
        section="account",
    ),
    Table(
        "customer_addresses",
        Whose.PERSON,
        columns(id="id customer_id", address="address", fact="created_at updated_at"),
        rows=_ACCOUNTS,
        section="addresses",
    ),
    Table(
        "customer_group_members",
        Whose.PERSON,
        columns(id="id group_id customer_id", behaviour="added_at"),
        rows=_ACCOUNTS,
        section="customerGroups",
    ),
    Table(
        "account_tokens",
        Whose.PERSON,
        columns(
            id="id customer_id",
            contact="email",
            fact="kind created_at expires_at used_at",
            hidden="token_hash",
        ),
        rows=f"({_ACCOUNTS} OR lower(t.email) = ANY(:emails))",
        section="mailedLinks",
    ),
    Table(
        "sessions",
        Whose.PERSON,
        columns(
            id="id subject_id",
            fact="subject_kind created_at expires_at revoked_at revoked_reason",
            technical="user_agent",
            hidden="client_hash",
        ),
        rows="t.subject_kind = 'customer' AND t.subject_id = ANY(:customers)",
        section="sessions",
    ),
    Table(
        "session_tokens",
        Whose.PERSON,
        columns(id="id session_id", fact="kind created_at expires_at used_at", hidden="token_hash"),
        rows="t.session_id IN (SELECT id FROM sessions "
        "WHERE subject_kind = 'customer' AND subject_id = ANY(:customers))",
        why="Their sessions are exported; a token is nothing but a secret.",
    ),
    Table(
        "saved_payment_methods",
        Whose.PERSON,
        columns(
            id="id customer_id",
            fact="gateway method brand last_characters expires_month expires_year created_at deleted_at",
            hidden="reference",
        ),
        rows=_ACCOUNTS,
        section="paymentMethods",
    ),
    Table(
        "profiles",
        Whose.PERSON,
        columns(
            id="id merged_into_id",
            contact="email phone",
            name="first_name last_name",
            address="country_code postal_code time_zone",
            text="properties language",
            behaviour="stage recency_score frequency_score monetary_score order_count total_spent_minor first_order_at "
            "last_order_at median_interval_seconds next_order_expected_at lapses_at marketing_held_until last_seen_at",
            fact="created_at updated_at erased_at",
        ),
        rows="t.id = ANY(:profiles)",
        section="profiles",
        emptied={
            **dict.fromkeys(
                ("email", "phone", "first_name", "last_name", "language", "country_code", "postal_code", "time_zone"),
                "NULL",
            ),
            "properties": "'{}'::jsonb",
            "marketing_held_until": "NULL",
            "last_seen_at": "NULL",
        },
    ),
    Table(
        "visitors",
        Whose.PERSON,
        columns(id="id profile_id", fact="created_at"),
        rows=_PROFILES,
        section="browsers",
    ),
    Table(
        "profile_events",
        Whose.PERSON,
        columns(
            id="id profile_id product_id collection_id cart_id order_id", behaviour="type occurred_at", text="data"
        ),
        rows=_PROFILES,
        section="timeline",
    ),
    Table(
        "consents",
        Whose.PERSON,
        columns(
            id="id profile_id text_id confirms_id",
            contact="address",
            technical="ip user_agent",
            text="detail",
            behaviour="channel action purpose source recorded_at",
            hidden="address_hash",
        ),
        rows=_PROFILES,
        section="consents",
        emptied={"address": "''", "ip": "NULL", "user_agent": "NULL", "detail": "NULL"},
        why="What was agreed to, when and by which words has to be proven for years (GDPR, Art. 7 (1)); after an "
        "erasure a keyed hash stands for the address.",
    ),
    Table(
        "suppressions",
        Whose.PERSON,
        columns(
            id="id",
            contact="address",
            text="detail",
            fact="channel reason created_at lifted_at",
            hidden="address_hash",
        ),
        rows="(t.channel = 'EMAIL' AND lower(t.address) = ANY(:emails))",
        section="suppressions",
        emptied={"address": "NULL", "detail": "NULL"},
        why="That they want nothing more has to be known, or they would be written to again: the keyed hash stays.",
    ),
    Table(
        "privacy_requests",
        Whose.PERSON,
        columns(
            id="id profile_id customer_id requested_by_staff_id",
            fact="kind status created_at finished_at expires_at",
            text="result",
            hidden="addresses",
        ),
        rows="(t.profile_id = ANY(:profiles) OR t.customer_id = ANY(:customers))",
        why="The document of an export would hold the one before.",
        emptied={"result": "CASE WHEN t.kind = 'EXPORT' THEN NULL ELSE t.result END"},
        kept={"result": "Of an erasure: how many rows of each table it reached, and nobody's name."},
    ),
)
