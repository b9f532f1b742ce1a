"""Writing to the person: an email, a text message or a call."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from app.conditions.checking import Condition
from app.flows.steps.base import Exit, Go, Result, Step, Wait, step_kind
from app.flows.steps.holdout import HOLDOUT
from app.messaging.marketing import Deferred, MarketingMessage, Skipped
from app.messaging.models import MessageChannel, MessageReason

if TYPE_CHECKING:
    from app.flows.execution import Execution
    from app.flows.reading import Given

DEFAULT_MAX_LATENESS = timedelta(hours=24)
RUN_ENDED = "run.ended"
"""What a run waits for whose person has a living run in a flow that goes first; no event of the vocabulary."""
LOOK_AGAIN_AFTER = timedelta(days=1)
"""The safety net under being told that those runs have ended."""
LOOK_AGAIN_SOON = timedelta(minutes=5)
"""When what may begin such a run has happened, and nobody was told of it yet."""
WAITS_FOR_OTHERS = "WAITS_FOR_OTHERS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Step):
    """What keeps a message from being written is asked in this order: holdout, exits, condition, flows that go first,
    lateness, and then everything that `app.messaging.marketing` asks."""

    channel: ClassVar[MessageChannel]
    template: str
    condition: Condition | None
    max_lateness: timedelta | None
    on_cap: Literal["skip", "defer"]
    on_quiet: Literal["skip", "defer"]

    @classmethod
    def parse(cls, given: "Given") -> Self:
        return cls(
            key=given["key"],
            then=given.get("then"),
            template=given["template"],
            condition=given.condition("if"),
            max_lateness=given.optional_period("maxLateness"),
            on_cap=given.get("onCap", "skip"),
            on_quiet=given.get("onQuiet", "defer"),
        )

    def conditions(self) -> list[Condition]:
        return [self.condition] if self.condition else []

    async def run(self, execution: "Execution") -> Result:
        run = execution.run
        if run.in_holdout:
            return Go(outcome="SKIPPED", reason=HOLDOUT)
        if (reason := await execution.exit_condition()) is not None:
            return Exit(reason)
        if self.condition is not None and not await execution.holds(self.condition):
            return Go(outcome="SKIPPED", reason=MessageReason.CONDITION_NOT_MET)
        memory = execution.memory or {}
        if (pause := await execution.others_go_first()) is not None:
            return Wait(execution.now + pause, event=RUN_ENDED, reason=WAITS_FOR_OTHERS, memory={"waited": True})
        # Waiting for a better hour is lateness. Waiting for other flows is none: it was planned anew at every look, and
        # so what was not looked at, as nobody was there to do it, counts.
        planned = datetime.fromisoformat(memory["planned"]) if "planned" in memory else execution.planned
        answer = await execution.reserve(
            MarketingMessage(
                profile_id=run.profile_id,
                channel=self.channel,
                template_key=self.template,
                dedupe_key=f"run:{run.id}:{self.key}:{self.channel}",
                priority=execution.definition.priority,
                flow_id=run.flow_id,
                run_id=run.id,
                step_key=self.key,
                cart_id=run.datum("cartId"),
                order_id=run.datum("orderId"),
                context=execution.message_context(),
                on_cap=self.on_cap,
                on_quiet=self.on_quiet,
                not_after=planned + (self.max_lateness or DEFAULT_MAX_LATENESS),
            )
        )
        if isinstance(answer, Deferred):
            return Wait(answer.until, reason=answer.reason, memory={"planned": planned.isoformat()})
        if isinstance(answer, Skipped):
            outcome = "FAILED" if answer.reason is MessageReason.TEMPLATE_UNAVAILABLE else "SKIPPED"
            return Go(outcome=outcome, reason=answer.reason, message_id=answer.message_id)
        run.state["messages"] = run.state.get("messages", 0) + 1
        return Go(message_id=answer.message_id)


@step_kind("send_email")
@dataclass(frozen=True, slots=True, kw_only=True)
class SendEmail(Send):
    channel: ClassVar[MessageChannel] = MessageChannel.EMAIL


@step_kind("send_sms")
@dataclass(frozen=True, slots=True, kw_only=True)
class SendSms(Send):
    channel: ClassVar[MessageChannel] = MessageChannel.SMS


@step_kind("send_voice")
@dataclass(frozen=True, slots=True, kw_only=True)
class SendVoice(Send):
    channel: ClassVar[MessageChannel] = MessageChannel.VOICE
