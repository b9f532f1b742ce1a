"""What ends the servers where the kernel does not do it (macOS), tried on any system."""

import signal
import subprocess
import sys
from pathlib import Path

from app.dev import watchdog


def test_it_ends_what_is_still_there_when_its_pipe_closes() -> None:
    # The second one has a child of its own, and does not listen.
    stubborn = "trap '' TERM; sleep 60 & wait; wait"
    alive = [
        subprocess.Popen(["sleep", "60"], start_new_session=True),
        subprocess.Popen(["sh", "-c", stubborn], start_new_session=True, stdout=subprocess.PIPE),
    ]
    ended = subprocess.Popen(["sleep", "0"], start_new_session=True)
    spared = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", Path(watchdog.__file__)], stdin=subprocess.PIPE, text=True
        )
        assert guard.stdin is not None
        for process in (*alive, ended, spared):
            guard.stdin.write(f"+{process.pid} {int(signal.SIGTERM)}\n")
        ended.wait()
        guard.stdin.write(f"-{ended.pid}\n-{spared.pid}\n")
        guard.stdin.close()
        assert guard.wait(10) == 0
        assert alive[0].wait(1) == -signal.SIGTERM
        assert alive[1].wait(1) == -signal.SIGKILL
        assert alive[1].stdout is not None
        assert alive[1].stdout.read() == b""  # its child is gone too: nobody holds the other end
        assert spared.poll() is None
    finally:
        for process in (*alive, spared):
            process.kill()
            process.wait()
