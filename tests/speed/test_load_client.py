"""The load client against a tiny server that misbehaves on purpose: every error is counted."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.servers import free_port
from tests.speed import client

RUN = "0b8f6a52-6f0e-4d6e-9a6b-0d1f6a1e7c55"
LOCKED = b'{"detail":"(sqlite3.OperationalError) database is locked"}'
GOOD = json.dumps({"state": {"id": "x", "status": "no"}, "id": RUN, "status": "ACCEPT"}).encode()

Answer = tuple[int, bytes]
Behaviour = Callable[[str, str, bytes, int], Answer]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behaviour: Behaviour
    chunked = False
    closing = False
    numbers: "count[int]"

    def do_POST(self) -> None:
        # A client that has given up waiting is what one of the tests is about.
        with contextlib.suppress(ConnectionError):
            self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = type(self).behaviour(self.command, self.path, body, next(self.numbers))
        self.send_response(status)
        if self.closing:
            self.send_header("Connection", "close")
        if self.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (answer[:7], answer[7:]):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def do_GET(self) -> None:
        self.headers["Content-Length"] = "0"
        self.do_POST()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the library's)
        """Silent: a test's output is its own."""


@contextlib.contextmanager
def serving(behaviour: Behaviour, *, chunked: bool = False, closing: bool = False) -> Iterator[str]:
    attributes = {
        "behaviour": staticmethod(behaviour),
        "chunked": chunked,
        "closing": closing,
        "numbers": count(1),
    }
    handler = type("Misbehaving", (Handler,), attributes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return client.build(tmp_path_factory.mktemp("load"))


def drive(program: Path, address: str, scenario: str, **options: str | float) -> dict[str, Any]:
    """At most ten seconds, though every test ends by its number of operations."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    load = client.Load(
        scenario=scenario, connections=4, seconds=10, options={"flow-id": RUN, **given}
    )
    return client.run(program, address, load)


def well_behaved(_method: str, _path: str, _body: bytes, _number: int) -> Answer:
    return 201, GOOD


def test_a_life_cycle_is_a_creation_and_two_transitions(program: Path) -> None:
    seen: list[tuple[str, str, Any]] = []

    def remember(method: str, path: str, body: bytes, number: int) -> Answer:
        seen.append((method, path, json.loads(body)))
        return well_behaved(method, path, body, number)

    with serving(remember) as address:
        figures = drive(program, address, "lifecycle", operations=1)

    assert [(method, path) for method, path, _ in seen] == [
        ("POST", "/api/flow_runs/"),
        ("POST", f"/api/flow_runs/{RUN}/set_state"),
        ("POST", f"/api/flow_runs/{RUN}/set_state"),
    ]
    states = [body["state"] for _, _, body in seen]
    assert [state["type"] for state in states] == ["PENDING", "RUNNING", "COMPLETED"]
    transitions = {UUID(state["state_details"]["transition_id"]) for state in states[1:]}
    assert {transition.version for transition in transitions} == {4}
    assert len(transitions) == 2
    assert (figures["operations"], figures["requests"], figures["errors"]) == (1, 3, 0)
    assert figures["statuses"] == {"201": 3}
    assert {name: times["count"] for name, times in figures["times"].items()} == {
        "create": 1,
        "set_running": 1,
        "set_completed": 1,
        "all": 3,
    }


def test_refused_service_and_locks_are_counted(program: Path) -> None:
    def every_third_is_locked(_method: str, _path: str, _body: bytes, number: int) -> Answer:
        return (503, LOCKED) if number % 3 == 0 else (201, GOOD)

    with serving(every_third_is_locked) as address:
        figures = drive(program, address, "lifecycle", operations=30)

    answered = figures["statuses"]
    assert answered["503"] == (answered["201"] + answered["503"]) // 3
    assert figures["errors"] == figures["non_2xx"] == figures["locked"] == answered["503"]
    assert figures["requests"] == answered["201"]
    assert "database is locked" in figures["first_error"]


def test_a_good_answer_that_speaks_of_a_locked_database_is_counted(program: Path) -> None:
    body = GOOD[:-1] + b',"message":"database is locked"}'
    with serving(lambda *_: (200, body)) as address:
        figures = drive(program, address, "lifecycle", operations=2)
    assert (figures["errors"], figures["locked"]) == (0, 6)


def test_a_transition_that_is_not_accepted_is_an_error(program: Path) -> None:
    def reject(_method: str, path: str, _body: bytes, _number: int) -> Answer:
        refused = GOOD.replace(b'"ACCEPT"', b'"REJECT"')
        return 200, refused if path.endswith("set_state") else GOOD

    with serving(reject) as address:
        figures = drive(program, address, "lifecycle", operations=5)
    assert (figures["errors"], figures["refused"], figures["operations"]) == (5, 5, 0)


def test_another_run_than_the_one_asked_for_is_an_error(program: Path) -> None:
    def mix_up(method: str, _path: str, _body: bytes, _number: int) -> Answer:
        return 200, GOOD.replace(b"0b8f", b"ffff") if method == "GET" else GOOD

    with serving(mix_up) as address:
        figures = drive(program, address, "read", operations=5, runs=3)
    assert (figures["errors"], figures["wrong"]) == (5, 5)


@pytest.mark.parametrize("body", [GOOD[:-1], GOOD + b"}", b"", b"{}", b"[]", b"Bad gateway"])
def test_an_answer_that_is_not_the_promised_json_is_malformed(program: Path, body: bytes) -> None:
    with serving(lambda *_: (200, body)) as address:
        figures = drive(program, address, "lifecycle", operations=4)
    assert (figures["errors"], figures["malformed"]) == (4, 4)


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("closing", [True, False])
def test_every_framing_of_an_answer_is_read(program: Path, *, chunked: bool, closing: bool) -> None:
    with serving(well_behaved, chunked=chunked, closing=closing) as address:
        figures = drive(program, address, "set_state", operations=20, runs=4)
    assert (figures["operations"], figures["errors"]) == (20, 0)
    assert (figures["reconnects"] > 0) is closing


def test_a_poll_that_brings_too_few_runs_is_wrong(program: Path) -> None:
    with serving(lambda *_: (200, b'[{"flow_run": {"tags": [1, 2]}}, {}]')) as address:
        enough = drive(program, address, "poll", operations=3, expect_items=2)
        few = drive(program, address, "poll", operations=3, expect_items=3)
    assert (enough["errors"], enough["items"]) == (0, 6)
    assert (few["errors"], few["wrong"]) == (3, 3)


def test_log_rows_are_counted_and_of_a_real_size(program: Path) -> None:
    bodies: list[bytes] = []

    def keep(_method: str, _path: str, body: bytes, _number: int) -> Answer:
        bodies.append(body)
        return 201, b""

    with serving(keep) as address:
        figures = drive(program, address, "logs", operations=3)
    assert (figures["items"], figures["errors"]) == (300, 0)
    assert {len(json.loads(body)) for body in bodies} == {100}
    assert 25_000 < len(bodies[0]) < 31_000


def test_events_are_counted_each_with_an_id_of_its_own(program: Path) -> None:
    bodies: list[bytes] = []

    def keep(_method: str, path: str, body: bytes, _number: int) -> Answer:
        assert path == "/api/events"
        bodies.append(body)
        return 204, b""

    with serving(keep) as address:
        figures = drive(program, address, "events", operations=3)
    assert (figures["items"], figures["errors"]) == (300, 0)
    assert len({event["id"] for body in bodies for event in json.loads(body)}) == 300
    assert 45_000 < len(bodies[0]) < 60_000


def test_what_is_asked_is_asked_as_given_and_too_few_rows_are_wrong(program: Path) -> None:
    seen: set[tuple[str, str, bytes]] = set()

    def answer(method: str, path: str, body: bytes, _number: int) -> Answer:
        seen.add((method, path, body))
        return 200, b"[1, 2]" if method == "POST" else b"2"

    options: dict[str, str | float] = {"path": "/flow_runs/filter", "body": '{"limit":2}'}
    with serving(answer) as address:
        enough = drive(program, address, "ask", operations=3, expect_items=2, **options)
        few = drive(program, address, "ask", operations=3, expect_items=3, **options)
        one = drive(program, address, "ask", operations=3, method="GET", path="/ready")
    assert (enough["errors"], enough["items"]) == (0, 6)
    assert (few["errors"], few["wrong"]) == (3, 3)
    assert (one["errors"], one["items"]) == (0, 0)
    assert seen == {
        ("POST", "/api/flow_runs/filter", b'{"limit":2}'), ("GET", "/api/ready", b"")
    }  # fmt: skip


def test_each_of_many_connections_does_its_share(program: Path) -> None:
    with serving(well_behaved) as address:
        figures = drive(program, address, "connections", per_connection=2)
    assert (figures["operations"], figures["requests"]) == (8, 40)
    assert (figures["errors"], figures["unfinished"]) == (0, 0)


def test_a_server_that_never_answers_is_a_timeout(program: Path) -> None:
    ended = threading.Event()

    def hang(_method: str, _path: str, _body: bytes, _number: int) -> Answer:
        ended.wait(10)
        return 201, GOOD

    with serving(hang) as address:
        figures = drive(program, address, "lifecycle", operations=4, timeout=0.1)
        ended.set()
    assert (figures["errors"], figures["timeouts"]) == (4, 4)


def test_nobody_listening_is_a_connection_failure(program: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/api"
    figures = drive(program, address, "lifecycle", operations=4)
    assert (figures["errors"], figures["connection_failures"]) == (4, 4)


def test_runs_that_cannot_be_prepared_end_the_measurement(program: Path) -> None:
    with (
        serving(lambda *_: (503, LOCKED)) as address,
        pytest.raises(client.LoadFailed, match="only 0 of 3 runs could be created"),
    ):
        drive(program, address, "read", operations=5, runs=3)


def test_the_bench_drives_any_address_and_prints_a_table(tmp_path: Path) -> None:
    kept = tmp_path / "figures.json"
    script = Path(client.__file__).parent / "bench.py"
    sizes = ["--rounds=1", "--seconds=0.2", "--warmup=0", "--connections=2", "--work=lifecycle"]

    with serving(well_behaved) as address:
        asked = [sys.executable, str(script), f"--base-url={address}", f"--json={kept}", *sizes]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
    again = [sys.executable, str(script), f"--report={kept}"]
    printed = subprocess.run(again, capture_output=True, text=True, check=True).stdout

    row = next(
        line for line in done.stdout.splitlines() if line.startswith("| life cycles/s | 2 |")
    )
    assert row.endswith("| 0 | 0 |")
    assert row.split("|")[4:] == printed.splitlines()[2].split("|")[4:]


def test_an_unknown_server_is_refused_with_the_names_there_are() -> None:
    script = Path(client.__file__).parent / "bench.py"
    asked = [sys.executable, str(script), "--only=postgres"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'postgres' is none of armillary-sqlite, armillary-postgres" in done.stderr
