"""Approvals of a company's orders, and the moves that a draft order may make."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

COMPANIES = """
ALTER TABLE companies ADD COLUMN approval_threshold_minor bigint CHECK (approval_threshold_minor >= 0);
ALTER TABLE company_members ADD COLUMN role varchar(16) NOT NULL DEFAULT 'BUYER' CHECK (role IN ('BUYER', 'APPROVER'));
"""

# A cart has one request at most that counts, and an attempt to check out relies on one at most.
INDEXES = """
ALTER TABLE order_approvals
    ADD FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    ADD FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE,
    ADD CHECK (total_minor >= 0 AND maximum_minor >= total_minor),
    ADD CONSTRAINT order_approvals_decided CHECK (
        state NOT IN ('APPROVED', 'REJECTED', 'USED') OR decided_at IS NOT NULL
    ),
    ADD CONSTRAINT order_approvals_used CHECK ((state = 'USED') = (order_id IS NOT NULL));
CREATE UNIQUE INDEX order_approvals_live ON order_approvals (cart_id) WHERE state IN ('PENDING', 'APPROVED');
CREATE UNIQUE INDEX order_approvals_attempt ON order_approvals (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX order_approvals_company ON order_approvals (company_id, id DESC);
CREATE INDEX order_approvals_customer ON order_approvals (customer_id, id DESC);
CREATE INDEX order_approvals_state ON order_approvals (state, id DESC);
SELECT audit_table('order_approvals', person => audit_person('customer'), hidden => 'message,comment,content_key');
"""

# Whichever way an order comes about in the end, a webhook or a sweeper included: what allowed it is used up with it,
# and its timeline says who that was. Only a company's checkout pays for this.
USED = """
CREATE FUNCTION use_order_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH used AS (
        UPDATE order_approvals SET state = 'USED', order_id = NEW.id, updated_at = business_now()
        WHERE attempt_id = NEW.attempt_id AND state IN ('APPROVED', 'EXPIRED')
        RETURNING id, approver_id, staff_id, staff_kind, comment
    )
    INSERT INTO order_events (order_id, type, occurred_at, actor_kind, actor_id, reason, data)
    SELECT NEW.id, 'APPROVED', business_now(), coalesce(staff_kind, 'CUSTOMER'), coalesce(staff_id, approver_id),
           comment, jsonb_build_object('approvalId', id)
    FROM used;
    -- Nobody decides any more on a cart that was ordered without it.
    UPDATE order_approvals SET state = 'CANCELLED', updated_at = business_now()
    WHERE cart_id = NEW.cart_id AND state IN ('PENDING', 'APPROVED');
    RETURN NULL;
END $$;
CREATE TRIGGER uses_order_approval AFTER INSERT ON orders
    FOR EACH ROW WHEN (NEW.company_id IS NOT NULL AND NEW.source = 'CHECKOUT') EXECUTE FUNCTION use_order_approval();
"""

# Of the machines beside the states; a test holds the two against each other.
MOVES = """
SELECT keep_to_moves(
    'order_approvals', 'state', 'an approval',
    'APPROVED > CANCELLED, APPROVED > EXPIRED, APPROVED > USED, EXPIRED > USED, PENDING > APPROVED, '
    'PENDING > CANCELLED, PENDING > EXPIRED, PENDING > REJECTED'
);
SELECT keep_to_moves(
    'draft_orders', 'state', 'a draft order',
    'DECLINED > OPEN, EXPIRED > COMPLETED, EXPIRED > OPEN, EXPIRED > SENT, OPEN > COMPLETED, OPEN > SENT, '
    'REQUESTED > COMPLETED, REQUESTED > DECLINED, REQUESTED > OPEN, REQUESTED > SENT, '
    'SENT > COMPLETED, SENT > DECLINED, SENT > EXPIRED, SENT > OPEN'
);
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0043_orders_in_shop_currency")]
    operations = [
        ops.RunSQL(COMPANIES),
        ops.CreateModel(
            name="OrderApproval",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("company_id", fields.UUIDField()),
                ("cart_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("state", fields.CharField(max_length=16)),
                ("content_key", fields.BinaryField()),
                ("lines", fields.JSONField()),
                ("total_minor", fields.BigIntField()),
                ("maximum_minor", fields.BigIntField()),
                ("currency_code", fields.CharField(max_length=3)),
                ("message", fields.TextField(null=True, unique=False)),
                ("comment", fields.TextField(null=True, unique=False)),
                ("approver_id", fields.UUIDField(null=True)),
                ("staff_id", fields.UUIDField(null=True)),
                ("staff_kind", fields.CharField(max_length=16, null=True)),
                ("decided_at", fields.DatetimeField(null=True)),
                ("attempt_id", fields.UUIDField(null=True)),
                ("order_id", fields.UUIDField(null=True)),
                ("expires_at", fields.DatetimeField()),
                ("created_at", fields.DatetimeField()),
                ("updated_at", fields.DatetimeField()),
            ],
            options={"table": "order_approvals", "app": "tradewind", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(INDEXES),
        ops.RunSQL(USED),
        ops.RunSQL(MOVES),
    ]
