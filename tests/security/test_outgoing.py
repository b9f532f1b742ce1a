"""Every request to another server goes through the client that reaches no private address."""

import ast
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parents[2] / "app"
CLIENTS = {
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "aiohttp",
    "requests",
    "urllib3",
    "http.client",
    "urllib.request",
}
ALLOWED = {
    "kit/http.py": "it is the client",
    "payments/adapters/stripe_client.py": "it answers the provider's own library, and asks through the client",
    "payments/test_gateway.py": "it stands for a card provider, in development, and calls the shop's own address",
}


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_no_other_client_is_used() -> None:
    using = {
        path.relative_to(APP).as_posix()
        for path in APP.rglob("*.py")
        if "dev" not in path.relative_to(APP).parts and imported(path.read_text(encoding="utf-8")) & CLIENTS
    }
    assert using == set(ALLOWED)


@pytest.mark.parametrize(
    "source", ["import httpx2", "from http import client", "import urllib.request as x", "def f():\n    import aiohttp"]
)
def test_every_way_to_import_one_is_seen(source: str) -> None:
    assert imported(source) & CLIENTS
