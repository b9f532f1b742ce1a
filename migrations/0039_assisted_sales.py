"""Draft orders and quotations; companies, their members and who is invited to them."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = """
CREATE TABLE draft_orders (
    id uuid PRIMARY KEY,
    kind varchar(16) NOT NULL CHECK (kind IN ('DRAFT', 'QUOTATION')),
    state varchar(16) NOT NULL,
    content jsonb,
    offer jsonb,
    currency_code varchar(3) NOT NULL,
    total_minor bigint NOT NULL CHECK (total_minor >= 0),
    email varchar(254),
    customer_id uuid,
    company_id uuid,
    message text,
    reply text,
    token_hash bytea NOT NULL UNIQUE,
    days_good int CHECK (days_good > 0),
    sent_at timestamptz,
    expires_at timestamptz,
    order_id uuid UNIQUE,
    created_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT draft_orders_completed CHECK ((state = 'COMPLETED') = (order_id IS NOT NULL)),
    CONSTRAINT draft_orders_sent CHECK (state <> 'SENT' OR (sent_at IS NOT NULL AND expires_at IS NOT NULL))
);
CREATE INDEX draft_orders_of_customer ON draft_orders (customer_id, id DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX draft_orders_of_company ON draft_orders (company_id, id DESC) WHERE company_id IS NOT NULL;
CREATE INDEX draft_orders_email ON draft_orders (lower(email)) WHERE email IS NOT NULL;
CREATE INDEX draft_orders_state ON draft_orders (state, id DESC);

-- A draft's cart has its id. The cart's row is locked by whoever places the order, and by whoever changes the draft.
CREATE FUNCTION complete_draft_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE draft_orders SET state = 'COMPLETED', order_id = NEW.id, updated_at = business_now() WHERE id = NEW.cart_id;
    RETURN NULL;
END $$;
CREATE TRIGGER completes_draft_order AFTER INSERT ON orders
    FOR EACH ROW WHEN (NEW.source <> 'CHECKOUT') EXECUTE FUNCTION complete_draft_order();

CREATE TABLE companies (
    id uuid PRIMARY KEY,
    name varchar(255) NOT NULL,
    tax_id varchar(32),
    address jsonb,
    payment_terms_days int CHECK (payment_terms_days BETWEEN 0 AND 365),
    credit_limit_minor bigint CHECK (credit_limit_minor >= 0),
    currency_code varchar(3) NOT NULL,
    price_list_id uuid,
    note text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX companies_name ON companies (lower(name), id);

CREATE TABLE company_members (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
    customer_id uuid REFERENCES customers (id) ON DELETE CASCADE,
    email varchar(254) NOT NULL,
    spending_limit_minor bigint CHECK (spending_limit_minor >= 0),
    token_hash bytea UNIQUE,
    invited_until timestamptz,
    joined_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT company_members_joined CHECK ((customer_id IS NULL) = (joined_at IS NULL))
);
CREATE UNIQUE INDEX company_members_email ON company_members (company_id, lower(email));
CREATE UNIQUE INDEX company_members_customer ON company_members (company_id, customer_id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX company_members_of_customer ON company_members (customer_id, company_id) WHERE customer_id IS NOT NULL;

CREATE TABLE order_conditions (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    kind varchar(16) NOT NULL CHECK (kind IN ('DEPOSIT', 'GUARANTEE')),
    amount_minor bigint CHECK (amount_minor > 0),
    met_at timestamptz,
    CONSTRAINT order_conditions_once UNIQUE (order_id, kind)
);

-- What was agreed on with the draft holds the order until it is met.
CREATE FUNCTION hold_for_conditions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_conditions (id, order_id, kind, amount_minor)
    SELECT gen_random_uuid(), NEW.id, hold,
           CASE WHEN hold = 'DEPOSIT' THEN (
               SELECT nullif(d.content ->> 'deposit_minor', '')::bigint FROM draft_orders d WHERE d.id = NEW.cart_id
           ) END
    FROM unnest(NEW.holds) AS hold WHERE hold IN ('DEPOSIT', 'GUARANTEE');
    RETURN NULL;
END $$;
CREATE TRIGGER holds_for_conditions AFTER INSERT ON orders
    FOR EACH ROW WHEN (NEW.source <> 'CHECKOUT' AND NEW.holds <> '{}') EXECUTE FUNCTION hold_for_conditions();

-- A deposit that has come in lets the goods go. Whoever changes a payment has the order locked.
CREATE FUNCTION release_deposit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE order_conditions c SET met_at = business_now()
    WHERE c.order_id = NEW.order_id AND c.kind = 'DEPOSIT' AND c.met_at IS NULL
      AND c.amount_minor <= (SELECT sum(p.captured_minor - p.refunded_minor) FROM payments p WHERE p.order_id = NEW.order_id);
    IF FOUND THEN
        UPDATE orders SET holds = array_remove(holds, 'DEPOSIT'), updated_at = business_now() WHERE id = NEW.order_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER releases_deposit AFTER UPDATE OF captured_minor, order_id ON payments
    FOR EACH ROW WHEN (NEW.order_id IS NOT NULL AND NEW.captured_minor > 0) EXECUTE FUNCTION release_deposit();
CREATE TRIGGER releases_deposit_at_once AFTER INSERT ON payments
    FOR EACH ROW WHEN (NEW.order_id IS NOT NULL AND NEW.captured_minor > 0) EXECUTE FUNCTION release_deposit();

CREATE OR REPLACE FUNCTION price_lists_for(market uuid, customer uuid, company uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    own uuid;
    currency text;
BEGIN
    SELECT m.price_list_id, coalesce(l.currency_code, s.currency_code) INTO own, currency
    FROM markets m CROSS JOIN shop s LEFT JOIN price_lists l ON l.id = m.price_list_id
    WHERE m.id = market OR m.is_default ORDER BY m.id = market DESC NULLS LAST LIMIT 1;
    IF customer IS NULL AND company IS NULL THEN
        RETURN ARRAY[own];
    END IF;
    RETURN own || ARRAY(
        SELECT l.id
        FROM customer_group_members g
        JOIN customer_group_price_lists gl ON gl.group_id = g.group_id
        JOIN price_lists l ON l.id = gl.price_list_id
        WHERE g.customer_id = customer AND l.currency_code = currency AND l.id IS DISTINCT FROM own
        UNION
        SELECT l.id FROM companies c JOIN price_lists l ON l.id = c.price_list_id
        WHERE c.id = company AND l.currency_code = currency AND l.id IS DISTINCT FROM own
    );
END $$;

SELECT audit_table('draft_orders', person => audit_person('customer'), hidden => 'content,offer,token_hash');
SELECT audit_table('companies');
SELECT audit_table('company_members', person => audit_person('customer'), hidden => 'token_hash');
SELECT audit_table('order_conditions', person => audit_person('order'));
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0038_checkout_terms")]
    operations = [ops.RunSQL(FORWARD)]
