"""How many sockets, event streams and operations on them one client may hold open in this process.

In each process, not in all together: a client that is spread over several processes of a load balancer gets as many in
each. Counting in Redis would leave places taken by processes that died.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

STREAMS_PER_CLIENT = 100
"""People behind one address of an office or a mobile network share it."""
OPERATIONS_PER_CLIENT = 400
"""On sockets. Each reads the database now and then."""


class Places:
    def __init__(self, per_client: int) -> None:
        self.per_client = per_client
        self._taken: Counter[str] = Counter()

    def take(self, client: str) -> bool:
        if self._taken[client] >= self.per_client:
            return False
        self._taken[client] += 1
        return True

    def give_back(self, client: str) -> None:
        self._taken[client] -= 1
        if not self._taken[client]:
            del self._taken[client]

    @contextmanager
    def held(self, client: str | None) -> Iterator[bool]:
        """Whether there was a place; None needs none."""
        taken = client is not None and self.take(client)
        try:
            yield taken or client is None
        finally:
            if client is not None and taken:
                self.give_back(client)
