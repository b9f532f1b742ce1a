"""What a process loads at its start, and keeps for as long as it lives."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """For the imports at the start of a process, which are kept for good.

    The garbage collector would look again and again through what has just come and only grows: a quarter of the time.
    """
    gc.disable()
    try:
        yield
        keep_for_good()
    finally:
        gc.enable()


def keep_for_good() -> None:
    """Takes everything that is in memory now out of the garbage collector's sight. To be called once, after the start.

    Modules and the GraphQL schema are most of the heap. Python's rare full collections would walk all of it each time,
    while every request waits: a tenth of a second, and as much as half a millisecond of each checkout.

    What could be freed already stays, too. Looking for it would take a tenth of the start, and finds one object in
    forty.
    """
    gc.freeze()
