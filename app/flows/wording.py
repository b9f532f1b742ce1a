"""Flows in words, for people: what starts one, what a step does, how long something takes.

Everything here is plain text with the merchant's own words in it; whoever shows it escapes it for where it goes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

_PERIOD = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
_WEEKDAYS = {
    "MON": "Mon", "TUE": "Tue", "WED": "Wed", "THU": "Thu", "FRI": "Fri", "SAT": "Sat", "SUN": "Sun",
}  # fmt: skip
MAX_CONDITION_CHARS = 120
CHANNEL_WORDS = {"EMAIL": "email", "SMS": "SMS", "VOICE": "call"}
_CHANNEL_OF_KIND = {"send_email": "EMAIL", "send_sms": "SMS", "send_voice": "VOICE"}


def channel_of(kind: str) -> str | None:
    """The channel that a step of this kind sends by; None for every other step."""
    return _CHANNEL_OF_KIND.get(kind)


def period_in_words(period: str) -> str:
    """`PT4H` as “4 h”, `P2DT12H` as “2 days 12 h”; what is no period stays as it is."""
    match = _PERIOD.fullmatch(period)
    if not match:
        return period
    units = (
        ("years", "year", "years"), ("months", "month", "months"), ("weeks", "week", "weeks"), ("days", "day", "days"),
        ("hours", "h", "h"), ("minutes", "min", "min"), ("seconds", "s", "s"),
    )  # fmt: skip
    counts = [(int(match[name] or 0), one, many) for name, one, many in units]
    return " ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count) or "no time"


def duration_in_words(duration: timedelta) -> str:
    """Rounded to what a person would say: “4 h”, “2 days 3 h”, “40 s”."""
    seconds = max(0, round(duration.total_seconds()))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 6 and rest:
        return f"{hours} h {rest} min"
    hours = round(minutes / 60)
    if hours < 48:
        return f"{hours} h"
    days, rest = divmod(hours, 24)
    return f"{days} days {rest} h" if rest else f"{days} days"


def shortened(text: str, max_chars: int = MAX_CONDITION_CHARS) -> str:
    text = " ".join(text.split())
    return text if len(text) <= max_chars else f"{text[: max_chars - 1].rstrip()}…"


def triggers_of(definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The definition's triggers, whether it has one or several."""
    several = definition.get("triggers")
    if isinstance(several, Sequence) and not isinstance(several, str):
        return [trigger for trigger in several if isinstance(trigger, Mapping)]
    one = definition.get("trigger")
    return [one] if isinstance(one, Mapping) else []


def trigger_in_words(trigger: Mapping[str, Any]) -> str:
    """What starts a run, such as “checkout.started” or “7 days before customer.properties.birthday”."""
    if "segment" in trigger:
        return f"{trigger['segment']} {trigger.get('change', 'entered')}"
    if "date" in trigger:
        return _date_in_words(trigger)
    words = str(trigger.get("event", "nothing"))
    if quiet := trigger.get("quietFor"):
        words += f", then {period_in_words(str(quiet))} of quiet"
    return words


def _date_in_words(trigger: Mapping[str, Any]) -> str:
    words = str(trigger["date"])
    offset = str(trigger.get("offset") or "")
    if offset:
        words = f"{period_in_words(offset)} {'before' if offset.startswith('-') else 'after'} {words}"
    if trigger.get("at"):
        words += f" at {trigger['at']}"
    return f"{words}, each year" if trigger.get("yearly") else words


def exits_in_words(definition: Mapping[str, Any]) -> list[str]:
    """What makes a run leave at any step."""
    events = [str(rule.get("event")) for rule in definition.get("exitOn") or () if isinstance(rule, Mapping)]
    reasons = [str(rule.get("reason")) for rule in definition.get("exitIf") or () if isinstance(rule, Mapping)]
    return list(dict.fromkeys([*events, *reasons]))


def step_in_words(step: Mapping[str, Any]) -> str:
    """What a step does, short enough for a box in a picture."""
    kind = str(step.get("kind", ""))
    words = _WORDS.get(kind)
    return words(step) if words else kind.replace("_", " ").capitalize()


def _delay(step: Mapping[str, Any]) -> str:
    return f"Wait {period_in_words(str(step.get('period', '')))}"


_MOMENTS = {"run.enteredAt": "the start", "coupon.endsAt": "the coupon's end"}


def _delay_until(step: Mapping[str, Any]) -> str:
    parts = []
    moment = step.get("before") or step.get("at")
    if moment:
        moment = _MOMENTS.get(str(moment), moment)
        offset = str(step.get("offset") or "")
        if offset:
            parts.append(f"{period_in_words(offset)} {'before' if offset.startswith('-') else 'after'} {moment}")
        else:
            parts.append(f"before {moment}" if step.get("before") else str(moment))
    if days := step.get("weekdays"):
        parts.append(", ".join(_WEEKDAYS.get(str(day), str(day)) for day in days))
    if step.get("time"):
        parts.append(str(step["time"]))
    return f"Wait until {' '.join(parts)}" if parts else "Wait"


def _wait_for(step: Mapping[str, Any]) -> str:
    timeout = step.get("timeout")
    return f"Wait for {step.get('event')}" + (f", up to {period_in_words(str(timeout))}" if timeout else "")


def _condition(step: Mapping[str, Any]) -> str:
    return f"If {shortened(str(step.get('if', '')))}"


def _split(step: Mapping[str, Any]) -> str:
    return f"Split at random into {len(step.get('branches') or ())}"


def percent(share: float) -> str:
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def _holdout(step: Mapping[str, Any]) -> str:
    return f"Hold out {percent(float(step.get('share') or 0))}"


def _issue_coupon(step: Mapping[str, Any]) -> str:
    worth = f"{step['percentage']} %" if step.get("percentage") is not None else f"{step.get('amount')} off"
    valid = step.get("validFor")
    return f"Coupon: {worth}" + (f", valid {period_in_words(str(valid))}" if valid else "")


def _update_profile(step: Mapping[str, Any]) -> str:
    parts = [str(name) for name in step.get("set") or ()]
    if step.get("stage"):
        parts.append(f"stage {step['stage']}")
    if hold := step.get("holdMarketing"):
        parts.append(f"no marketing for {period_in_words(str(hold))}")
    return f"Update profile: {', '.join(parts)}" if parts else "Update profile"


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "delay": _delay,
    "delay_until": _delay_until,
    "wait_for": _wait_for,
    "condition": _condition,
    "split": _split,
    "holdout": _holdout,
    "send_email": lambda step: f"Email {step.get('template')}",
    "send_sms": lambda step: f"SMS {step.get('template')}",
    "send_voice": lambda step: f"Call {step.get('template')}",
    "issue_coupon": _issue_coupon,
    "update_profile": _update_profile,
    "webhook": lambda step: f"Webhook {step.get('endpoint')}",
    "notify_staff": lambda step: f"Notify staff: {shortened(str(step.get('subject', '')), 60)}",
    "end": lambda step: "End",
}
