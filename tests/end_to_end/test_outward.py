"""Nothing leaves the machine: the server asks nobody outside for anything, whatever it does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.killable import SECONDS, Killable
from tests.servers import PLAIN

SOURCE = Path(__file__).with_name("outward.c")
PAGES = ("/", "/runs", "/runs/flow-run/{run}", "/patterns", "/docs", "/api/openapi.json")
ANSWERS = ("/admin/version", "/admin/settings", "/collections/views/aggregate-worker-metadata")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="preloading is Linux's")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is preloaded."""
    made = tmp_path_factory.mktemp("outward") / "outward.so"
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc") or "cc"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", made, SOURCE, "-ldl"], check=True)
    return made


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "outward.log"


@pytest.fixture
def server(tmp_path: Path, fresh_sqlite: str, library: Path, log: Path) -> Iterator[Killable]:
    made = Killable(tmp_path, fresh_sqlite, LD_PRELOAD=str(library), OUTWARD_LOG=str(log))
    with made.running():
        yield made


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("socket.create_connection(('192.0.2.1', 80), 1)", "connect 192.0.2.1"),
        (
            "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
            "sendto 192.0.2.1",
        ),
        ("socket.getaddrinfo('example.org', 80)", "getaddrinfo example.org"),
        ("uvloop.run(asyncio.open_connection('192.0.2.1', 80))", "connect 192.0.2.1"),
        ("uvloop.run(asyncio.open_connection('example.org', 80))", "getaddrinfo example.org"),
    ],
)
def test_an_attempt_would_be_seen(library: Path, log: Path, code: str, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import asyncio, socket, uvloop; {code}"],
        env={**os.environ, "LD_PRELOAD": str(library), "OUTWARD_LOG": str(log)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert line in log.read_text().splitlines()


FLOW = """
from prefect import flow, task

@task(retries=1, retry_delay_seconds=0)
def work(number):
    return number

@flow(log_prints=True)
def alone():
    print(sum(work.map([1, 2, 3]).result()))

alone()
"""


def test_the_server_reaches_for_nothing_while_flows_run_and_pages_are_read(
    server: Killable, prefect_python: Path, tmp_path: Path, log: Path
) -> None:
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PREFECT")},
        "PREFECT_API_URL": server.url,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "DO_NOT_TRACK": "1",
    }
    pool = ["work-pool", "create", "alone", "--type", "process"]
    script = tmp_path / "alone.py"
    script.write_text(FLOW)
    program = str(prefect_python.with_name("prefect"))
    for words in ([program, *pool], [str(prefect_python), str(script)]):
        subprocess.run(words, env=environ, cwd=tmp_path, check=True, timeout=100)

    with httpx.Client(
        base_url=server.url, timeout=SECONDS, follow_redirects=True, verify=PLAIN
    ) as client:
        (run,) = client.post("/flow_runs/filter", json={}).json()
        assert run["state_type"] == "COMPLETED"
        for path in ANSWERS:
            assert client.get(path).status_code == 200, path
        for path in PAGES:
            address = server.url.removesuffix("/api") + path.format(run=run["id"])
            assert client.get(address).status_code == 200, path
    assert not log.exists(), log.read_text()
