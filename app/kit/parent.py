"""A process that does not outlive the one that started it. Standard library alone: `app.dev.launch` needs it bare."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def prctl(option: int, argument: int, argument2: int = 0) -> None:
    """Linux's prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, argument2, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}): {os.strerror(ctypes.get_errno())}")


def die_with_parent(parent_pid: int, death_signal: int = signal.SIGKILL) -> None:
    """Asks Linux for `death_signal` when the parent ends, or rather the thread of it that started us.

    Call it after any change of user, which resets it. Elsewhere than on Linux it does nothing.
    """
    if sys.platform != "linux":
        return
    prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent_pid:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)
