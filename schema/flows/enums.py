"""The words that flows, runs and skips come in."""

from enum import StrEnum

from app.flows.models import FlowRunStatus, FlowStatus
from schema.enums import describe_enum

describe_enum(
    FlowStatus,
    "Whether a flow takes people in.",
    DRAFT="Never published: nobody enters.",
    PUBLISHED="At work.",
    PAUSED="Nobody enters, nothing is sent, and runs stand where they are until it is resumed.",
)
describe_enum(
    FlowRunStatus,
    "Where a run is in its life.",
    PENDING="The trigger has to stay quiet for a while before the run counts.",
    ACTIVE="Under way.",
    COMPLETED="Went through to the end.",
    EXITED="Left early; `exitReason` says on what.",
    FAILED="A step could not be done, and the run was given up.",
)


class SkipReason(StrEnum):
    """The ledger's reasons to skip a message, and those of steps that send none."""

    ORDER_PLACED = "ORDER_PLACED"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    EXITED = "EXITED"
    FLOW_PAUSED = "FLOW_PAUSED"
    CAMPAIGN_CANCELLED = "CAMPAIGN_CANCELLED"
    TOO_LATE = "TOO_LATE"
    CONDITION_NOT_MET = "CONDITION_NOT_MET"
    NO_ADDRESS = "NO_ADDRESS"
    NO_CONSENT = "NO_CONSENT"
    CONSENT_REVOKED = "CONSENT_REVOKED"
    CONSENT_UNCONFIRMED = "CONSENT_UNCONFIRMED"
    SUPPRESSED = "SUPPRESSED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    FREQUENCY_CAP = "FREQUENCY_CAP"
    QUIET_HOURS = "QUIET_HOURS"
    HIGHER_PRIORITY = "HIGHER_PRIORITY"
    MARKETING_HELD = "MARKETING_HELD"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    HOLDOUT = "HOLDOUT"
    TEMPLATE_UNAVAILABLE = "TEMPLATE_UNAVAILABLE"
    CHANNEL_DISABLED = "CHANNEL_DISABLED"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    SUPERSEDED = "SUPERSEDED"
    MOMENT_UNKNOWN = "MOMENT_UNKNOWN"
    RETRIES_EXHAUSTED = "RETRIES_EXHAUSTED"
    OTHER = "OTHER"


describe_enum(
    SkipReason,
    "Why a step of a flow was skipped.",
    ORDER_PLACED="An order came first.",
    ORDER_CANCELLED="The order that it is about was cancelled.",
    EXITED="An exit rule ended the run between the decision and the sending.",
    FLOW_PAUSED="The flow was paused.",
    CAMPAIGN_CANCELLED="The campaign was cancelled.",
    TOO_LATE="It came up later than the step's `maxLateness`.",
    CONDITION_NOT_MET="The step's `if` did not hold.",
    NO_ADDRESS="There is no address or number to send it to.",
    NO_CONSENT="Nobody agreed to get it.",
    CONSENT_REVOKED="Consent was withdrawn.",
    CONSENT_UNCONFIRMED="Consent was asked for, and not confirmed.",
    SUPPRESSED="The address is on the suppression list.",
    UNSUBSCRIBED="The receiver told the provider to stop.",
    FREQUENCY_CAP="Another marketing message went out too short a time before.",
    QUIET_HOURS="It was night where the receiver is, or may be.",
    HIGHER_PRIORITY="A message nearer to a purchase went first.",
    MARKETING_HELD="Marketing to this person is on hold.",
    OUT_OF_STOCK="What it is about cannot be bought any more.",
    HOLDOUT="The run is held out, to measure what the flow brings.",
    TEMPLATE_UNAVAILABLE="The template has no published version.",
    CHANNEL_DISABLED="The shop has turned the channel off.",
    NOT_CONFIGURED="The shop has no provider for the channel.",
    SUPERSEDED="Something newer made it pointless.",
    MOMENT_UNKNOWN="The moment that the step waits for is not known of this person.",
    RETRIES_EXHAUSTED="Deciding about it failed again and again, by a fault in the server, and was given up.",
    OTHER="Another reason; the run's timeline names it.",
)


def skip_reason(stored: str) -> SkipReason:
    """OTHER for what this release has no name for, so that an old row never breaks an answer."""
    return SkipReason(stored) if stored in SkipReason.__members__ else SkipReason.OTHER


__all__ = ["FlowRunStatus", "FlowStatus", "SkipReason", "skip_reason"]
