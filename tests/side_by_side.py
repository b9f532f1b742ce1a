"""`pytest -n auto`: test files side by side, each worker with servers of its own and one file after the other.

Tests of a file stay together and in their order, for they share what the file starts. Half of the time goes by in files
that start, kill and wait for processes; they come first, and others between them, so that somebody always has work for
the processors and no long one is left for the end.
"""

import os
from itertools import zip_longest

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

WAITING = {"faults", "browser", "node", "rabbitmq", "postgres15"}
"""Marks of tests that mostly wait for other processes."""
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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items[:] = in_turn(items)


def in_turn(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files that wait and files that compute by turns, those with many tests first."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    waiting: list[list[pytest.Item]] = []
    computing: list[list[pytest.Item]] = []
    for tests in sorted(files.values(), key=len, reverse=True):
        (waiting if any(_waits(test) for test in tests) else computing).append(tests)
    turns = zip_longest(waiting, computing[::2], computing[1::2])
    return [test for turn in turns for tests in turn for test in tests or ()]


def _waits(test: pytest.Item) -> bool:
    return any(mark.name in WAITING for mark in test.iter_markers())
