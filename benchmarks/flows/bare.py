"""The bare pipe: a Dramatiq job that prints ready values into the ready template and sends the mail. Nothing else.

Its worker runs with the very options of the shop's own, over the same broker, event loop and SMTP transport.
"""

import asyncio
import os
import pickle
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dramatiq
import uvloop
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO

from app.kit.ids import new_id
from app.messaging import mime
from app.messaging.compiling import compiled_email
from app.messaging.models import MessagePurpose
from app.messaging.rendering import RenderedEmail, one_line, plain_text, render
from app.messaging.smtp import SmtpServer, SmtpTransport

QUEUE = "bare"
READY = "BENCHMARK_READY"
"""Environment: the file that template and values are in."""
NAMESPACE = "bare"


def ready(file: Path, subjects: dict[str, dict[str, Any]]) -> None:
    """Write down what the jobs print: by name, the template's `text`, its `values` and a `recipient`."""
    file.write_bytes(pickle.dumps(subjects))


def build(redis_url: str) -> dramatiq.Broker:
    return RedisBroker(url=redis_url, middleware=[AsyncIO()], namespace=NAMESPACE)  # type: ignore[no-untyped-call]


def message(subject: str) -> dramatiq.Message[None]:
    return dramatiq.Message(queue_name=QUEUE, actor_name="send", args=(str(new_id()), subject), kwargs={}, options={})


def set_up() -> None:
    """Dramatiq calls this in the worker process."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with open(os.environ[READY], "rb") as file:
        subjects: dict[str, dict[str, Any]] = pickle.load(file)
    templates = {name: compiled_email(name, subject["text"]) for name, subject in subjects.items()}
    transport = SmtpTransport(SmtpServer.from_url(os.environ["SMTP_URL"]), 30.0)
    broker = build(os.environ["REDIS_URL"])
    dramatiq.set_broker(broker)

    @dramatiq.actor(broker=broker, actor_name="send", queue_name=QUEUE)
    async def send(message_id: str, name: str) -> None:
        subject, template = subjects[name], templates[name]
        values = subject["values"]
        assert template.text is not None
        rendered = RenderedEmail(
            subject=one_line(render(template.subject, values)),
            html=render(template.html, values),
            text=plain_text(render(template.text, values)),
        )
        mail = mime.compose(
            message_id=uuid.UUID(message_id),
            purpose=MessagePurpose.MARKETING,
            template=name,
            rendered=rendered,
            recipient=subject["recipient"],
            email_from="shop@benchmark.example",
            reply_to=None,
            shop_name="Benchmark",
            written_at=datetime.now(UTC),
            unsubscribe_url=values["links"]["unsubscribe"],
            feedback=name,
        )
        await transport.send(mail)
