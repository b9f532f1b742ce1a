"""Ends the development servers when their supervisor is gone, on systems without PR_SET_PDEATHSIG (macOS).

Run as `python -I -S watchdog.py` with a pipe as standard input. The supervisor writes `+PID SIGNAL` for each
process it starts and `-PID` for each that ended. The kernel closes the pipe when the supervisor dies, however
it dies. Every process was started as the leader of its own session, so its group holds its children too.
"""

import contextlib
import os
import signal
import sys
import time

_GRACE_SECONDS = 2.0


def main() -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    death_signals: dict[int, int] = {}
    for line in sys.stdin:
        if line.startswith("+"):
            pid, death_signal = line[1:].split()
            death_signals[int(pid)] = int(death_signal)
        else:
            death_signals.pop(int(line[1:]), None)
    for pid, death_signal in death_signals.items():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, death_signal)
    deadline = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < deadline and any(_group_lives(pid) for pid in death_signals):
        time.sleep(0.05)
    for pid in death_signals:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
