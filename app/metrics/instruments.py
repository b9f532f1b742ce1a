"""What each process counts, and how long things take.

Every label has few values, which the code or the configuration names: no client's text, no id, nothing about a person.
Counting costs about a microsecond: children of a metric are looked up once and kept.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

# A second series beside each, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry(auto_describe=True)

_FAST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_SLOW_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0)
_WAIT_SECONDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
SHORT_WAIT_SECONDS = 0.001
"""Taking a free connection takes less; only what is longer counts as waiting."""

_requests = Counter(
    "tradewind_requests",
    "GraphQL operations by root field and outcome: ok, refused (the client can put it right), fault (ours), "
    "invalid (not executed), cancelled (the client left, or time was up).",
    ["operation", "outcome"],
    registry=REGISTRY,
)
_request_seconds = Histogram(
    "tradewind_request_seconds",
    "Time to an answer, by root field; subscriptions are not in it.",
    ["operation"],
    buckets=_FAST_SECONDS,
    registry=REGISTRY,
)
_responses = Counter(
    "tradewind_http_responses", "HTTP responses by the class of their status.", ["status"], registry=REGISTRY
)
_checkouts = Counter(
    "tradewind_checkouts",
    "Answers to checkoutComplete, repeated ones too: placed, action_required, undecided, or the first refusal's code.",
    ["outcome"],
    registry=REGISTRY,
)
_gateway_calls = Counter(
    "tradewind_payment_calls",
    "Questions to payment gateways, by what came of them.",
    ["gateway", "call", "outcome"],
    registry=REGISTRY,
)
_gateway_seconds = Histogram(
    "tradewind_payment_call_seconds",
    "Time that a payment gateway takes to answer.",
    ["gateway", "call"],
    buckets=_SLOW_SECONDS,
    registry=REGISTRY,
)
_sends = Counter(
    "tradewind_message_sends",
    "Messages handed to a provider: accepted, later (its turn comes), refused, away, unknown.",
    ["channel", "provider", "outcome"],
    registry=REGISTRY,
)
_rate_limited = Counter("tradewind_rate_limited", "What rate limits turned away.", ["limit"], registry=REGISTRY)
_pool = Gauge(
    "tradewind_database_connections",
    "Connections of this process's pools, sampled every few seconds.",
    ["state"],
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
_pool_wait = Histogram(
    "tradewind_database_wait_seconds",
    "Waits for a free connection of over a millisecond.",
    buckets=_WAIT_SECONDS,
    registry=REGISTRY,
)
_loop_lag = Gauge(
    "tradewind_event_loop_lag_seconds",
    "By how much this process's event loop was late at the last sample; the worst of several processes.",
    multiprocess_mode="livemax",
    registry=REGISTRY,
)
_event_seconds = Histogram(
    "tradewind_event_handler_seconds",
    "Time that handlers of events take.",
    ["handler"],
    buckets=_SLOW_SECONDS,
    registry=REGISTRY,
)
_event_failures = Counter(
    "tradewind_event_handler_failures", "Failures of handlers; each is tried again.", ["handler"], registry=REGISTRY
)
_dead_letters = Counter("tradewind_events_given_up", "Events that became dead letters.", ["handler"], registry=REGISTRY)
_jobs = Counter("tradewind_worker_jobs", "Jobs of the broker, by outcome.", ["outcome"], registry=REGISTRY)
_steps = Counter("tradewind_flow_steps", "Steps that flow runs took.", ["kind", "outcome"], registry=REGISTRY)
_ticks = Counter("tradewind_scheduler_ticks", "Ticks of this scheduler.", ["outcome"], registry=REGISTRY)


@cache
def _request(operation: str, outcome: str) -> Counter:
    return _requests.labels(operation, outcome)


@cache
def _request_time(operation: str) -> Histogram:
    return _request_seconds.labels(operation)


def request_answered(operation: str, outcome: str, seconds: float | None) -> None:
    """`operation` is a name of the schema's; `seconds` is None for what has no end to wait for."""
    _request(operation, outcome).inc()
    if seconds is not None:
        _request_time(operation).observe(seconds)


@cache
def _response(status: int) -> Counter:
    return _responses.labels(f"{status}xx")


def responded(status: int) -> None:
    _response(min(max(status // 100, 1), 5)).inc()


def checkout_ended(outcome: str) -> None:
    """`outcome` is `placed`, `action_required` or an error code of the schema's."""
    _checkouts.labels(outcome).inc()


@contextmanager
def payment_call(gateway: str, call: str) -> Iterator[None]:
    """Around one question to a gateway; an exception is an outcome by its class."""
    started = time.perf_counter()
    outcome = "answered"
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        _gateway_calls.labels(gateway, call, outcome).inc()
        _gateway_seconds.labels(gateway, call).observe(time.perf_counter() - started)


def message_handed_over(channel: str, provider: str, outcome: str) -> None:
    _sends.labels(channel, provider, outcome).inc()


def rate_limited(limit: str) -> None:
    """`limit` names the rule, never whom it hit."""
    _rate_limited.labels(limit).inc()


def waited_for_connection(seconds: float) -> None:
    if seconds > SHORT_WAIT_SECONDS:
        _pool_wait.observe(seconds)


def sampled(*, in_use: int, idle: int, most: int, loop_lag_seconds: float) -> None:
    _pool.labels("in_use").set(in_use)
    _pool.labels("idle").set(idle)
    _pool.labels("max").set(most)
    _loop_lag.set(loop_lag_seconds)


@cache
def _handler_time(handler: str) -> Histogram:
    return _event_seconds.labels(handler)


def event_handled(handler: str, seconds: float, *, failed: bool) -> None:
    _handler_time(handler).observe(seconds)
    if failed:
        _event_failures.labels(handler).inc()


def event_given_up(handler: str) -> None:
    _dead_letters.labels(handler).inc()


@cache
def _job(outcome: str) -> Counter:
    return _jobs.labels(outcome)


def job_ended(outcome: str) -> None:
    _job(outcome).inc()


@cache
def _step(kind: str, outcome: str) -> Counter:
    return _steps.labels(kind, outcome)


def flow_step_taken(kind: str, outcome: str) -> None:
    _step(kind, outcome).inc()


def ticked(outcome: str) -> None:
    _ticks.labels(outcome).inc()
