"""The oldest PostgreSQL that production may have: migrations, and the whole way of an order, on version 15."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.dev import processes
from app.dev.ports import LOOPBACK, free_port
from tests.patience import patience

BINARIES = Path("/usr/lib/postgresql/15/bin")
ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = patience(30)
JOURNEY = ["tests/service/test_events.py", "tests/api/test_staff.py"]

pytestmark = [
    pytest.mark.long,
    pytest.mark.postgres15,
    pytest.mark.skipif(not (BINARIES / "postgres").exists(), reason="no PostgreSQL 15 on this machine"),
]


@pytest.fixture
def postgres15(tmp_path: Path) -> Iterator[str]:
    folder, password_file, password = tmp_path / "postgres15", tmp_path / "password", secrets.token_hex(16)
    folder.mkdir()
    password_file.write_text(password)
    user = processes.ordinary_user() if os.geteuid() == 0 else None
    if user:
        for path in (folder, password_file):
            os.chown(path, user.uid, user.gid)
    initdb = [str(BINARIES / "initdb"), "-D", str(folder / "cluster"), "-U", "tradewind", "--auth=scram-sha-256"]
    initdb += [f"--pwfile={password_file}", "--encoding=UTF8", "--no-locale"]
    launched = processes.launch_command(initdb, user=user, reach=(folder, password_file))
    subprocess.run(launched, check=True, capture_output=True, timeout=patience(60))
    port = free_port()
    options = {"port": port, "listen_addresses": LOOPBACK, "unix_socket_directories": "", "fsync": "off"}
    serve = [str(BINARIES / "postgres"), "-D", str(folder / "cluster")]
    serve += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (tmp_path / "log").open("wb") as log:
        process = processes.start(serve, user=user, reach=(folder,), output=log)
    try:
        status = folder / "cluster" / "postmaster.pid"
        ready = processes.wait_until_ready(
            process, lambda: status.exists() and "ready" in status.read_text(), START_SECONDS, lambda: False
        )
        assert ready, (tmp_path / "log").read_text()
        yield f"postgres://tradewind:{password}@{LOOPBACK}:{port}/postgres"
    finally:
        processes.stop(process)


def test_the_way_of_an_order_works_on_postgresql_15(postgres15: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *JOURNEY]
    environment = {**os.environ, "TRADEWIND_TEST_DATABASE_URL": postgres15}
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=patience(120), check=False
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
