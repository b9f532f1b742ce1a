"""Where the shop sells, in which currency, at which prices; and numbers for what processes keep in memory."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Every statement that changes a part of the configuration gives it a number that was never used and never will be:
# sequences do not roll back. See app/configuration.py.
VERSIONS = """
CREATE TABLE configuration_versions (name varchar(32) PRIMARY KEY, version bigint NOT NULL);
CREATE SEQUENCE configuration_version_numbers;

CREATE FUNCTION bump_configuration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO configuration_versions (name, version)
    VALUES (TG_ARGV[0], nextval('configuration_version_numbers'))
    ON CONFLICT (name) DO UPDATE SET version = nextval('configuration_version_numbers');
    RETURN NULL;
END $$;

-- For this and later migrations: `SELECT versioned_table('tax_zones', 'taxes')`.
CREATE FUNCTION versioned_table(changed regclass, VARIADIC parts text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part text;
BEGIN
    FOREACH part IN ARRAY parts LOOP
        EXECUTE format(
            'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION bump_configuration(%L)',
            'versioned_' || part, changed, part
        );
    END LOOP;
END $$;
SELECT versioned_table('shop', 'shop');
"""


class Migration(migrations.Migration):
    dependencies = [("tradewind", "0032_orders_priced")]
    operations = [ops.RunSQL(VERSIONS)]
