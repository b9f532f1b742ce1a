"""People who work for the shop, keys, and the audit log."""

from app.privacy.tables import Table, Whose, columns

_OF_PERSON = """(
    t.profile_id = ANY(:profiles)
    OR t.table_name IN ('profiles') AND t.row_id = ANY(:profiles::text[])
    OR t.table_name IN ('customers') AND t.row_id = ANY(:customers::text[])
    OR t.table_name IN ('orders') AND t.row_id IN (SELECT id::text FROM orders WHERE id IN :orders)
)"""

TABLES = (
    Table(
        "staff_users",
        Whose.STAFF,
        columns(
            id="id role_id",
            contact="email",
            name="name",
            fact="is_active created_at updated_at totp_confirmed_at totp_last_step",
            behaviour="last_login_at",
            hidden="password_hash totp_secret",
        ),
        why="Kept while somebody works for the shop, and deactivated after: the audit log leads to them.",
    ),
    Table(
        "staff_invitations",
        Whose.STAFF,
        columns(
            id="id invited_by_id role_id",
            contact="email",
            name="name",
            fact="created_at expires_at accepted_at revoked_at",
            hidden="token_hash",
        ),
    ),
    Table("staff_recovery_codes", Whose.STAFF, columns(id="id user_id", fact="used_at", hidden="code_hash")),
    Table(
        "api_keys",
        Whose.STAFF,
        columns(
            id="id created_by_id",
            fact="name last_characters permissions created_at expires_at revoked_at last_used_at",
            hidden="key_hash",
        ),
    ),
    Table(
        "audit_entries",
        Whose.STAFF,
        columns(
            id="id actor_id request_id",
            name="actor_name",
            technical="ip user_agent",
            fact="occurred_at actor_kind action outcome error_codes",
        ),
        why="What staff did, from where: they are told so when they are invited.",
    ),
    Table(
        "audit_changes",
        Whose.PERSON,
        columns(id="id entry_id row_id profile_id", fact="table_name operation", text="before after"),
        rows=_OF_PERSON,
        section="changesByStaff",
        emptied={"before": "NULL", "after": "NULL"},
        why="That staff changed something stays; what it said of the person goes.",
    ),
)
