"""Flows, their versions, and the runs of people through them."""

from enum import StrEnum

from tortoise import fields
from tortoise.fields.db_defaults import SqlDefault
from tortoise.models import Model


class FlowStatus(StrEnum):
    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    PAUSED = "PAUSED"


class Flow(Model):
    id = fields.UUIDField(primary_key=True)
    key = fields.CharField(max_length=80, unique=True)
    name = fields.CharField(max_length=120)
    status = fields.CharEnumField(FlowStatus, max_length=12, default=FlowStatus.DRAFT)
    priority = fields.IntField(default=0)
    """Of the published version: when several could write, the highest does."""
    latest_version = fields.IntField(default=1)
    published_version_id = fields.UUIDField(null=True)
    first_published_at = fields.DatetimeField(null=True)
    paused_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "flows"


class FlowVersion(Model):
    """A definition, never changed once written."""

    id = fields.UUIDField(primary_key=True)
    flow_id = fields.UUIDField()
    number = fields.IntField()
    definition = fields.JSONField[dict[str, object]]()
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    published_at = fields.DatetimeField(null=True)

    class Meta:
        table = "flow_versions"


class FlowRunStatus(StrEnum):
    PENDING = "PENDING"
    """The trigger has to stay quiet for a while before the run counts (`quietFor`)."""
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    EXITED = "EXITED"
    FAILED = "FAILED"


class FlowRun(Model):
    """One person's way through one version of a flow."""

    id = fields.UUIDField(primary_key=True)
    flow_id = fields.UUIDField()
    version_id = fields.UUIDField()
    profile_id = fields.UUIDField()
    key = fields.CharField(max_length=120)
    """What it is about (a cart, a checkout, an order …): one living run for each flow, profile and key."""
    status = fields.CharEnumField(FlowRunStatus, max_length=12)
    step_key = fields.CharField(max_length=80, null=True)
    """The step that it stands at."""
    revision = fields.IntField(default=0)
    """Counts moves: a wake-up that was meant for another position does nothing."""
    due_at = fields.DatetimeField(null=True)
    """Business time at which it goes on; None when only an event wakes it."""
    waiting_for = fields.CharField(max_length=80, null=True)
    """The event type that the current step waits for."""
    in_holdout = fields.BooleanField(default=False)
    trigger_type = fields.CharField(max_length=80)
    trigger_event_id = fields.UUIDField()
    trigger = fields.JSONField[dict[str, object]](default=dict)
    """The trigger's data: ids and facts, `event.*` in conditions."""
    triggered_at = fields.DatetimeField(db_default=SqlDefault("business_now()"))
    """Business time at which the trigger happened: exit rules look back to it, and waiting counts from it."""
    state = fields.JSONField[dict[str, object]](default=dict)
    """What steps left for later ones: coupons, messages."""
    entered_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    exit_reason = fields.CharField(max_length=80, null=True)

    class Meta:
        table = "flow_runs"


class StepOutcome(StrEnum):
    DONE = "DONE"
    WAITING = "WAITING"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


class FlowRunStep(Model):
    """The run's timeline: what each step came to."""

    id = fields.UUIDField(primary_key=True)
    run_id = fields.UUIDField()
    flow_id = fields.UUIDField()
    step_key = fields.CharField(max_length=80)
    kind = fields.CharField(max_length=40)
    outcome = fields.CharEnumField(StepOutcome, max_length=12)
    reason = fields.CharField(max_length=80, null=True)
    """A SkipReason, or the name of what ended the waiting."""
    message_id = fields.UUIDField(null=True)
    detail = fields.JSONField[dict[str, object]](default=dict)
    at = fields.DatetimeField()

    class Meta:
        table = "flow_run_steps"


class FlowCatalogue(Model):
    """At most one row: a new stamp tells every process that what it remembers of the flows is old."""

    id = fields.SmallIntField(primary_key=True)
    stamp = fields.UUIDField()

    class Meta:
        table = "flow_catalogue"


class FlowDate(Model):
    """When a date trigger is due for a profile; moved whenever the date is."""

    id = fields.BigIntField(primary_key=True)
    flow_id = fields.UUIDField()
    profile_id = fields.UUIDField()
    trigger_index = fields.SmallIntField(default=0)
    due_at = fields.DatetimeField()

    class Meta:
        table = "flow_dates"
