"""Segments, and who is in them."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class SegmentStatus(StrEnum):
    BUILDING = "BUILDING"
    """Going once over everybody."""
    READY = "READY"


class Segment(Model):
    id = fields.UUIDField(primary_key=True)
    key = fields.CharField(max_length=80, unique=True)
    name = fields.CharField(max_length=120)
    condition = fields.TextField()
    """CEL."""
    revision = fields.IntField(default=1)
    """Counts changes of the condition."""
    status = fields.CharEnumField(SegmentStatus, max_length=12, default=SegmentStatus.BUILDING)
    depends_on = fields.JSONField[list[str]](default=list)
    """Facts that the condition reads, so that only what touches them is looked at again."""
    time_dependent = fields.BooleanField(default=False)
    """Whether the condition can change by mere passing of time."""
    built_through = fields.UUIDField(null=True)
    """While BUILDING: profiles up to this id have been looked at under this revision."""
    job_id = fields.UUIDField(null=True)
    """What builds it, or built it last."""
    failure = fields.CharField(max_length=200, null=True)
    """Why the condition had no answer for somebody lately; such profiles are no members."""
    failed_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "segments"


class SegmentMembership(Model):
    """One row for each profile that is, or was, in a segment."""

    id = fields.BigIntField(primary_key=True)
    segment_id = fields.UUIDField()
    profile_id = fields.UUIDField()
    member = fields.BooleanField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "segment_memberships"


class SegmentCount(Model):
    """How many are in a segment: sharded, so that joining at the same time does not queue on one row."""

    id = fields.BigIntField(primary_key=True)
    segment_id = fields.UUIDField()
    shard = fields.SmallIntField()
    members = fields.BigIntField(default=0)

    class Meta:
        table = "segment_counts"
