"""Answers to the delivery survey."""

from tortoise import fields
from tortoise.models import Model


class SurveyResponse(Model):
    id = fields.UUIDField(primary_key=True)
    survey = fields.CharField(max_length=40)
    profile_id = fields.UUIDField()
    order_id = fields.UUIDField(null=True)
    dedupe_key = fields.CharField(max_length=200, unique=True)
    """One answer for each asking; answering again changes it."""
    score = fields.SmallIntField()
    """0 to 10, as in the Net Promoter Score."""
    comment = fields.TextField(null=True)
    message_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "survey_responses"
