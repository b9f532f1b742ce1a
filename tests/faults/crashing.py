"""Runs the API, a worker or the scheduler so that it dies by SIGKILL at a chosen call.

    python -m tests.faults.crashing api --at app.module:function --when before --port 9000

It stands in for a power cut at that very line: nothing of the application knows of it.
"""

import argparse
import datetime
import functools
import importlib
import inspect
import os
import signal
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from uuid_utils import compat


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(target: str, when: str, once: Path | None, armed: Path | None = None) -> None:
    """Wrap `module:name` (or `module:Class.name`) so that calling it kills the process, before or after it ran."""
    module_name, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module_name)
    for part in owners:
        owner = getattr(owner, part)
    original = getattr(owner, name)

    def strike() -> None:
        if armed is not None and not armed.exists():
            return
        if once is not None:
            if once.exists():
                return
            once.touch()
        die()

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            if when == "before":
                strike()
            result = await original(*args, **kwargs)
            if when == "after":
                strike()
            return result

    else:

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if when == "before":
                strike()
            result = original(*args, **kwargs)
            if when == "after":
                strike()
            return result

    setattr(owner, name, wrapped)
    if inspect.isfunction(original) and owner is sys.modules[module_name]:
        _replace_everywhere(original, wrapped)


def _replace_everywhere(original: Any, wrapped: Any) -> None:
    """Modules that were loaded before have the function by a name of their own."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("app", "schema", "workers"):
            for known, value in list(vars(module).items()):
                if value is original:
                    setattr(module, known, wrapped)


def put_clock_off(seconds: float) -> None:
    """Let all of the application that is imported see a machine's clock that is wrong."""
    real_time, real_datetime, real_uuid7 = time.time, datetime.datetime, compat.uuid7

    class Like(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real_datetime)

    class Wrong(real_datetime, metaclass=Like):  # type: ignore[valid-type, misc]
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return real_datetime.now(tz) + datetime.timedelta(seconds=seconds)

    def wrong_uuid7() -> uuid.UUID:
        return uuid.UUID(int=real_uuid7().int + (int(seconds * 1000) << 80))

    time.time = lambda: real_time() + seconds
    compat.uuid7 = wrong_uuid7  # type: ignore[assignment]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("app", "workers") and getattr(module, "datetime", None) is real_datetime:
            module.datetime = Wrong  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["api", "worker", "scheduler"])
    parser.add_argument("--at")
    parser.add_argument("--when", choices=["before", "after"], default="before")
    parser.add_argument("--once", type=Path, help="a file that remembers that it has died")
    parser.add_argument("--armed", type=Path, help="a file without which it does not die")
    parser.add_argument("--clock-off", type=float, default=0, help="seconds by which the machine's clock is ahead")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready", type=Path, help="a file that says that it has started")
    options = parser.parse_args()
    if options.at:
        arm(options.at, options.when, options.once, options.armed)
    if options.part == "api":
        import uvicorn

        from app.main import create_app

        uvicorn.run(create_app(), host="127.0.0.1", port=options.port, log_config=None, access_log=False)
    elif options.part == "scheduler":
        from workers.scheduler import main as run_scheduler

        if options.ready:
            options.ready.touch()
        run_scheduler()
    else:
        # One worker process, in this one: Dramatiq's own command would fork away from what was armed.
        import dramatiq

        import workers.main as worker_main

        if options.clock_off:
            put_clock_off(options.clock_off)
        worker = dramatiq.Worker(worker_main.broker, worker_threads=8, worker_timeout=100)
        worker.start()
        if options.ready:
            options.ready.touch()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        while True:
            time.sleep(1)


if __name__ == "__main__":
    main()
