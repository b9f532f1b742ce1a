"""`pytest -n auto`: test files side by side, each worker with servers of its own and one file after the other.

Tests of a file stay together and in their order, for they share what the file starts. Half of the time goes by in files
that start, kill and wait for processes; they come first, and others between them, so that somebody always has work for
the processors and no long one is left for the end.

After a change of all files, or the first time, pytest rewrites the assertions of every file, which takes longer than
importing it. Each worker begins with other files, and finds the rest done.
"""

import contextlib
import importlib
import os
from itertools import zip_longest
from pathlib import Path

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

WAITING = {"faults", "browser", "node", "rabbitmq", "postgres15"}
"""Marks of tests that mostly wait for other processes."""
LONG = "long"
"""Mark of tests that take many seconds, however few of them a file has."""
TESTS = Path(__file__).resolve().parent
WORKERS_PER_PROCESSOR = 2
MOST_WORKERS = 8
"""Each has a PostgreSQL, a Valkey and, in turn, a shop's processes: half a gigabyte."""


def pytest_xdist_auto_num_workers() -> int:
    if chosen := os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return int(chosen)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(WORKERS_PER_PROCESSOR * processors, MOST_WORKERS)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    config.option.loadscopereorder = False  # the order of `in_turn`, not that of how many tests a file has
    return LoadFileScheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    worker = getattr(session.config, "workerinput", None)
    if worker is None or [Path(name).resolve() for name in session.config.args] != [TESTS]:
        return
    files = sorted(TESTS.rglob("test_*.py"))
    for file in files[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        # What cannot be imported is told of where it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(TESTS.parent).with_suffix("").parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items[:] = in_turn(items)


def in_turn(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files that wait and files that compute by turns, those with long tests first, and then those with many."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    waiting: list[list[pytest.Item]] = []
    computing: list[list[pytest.Item]] = []
    for tests in sorted(files.values(), key=lambda tests: (_has(tests, {LONG}), len(tests)), reverse=True):
        (waiting if _has(tests, WAITING) else computing).append(tests)
    turns = zip_longest(waiting, computing[::2], computing[1::2])
    return [test for turn in turns for tests in turn for test in tests or ()]


def _has(tests: list[pytest.Item], marks: set[str]) -> bool:
    return any(mark.name in marks for test in tests for mark in test.iter_markers())
