"""Long work with progress: imports now, exports and backfills later."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class JobStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Job(Model):
    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=40)
    status = fields.CharEnumField(JobStatus, max_length=16, default=JobStatus.QUEUED)
    done = fields.IntField(default=0)
    total = fields.IntField(null=True)
    input = fields.JSONField[dict[str, object]](default=dict)
    checkpoint = fields.JSONField[dict[str, object]](default=dict)
    """Where to go on after an interruption; written in the same transaction as the work it speaks of."""
    result = fields.JSONField[dict[str, object]](null=True)
    problem_count = fields.IntField(default=0)
    """All of them; only the first are kept as rows."""
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "jobs"


class JobProblem(Model):
    id = fields.BigIntField(primary_key=True)
    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField(
        "tradewind.Job", related_name="problems", on_delete=fields.CASCADE
    )
    row = fields.IntField(null=True)
    column = fields.CharField(max_length=200, null=True)
    message = fields.TextField()

    class Meta:
        table = "job_problems"
