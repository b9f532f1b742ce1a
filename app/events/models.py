"""The outbox, its receipts, the timers that become events, and what could not be delivered."""

from tortoise import fields
from tortoise.models import Model


class Event(Model):
    """Something that happened, written in the transaction in which it happened."""

    id = fields.UUIDField(primary_key=True)
    type = fields.CharField(max_length=80)
    subject_id = fields.UUIDField(null=True)
    payload = fields.JSONField[dict[str, object]](default=dict)
    occurred_at = fields.DatetimeField()
    """Business time."""
    created_at = fields.DatetimeField()
    visible_at = fields.DatetimeField()
    """Real time from which the scheduler publishes it (again) while nobody has acknowledged it."""
    leased_until = fields.DatetimeField(null=True)
    attempts = fields.IntField(default=0)
    publications = fields.IntField(default=0)
    acknowledged_at = fields.DatetimeField(null=True)
    traceparent = fields.CharField(max_length=55, null=True)
    """Of the span in which it was recorded (W3C Trace Context), where tracing is on."""

    class Meta:
        table = "events"


class EventReceipt(Model):
    """A handler's effects are in: written in the same transaction as they were."""

    id = fields.BigIntField(primary_key=True)
    event_id = fields.UUIDField()
    handler = fields.CharField(max_length=80)
    handled_at = fields.DatetimeField()

    class Meta:
        table = "event_receipts"


class DeadLetter(Model):
    """An event that a handler failed on until its attempts ran out; staff can replay it."""

    id = fields.UUIDField(primary_key=True)
    event_id = fields.UUIDField()
    event_type = fields.CharField(max_length=80)
    handler = fields.CharField(max_length=80)
    cause = fields.TextField()
    attempts = fields.IntField()
    created_at = fields.DatetimeField()
    replayed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "dead_letters"


class Timer(Model):
    """Becomes an event of its kind when business time reaches `due_at`."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=80)
    subject_id = fields.UUIDField()
    payload = fields.JSONField[dict[str, object]](default=dict)
    due_at = fields.DatetimeField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "timers"


class BusinessClock(Model):
    """At most one row, in development: how far business time is ahead of real time."""

    id = fields.SmallIntField(primary_key=True)
    skew_microseconds = fields.BigIntField()

    class Meta:
        table = "business_clock"
