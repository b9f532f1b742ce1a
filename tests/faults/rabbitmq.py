"""A RabbitMQ server of the test run's own, on loopback, in a folder that is thrown away."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from app.dev.ports import LOOPBACK, free_port
from tests.patience import patience

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_SECONDS = patience(15)


def is_installed() -> bool:
    return SERVER.exists()


class RabbitMQ:
    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._distribution_port, self._epmd_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}"

    def start(self) -> None:
        self._folder.mkdir(exist_ok=True)
        plugins = self._folder / "enabled_plugins"
        plugins.write_text("[].\n")
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [str(SERVER)],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self._folder),
                    "RABBITMQ_NODENAME": f"tradewind{self.port}@localhost",
                    "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
                    "RABBITMQ_NODE_PORT": str(self.port),
                    "RABBITMQ_DIST_PORT": str(self._distribution_port),
                    "ERL_EPMD_PORT": str(self._epmd_port),
                    "ERL_EPMD_ADDRESS": LOOPBACK,
                    "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
                    "RABBITMQ_LOG_BASE": str(self._folder / "log"),
                    "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
                    "RABBITMQ_CONFIG_FILE": str(self._folder / "none"),
                },
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "output").read_text()[-2000:]
            assert time.monotonic() < deadline, "RabbitMQ did not start"
            time.sleep(0.2)

    def _answers(self) -> bool:
        """The AMQP handshake, not only an open port: the listener is up before the server is."""
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
            connection.settimeout(2)
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(connection.recv(1))
        return False

    def kill(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """The server, and Erlang's port mapper, which puts itself into a session of its own."""
        self.kill()
        subprocess.run(
            ["epmd", "-port", str(self._epmd_port), "-kill"], check=False, capture_output=True, timeout=patience(10)
        )
