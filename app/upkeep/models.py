"""When each kind of upkeep was done last, and what the last check of the books found."""

from tortoise import fields
from tortoise.models import Model


class Upkeep(Model):
    """One kind of work; schedulers take it in turns."""

    name = fields.CharField(max_length=80, primary_key=True)
    claimed_until = fields.DatetimeField(null=True)
    """Real time until which a scheduler has it to itself."""
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "upkeep"


class InvariantResult(Model):
    name = fields.CharField(max_length=80, primary_key=True)
    violations = fields.IntField()
    """Rows that broke it, up to the number that is shown; -1 where the check took too long to tell."""
    checked_at = fields.DatetimeField()

    class Meta:
        table = "invariant_results"
