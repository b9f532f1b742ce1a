"""Accounts, staff with keys, the audit log, privacy: the tables, as Tortoise writes them."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from app.accounts.models import AccountTokenKind
from app.audit.models import ActorKind, AuditOutcome
from app.privacy.models import PrivacyRequestKind, PrivacyRequestStatus
from orjson import loads
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('tradewind', '0019_campaign_tries')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ApiKey',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=120)),
                ('key_hash', fields.BinaryField()),
                ('last_characters', fields.CharField(max_length=4)),
                ('permissions', ArrayField(default=list, element_type='TEXT')),
                ('created_by_id', fields.UUIDField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'api_keys', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': "A machine's way in: as much as its permissions, as long as it lasts."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AuditChange',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('entry_id', fields.UUIDField()),
                ('table_name', fields.CharField(max_length=63)),
                ('row_id', fields.CharField(max_length=64)),
                ('operation', fields.CharField(max_length=6)),
                ('before', fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ('after', fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ('profile_id', fields.UUIDField(null=True)),
            ],
            options={'table': 'audit_changes', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'One row that an action changed: what of it was how before, and how it was after.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('occurred_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('actor_kind', fields.CharEnumField(description='STAFF: STAFF\nAPI_KEY: API_KEY\nOPERATOR: OPERATOR', enum_type=ActorKind, max_length=12)),
                ('actor_id', fields.UUIDField(null=True)),
                ('actor_name', fields.CharField(max_length=120)),
                ('action', fields.CharField(max_length=80)),
                ('outcome', fields.CharEnumField(description='DONE: DONE\nREFUSED: REFUSED', enum_type=AuditOutcome, max_length=8)),
                ('error_codes', fields.JSONField(default=list, db_default='[]', encoder=JSON_DUMPS, decoder=loads)),
                ('ip', fields.CharField(null=True, max_length=45)),
                ('user_agent', fields.CharField(null=True, max_length=300)),
                ('request_id', fields.CharField(null=True, max_length=64)),
            ],
            options={'table': 'audit_entries', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'One action of a member of staff, of an API key or of an operator.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Customer',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('email', fields.CharField(max_length=254)),
                ('email_verified_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('password_hash', fields.CharField(null=True, max_length=255)),
                ('profile_id', fields.UUIDField(null=True)),
                ('first_name', fields.CharField(null=True, max_length=255)),
                ('last_name', fields.CharField(null=True, max_length=255)),
                ('phone', fields.CharField(null=True, max_length=32)),
                ('language', fields.CharField(null=True, max_length=35)),
                ('is_active', fields.BooleanField(default=True, db_default=True)),
                ('default_shipping_address_id', fields.UUIDField(null=True)),
                ('default_billing_address_id', fields.UUIDField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_login_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'customers', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': "An account. Until its address is verified, it is a stranger's claim and sees nothing that it did not do itself."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AccountToken',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('customer', fields.ForeignKeyField('tradewind.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name='tokens', on_delete=OnDelete.CASCADE)),
                ('kind', fields.CharEnumField(description='VERIFY_EMAIL: VERIFY_EMAIL\nRESET_PASSWORD: RESET_PASSWORD\nSIGN_IN: SIGN_IN\nCHANGE_EMAIL: CHANGE_EMAIL', enum_type=AccountTokenKind, max_length=16)),
                ('token_hash', fields.BinaryField()),
                ('email', fields.CharField(max_length=254)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'account_tokens', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'What a mailed link is good for, once. The token is derived from the key ring, and only its hash is stored.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CustomerAddress',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('customer', fields.ForeignKeyField('tradewind.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name='addresses', on_delete=OnDelete.CASCADE)),
                ('address', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'customer_addresses', 'app': 'tradewind', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PrivacyRequest',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('kind', fields.CharEnumField(description='EXPORT: EXPORT\nERASURE: ERASURE', enum_type=PrivacyRequestKind, max_length=8)),
                ('status', fields.CharEnumField(default=PrivacyRequestStatus.PENDING, description='PENDING: PENDING\nRUNNING: RUNNING\nDONE: DONE\nFAILED: FAILED', enum_type=PrivacyRequestStatus, max_length=8)),
                ('profile_id', fields.UUIDField(null=True)),
                ('customer_id', fields.UUIDField(null=True)),
                ('requested_by_staff_id', fields.UUIDField(null=True)),
                ('result', fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('finished_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'privacy_requests', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'Kept as the proof that it was done; it names nobody once the person is erased.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RetentionPeriod',
            fields=[
                ('kind', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('days', fields.IntField()),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'retention_periods', 'app': 'tradewind', 'pk_attr': 'kind', 'table_description': 'How long the shop keeps a kind of data, where it wants another period than the built-in one.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SavedPaymentMethod',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('customer_id', fields.UUIDField()),
                ('gateway', fields.CharField(max_length=40)),
                ('method', fields.CharField(max_length=24)),
                ('reference', fields.CharField(max_length=255)),
                ('brand', fields.CharField(null=True, max_length=40)),
                ('last_characters', fields.CharField(null=True, max_length=4)),
                ('expires_month', fields.SmallIntField(null=True)),
                ('expires_year', fields.SmallIntField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'saved_payment_methods', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'What an account may pay with again: the gateway keeps the card, and gave a reference to it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StaffInvitation',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('email', fields.CharField(max_length=254)),
                ('name', fields.CharField(max_length=120)),
                ('role', fields.ForeignKeyField('tradewind.StaffRole', source_field='role_id', db_constraint=True, to_field='id', related_name='invitations', on_delete=OnDelete.CASCADE)),
                ('token_hash', fields.BinaryField()),
                ('invited_by_id', fields.UUIDField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('accepted_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'staff_invitations', 'app': 'tradewind', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StaffRecoveryCode',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('user', fields.ForeignKeyField('tradewind.StaffUser', source_field='user_id', db_constraint=True, to_field='id', related_name='recovery_codes', on_delete=OnDelete.CASCADE)),
                ('code_hash', fields.BinaryField()),
                ('used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'staff_recovery_codes', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'Stands in for the second factor, once.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Cart',
            name='customer_id',
            field=fields.UUIDField(null=True),
        ),
        ops.AlterModelOptions(
            name='FigureCount',
            options={'table': 'figure_counts', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'How many customers have a figure within a bucket: what frequency and monetary scores are measured by.'},
        ),
        ops.AlterModelOptions(
            name='FlowCatalogue',
            options={'table': 'flow_catalogue', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'At most one row: a new stamp tells every process that what it remembers of the flows is old.'},
        ),
        ops.AddField(
            model_name='Order',
            name='customer_id',
            field=fields.UUIDField(null=True),
        ),
        ops.AlterModelOptions(
            name='ProfileEvent',
            options={'table': 'profile_events', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'The timeline: one thing that somebody did or that happened to them, beside the outbox event of that type.'},
        ),
        ops.AlterModelOptions(
            name='Reorder',
            options={'table': 'product_reorders', 'app': 'tradewind', 'pk_attr': 'id', 'table_description': 'One product that somebody bought again, and how long after the time before: what its usual time is taken from.'},
        ),
        ops.AddField(
            model_name='Session',
            name='client_hash',
            field=fields.BinaryField(null=True),
        ),
        ops.AddField(
            model_name='Session',
            name='user_agent',
            field=fields.CharField(null=True, max_length=300),
        ),
        ops.AddField(
            model_name='StaffUser',
            name='last_login_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='StaffUser',
            name='totp_confirmed_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='StaffUser',
            name='totp_last_step',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='StaffUser',
            name='totp_secret',
            field=fields.BinaryField(null=True),
        ),
    ]
