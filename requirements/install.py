"""Makes `.venv` match a lock file: `python requirements/install.py dev|test`. Needs Python, pip and venv alone.

uv installs in seconds what takes pip minutes, and is a wheel like any other: where the machine has none, pip
fetches the one that is locked in `uv.txt` into `.venv` first. Without it pip does the whole work. Each index comes
from the machine's own configuration of pip and uv. The project itself comes in a second step: it has no hash.
"""

from __future__ import annotations  # an older Python has to get as far as the message in main()

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
# What satisfies a request: the test lock holds all of the development lock, in the same versions.
SUPERSETS = {"dev": ("dev", "test"), "test": ("test",)}


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit(f"Tradewind needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}.")
    if len(sys.argv) != 2 or sys.argv[1] not in SUPERSETS:
        sys.exit("usage: python requirements/install.py dev|test")
    wanted = sys.argv[1]
    if is_current(wanted):
        return
    # Two makes at once: the second waits, and finds the work done.
    lock = os.open(HERE, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current(wanted):
            install(wanted)
    finally:
        os.close(lock)


def is_current(wanted: str) -> bool:
    return PYTHON.exists() and any(_read(_stamp(name)) == _fingerprint(name) for name in SUPERSETS[wanted])


def install(wanted: str) -> None:
    """Leaves a stamp at the very end: what was broken off is done again."""
    if not venv_works():
        make_venv()
    wanted = "test" if _stamp("test").exists() else wanted  # an older lock's test tools are brought along
    say(f"Installing into .venv from requirements/{wanted}.txt (once, and whenever the lock changes)")
    for name in SUPERSETS:
        if _stamp(name).exists():
            _stamp(name).write_text("unfinished")
    uv = find_uv()
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    locked = ["--require-hashes", "--requirement", str(HERE / f"{wanted}.txt")]
    for arguments in (locked, ["--no-deps", "--editable", str(PROJECT)]):
        if uv and run(uv, "pip", "install", *quiet, "--python", str(PYTHON), *arguments):
            continue
        if uv:
            # A machine's administrator may have told pip alone where packages are.
            say("uv could not do that; trying with pip, which takes a few minutes.")
            uv = None
        if not run(str(PYTHON), "-m", "pip", "install", "--quiet", *arguments):
            sys.exit("The installation failed; see above.")
    _stamp(wanted).write_text(_fingerprint(wanted))


def venv_works() -> bool:
    """Whether `.venv` runs, is where it was made (its programs name that place), and has the Python asked for."""
    if not PYTHON.exists() or str(VENV) not in _read(VENV / "bin" / "activate"):
        return False
    question = "import sys; print(*sys.version_info[:2])"
    answer = subprocess.run([PYTHON, "-c", question], check=False, capture_output=True, text=True)
    return answer.stdout.split() == [str(number) for number in sys.version_info[:2]]


def make_venv() -> None:
    python = getattr(sys, "_base_executable", sys.executable)  # not one in the folder that goes now
    shutil.rmtree(VENV, ignore_errors=True)
    if importlib.util.find_spec("ensurepip"):
        made = run(python, "-m", "venv", str(VENV))
    elif uv := shutil.which("uv"):
        made = run(uv, "venv", "--quiet", "--seed", "--python", python, str(VENV))
    else:
        sys.exit(
            f"{python} cannot make a virtual environment: it lacks ensurepip. "
            "On Debian and Ubuntu: apt-get install python3-venv. Or install uv."
        )
    if not made:
        sys.exit("The virtual environment could not be made; see above.")


def find_uv() -> str | None:
    """The machine's uv, or the one that pip fetches into `.venv`. None where pip has to do."""
    own = PYTHON.parent / "uv"
    if uv := shutil.which("uv"):
        return uv
    fetched = run(str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(HERE / "uv.txt"))
    return str(own) if fetched and own.exists() else None


def run(*command: str) -> bool:
    return subprocess.run(command, check=False, cwd=PROJECT).returncode == 0


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _fingerprint(name: str) -> str:
    """Of the lock, the place and the Python: each makes `.venv` another one."""
    locked = (HERE / f"{name}.txt").read_bytes() + (PROJECT / "pyproject.toml").read_bytes()
    return f"{hashlib.sha256(locked).hexdigest()} {VENV} {sys.version_info.major}.{sys.version_info.minor}"


def _stamp(name: str) -> Path:
    return VENV / f".installed-{name}"


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
