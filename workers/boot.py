"""What each worker process does first."""

import os

from app.kit.parent import die_with_parent


def set_up() -> None:
    """Dramatiq calls this in each process that its master starts.

    `kill -9` of the master would leave them running, with nobody to stop them.
    """
    die_with_parent(os.getppid())
    import workers.main  # noqa: F401  # sets the broker and registers the actors
