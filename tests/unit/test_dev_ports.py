"""Ports for the development shop and for tests, between finding and using which a whole program starts."""

import socket
import subprocess
import sys

from app.dev.ports import LOOPBACK, free_port


def test_each_is_another_one() -> None:
    assert len({free_port() for _ in range(30)}) == 30


def test_another_process_is_given_others() -> None:
    program = "from app.dev.ports import free_port\nprint(*(free_port() for _ in range(5)))"
    given = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not {int(port) for port in given.split()} & {free_port() for _ in range(5)}


def test_no_connection_takes_it_meanwhile() -> None:
    """Linux gives connections 32768 and up, unless it was told otherwise."""
    assert 1024 < free_port() < 32_768


def test_what_somebody_listens_on_is_not_given() -> None:
    wanted = free_port()
    assert free_port(wanted) == wanted
    with socket.create_server((LOOPBACK, wanted)):
        assert free_port(wanted) != wanted
