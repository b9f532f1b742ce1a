"""A server that takes connections and never says a word: a machine that hangs, or a network that swallows packets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.dev.ports import LOOPBACK


@contextmanager
def silent_server() -> Iterator[int]:
    """Its port."""
    taken: list[socket.socket] = []
    with socket.create_server((LOOPBACK, 0)) as listener:

        def take() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in taken:
                connection.close()
