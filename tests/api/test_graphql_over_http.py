"""The audits of the GraphQL over HTTP specification, as the npm package `graphql-http` has them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.live_server import LiveServer

AUDITS = 61
PACKAGES = ("graphql-http@1.23.1", "graphql@16")
SCRIPT = """
import { serverAudits } from "graphql-http";
const results = [];
for (const audit of serverAudits({ url: process.argv[2] })) {
  const { status, reason } = await audit.fn();
  results.push({ name: `${audit.id} ${audit.name}`, status, reason });
}
console.log(JSON.stringify(results));
"""


@pytest.mark.node
def test_every_audit_is_ok(live_server: LiveServer, tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("Node.js and npm are not installed")
    install = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(tmp_path), *PACKAGES]
    installed = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
    if installed.returncode:
        pytest.skip(f"npm could not install graphql-http: {installed.stderr.strip().splitlines()[-1:]}")
    script = tmp_path / "audit.mjs"
    script.write_text(SCRIPT)
    ran = subprocess.run(
        [node, str(script), f"{live_server.url}/graphql"], capture_output=True, text=True, timeout=120, check=True
    )
    results = json.loads(ran.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS
