"""Deposits that are paid while their order is placed, and of orders that come to less than they did."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Both replace functions that the release before has: it calls them as it did.
FORWARD = """
-- What has come in already when the order is placed counts, too: the payment has the order's id before the order is.
CREATE OR REPLACE FUNCTION hold_for_conditions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_conditions (id, order_id, kind, amount_minor)
    SELECT gen_random_uuid(), NEW.id, hold,
           CASE WHEN hold = 'DEPOSIT' THEN (
               SELECT nullif(d.content ->> 'deposit_minor', '')::bigint FROM draft_orders d WHERE d.id = NEW.cart_id
           ) END
    FROM unnest(NEW.holds) AS hold WHERE hold IN ('DEPOSIT', 'GUARANTEE');
    PERFORM release_deposit_of(NEW.id);
    RETURN NULL;
END $$;

-- An order that was edited may come to less than its deposit; then all of it is enough.
CREATE FUNCTION release_deposit_of(held uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE order_conditions c SET met_at = business_now()
    FROM orders o
    WHERE c.order_id = held AND o.id = held AND c.kind = 'DEPOSIT' AND c.met_at IS NULL
      AND least(c.amount_minor, coalesce(o.amount_due_minor, o.total_minor)) <= (
          SELECT coalesce(sum(p.captured_minor - p.refunded_minor), 0) FROM payments p WHERE p.order_id = held
      );
    IF FOUND THEN
        UPDATE orders SET holds = array_remove(holds, 'DEPOSIT'), updated_at = business_now() WHERE id = held;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION release_deposit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM release_deposit_of(NEW.order_id);
    RETURN NULL;
END $$;
CREATE FUNCTION release_deposit_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM release_deposit_of(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER releases_deposit_of_less AFTER UPDATE OF amount_due_minor ON orders FOR EACH ROW
    WHEN ('DEPOSIT' = ANY(NEW.holds) AND NEW.amount_due_minor < OLD.amount_due_minor)
    EXECUTE FUNCTION release_deposit_of_order();
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0046_money_of_edited_orders")]
    operations = [ops.RunSQL(FORWARD)]
