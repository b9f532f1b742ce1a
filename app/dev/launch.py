"""Becomes another program that dies with its parent, as another user where asked.

Run as `python -I -S launch.py PARENT_PID DEATH_SIGNAL USER COMMAND…`, where USER is `-` (stay who we are),
`UID:GID`, or `UID:GID:reach` (may also pass through folders that are closed to that user).

A script of its own rather than a `preexec_fn`: it runs in a fresh process, so threads of the parent cannot
deadlock it. It imports the standard library alone and costs about 15 ms.
"""

import ctypes
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.kit.parent import die_with_parent, prctl

_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

_CANNOT_START_EXIT_CODE = 126


def _change_user(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _change_user_with_reach(uid: int, gid: int) -> None:
    """Changes user and keeps one capability of root: to pass through closed folders.

    A checkout under /root is closed to everybody else. Opening it would change the permissions of folders
    that are not ours, so the server gets the right to search instead; where a container withholds that one,
    the wider right to override.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    prctl(_PR_SET_KEEPCAPS, 1)
    _change_user(uid, gid)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        bit = 1 << capability
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
        if libc.capset(header, sets) == 0:
            prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
            return
    raise OSError(ctypes.get_errno(), "this container lets no ordinary user pass through closed folders")


def main() -> None:
    parent_pid, death_signal, user, *command = sys.argv[1:]
    try:
        if user != "-":
            uid, gid, *reach = user.split(":")
            if reach and sys.platform == "linux":
                _change_user_with_reach(int(uid), int(gid))
            else:
                _change_user(int(uid), int(gid))
        # After the change of user, which resets it.
        die_with_parent(int(parent_pid), int(death_signal))
        os.execv(command[0], command)
    except OSError as error:
        sys.stderr.write(f"FATAL: cannot start {command[0]}: {error}\n")
        sys.exit(_CANNOT_START_EXIT_CODE)


if __name__ == "__main__":
    main()
