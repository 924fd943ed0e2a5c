"""Ask a started server whatever its own OpenAPI document lets it be asked: `make fuzz`.

With `--postgres` on a PostgreSQL of its own, else on SQLite; all else is for schemathesis.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.servers import find_postgres, running_postgres

CHECKS = (
    "not_a_server_error,status_code_conformance,response_schema_conformance,"
    "content_type_conformance"
)
POSTGRES = "--postgres"
HERE = Path(sys.executable).parent
PATIENCE = 60


def main(given: list[str]) -> int:
    if POSTGRES not in given:
        return fuzz(given)
    with running_postgres(find_postgres()) as server:
        os.environ["ARMILLARY_DATABASE_URL"] = server.database_url(server.create_database())
        return fuzz([each for each in given if each != POSTGRES])


def fuzz(given: list[str]) -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as home:
        start = ["-m", "armillary", "start", "--port", str(port), "--home", home, "--no-browser"]
        with subprocess.Popen([sys.executable, *start], stdout=subprocess.DEVNULL) as server:
            try:
                wait_for(url)
                return subprocess.run(asked(url, given), check=False, cwd=home).returncode
            finally:
                server.terminate()


def asked(url: str, given: list[str]) -> list[str]:
    """Bounded in time; what is ``given`` counts last, and more."""
    bounds = ["--max-time", "120", "--max-examples", "10", "--seed", "1"]
    what = ["--phases", "coverage,fuzzing", "--checks", CHECKS, "--continue-on-failure"]
    document = f"{url}/api/openapi.json"
    return [str(HERE / "st"), "run", document, "--url", url, *what, *bounds, "--warnings", "off",
            *given]  # fmt: skip


def wait_for(url: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            httpx.get(f"{url}/api/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"The server was not there after {PATIENCE} seconds; its words are above.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
