"""The two programs of every end-to-end test: a started Armillary, and the real Prefect."""

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

import httpx

from tests.end_to_end.forked import Forked, Forking
from tests.servers import PLAIN, armillary_program, free_port

SECONDS = 90
"""How long anything may take to come about; a quiet machine needs a tenth of it."""

FAULTS = (" error ", " critical ", "Traceback")
Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen | None], what: str, seconds: float = SECONDS) -> Seen:
    """What `look` returns as soon as that is true."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come about in {seconds} seconds; last: {seen!r}")
        time.sleep(0.1)


class Armillary:
    """A server on a free port with a home of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        self._log = folder / "server.log"

    @contextmanager
    def running(self) -> Iterator["Armillary"]:
        """Started until the block ends; then it is told to end, as Ctrl+C tells it."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith("ARMILL")}
        with self._log.open("w") as log:
            process = subprocess.Popen(
                [*armillary_program(), "start", "--port", str(self.port),
                 "--home", str(self.folder / "home"), "--no-browser"],
                stdout=log, stderr=subprocess.STDOUT, env={**environ, **self.settings},
            )  # fmt: skip
        try:
            eventually(lambda: self._answers(process), "an answer of the server")
            yield self
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS) == 0, self.log()
        finally:
            process.kill()
            process.wait()

    def log(self) -> str:
        return self._log.read_text()

    def faults(self) -> list[str]:
        """The lines of its log that tell of a fault of its own."""
        return [line for line in self.log().splitlines() if any(word in line for word in FAULTS)]

    def _answers(self, process: "subprocess.Popen[bytes]") -> bool:
        assert process.poll() is None, self.log()
        try:
            return httpx.get(f"{self.url}/api/health", verify=PLAIN).json() is True
        except httpx.TransportError:
            return False


class Program:
    """A program of Prefect's that runs until it is told to end."""

    def __init__(self, process: Forked, output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text()

    def says(self, text: str, seconds: float = SECONDS) -> None:
        eventually(lambda: text in self.said, f"{text!r} in {self._output}", seconds)

    def interrupt(self) -> str:
        """Press Ctrl+C; what it said until its end."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(SECONDS)
        return self.said


def environ_of_prefect(url: str, home: Path) -> dict[str, str]:
    """What a program of Prefect's finds in its environment; it waits less than it would."""
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("PREFECT")},
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.2",
    }


@dataclass(frozen=True)
class Commands:
    """Prefect's command line, whose profile is the same for every command."""

    forking: Forking
    environ: Mapping[str, str]


class Prefect:
    """The unmodified package with a home of its own, and the server's API to look at."""

    def __init__(self, folder: Path, url: str, commands: Commands) -> None:
        self.folder = folder
        self.api = httpx.Client(base_url=f"{url}/api", timeout=SECONDS, verify=PLAIN)
        self.environ = environ_of_prefect(url, folder / "prefect")
        self._commands = commands
        self._numbers = itertools.count(1)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(dedent(text))
        return path

    def run(self, script: str, *, code: int = 0) -> str:
        """Run a script of Python to its end; all it printed."""
        path = self.write(f"script{next(self._numbers)}.py", script)
        program = self._start(["python", str(path)], self.environ)
        return self._printed(str(path), program, code=code, seconds=3 * SECONDS)

    def cli(self, *words: str, code: int = 0) -> str:
        """What a command of `prefect` printed."""
        program = self._start(["prefect", *words], self._commands.environ)
        return self._printed(f"prefect {' '.join(words)}", program, code=code, seconds=3 * SECONDS)

    @contextmanager
    def starting(self, script: str) -> Iterator[Program]:
        """A script of Python that runs while the block does."""
        path = self.write(f"script{next(self._numbers)}.py", script)
        with self._started(["python", str(path)]) as program:
            yield program

    @contextmanager
    def starting_cli(self, *words: str) -> Iterator[Program]:
        """A command of `prefect` that runs while the block does."""
        with self._started(["prefect", *words]) as program:
            yield program

    def get(self, path: str, **query: str) -> Any:
        return self._answered(self.api.get(path, params=query))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._answered(self.api.post(path, json=body or {}))

    def flow_run(self, flow_name: str) -> dict[str, Any]:
        """The one run of the flow of this name."""
        (run,) = self.flow_runs(flow_name)
        return run

    def flow_runs(self, flow_name: str) -> list[dict[str, Any]]:
        flows = {"name": {"any_": [flow_name]}}
        runs: list[dict[str, Any]] = self.post(
            "/flow_runs/filter", {"flows": flows, "sort": "EXPECTED_START_TIME_ASC"}
        )
        return runs

    def task_runs(self, flow_run: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The task runs of a flow run, by name, once all have ended."""
        ended = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

        def look() -> list[dict[str, Any]] | None:
            runs = self.post(
                "/task_runs/filter", {"task_runs": {"flow_run_id": {"any_": [flow_run["id"]]}}}
            )
            done = all(run["state_type"] in ended for run in runs)
            return sorted(runs, key=lambda run: run["name"]) if runs and done else None

        return eventually(look, "the end of every task run")

    def states(self, flow_run: Mapping[str, Any]) -> list[str]:
        """The names of the states it went through."""
        rows = self.get("/flow_run_states/", flow_run_id=flow_run["id"])
        return [row["name"] for row in rows]

    def logs(self, flow_run_id: str, text: str) -> None:
        """Return once `prefect flow-run logs` shows the text: logs may come after the end."""
        eventually(lambda: text in self.cli("flow-run", "logs", flow_run_id), f"{text!r} in logs")

    def ended(self, flow_run_id: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The run, once it is in a state that ends it."""
        return self.reached(
            flow_run_id, "COMPLETED", "FAILED", "CRASHED", "CANCELLED", seconds=seconds
        )

    def reached(self, flow_run_id: str, *types: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The run, once its state is of one of these types or has one of these names."""

        def look() -> dict[str, Any] | None:
            run: dict[str, Any] = self.get(f"/flow_runs/{flow_run_id}")
            return run if {run["state_type"], run["state_name"]} & set(types) else None

        return eventually(look, f"{' or '.join(types)} of {flow_run_id}", seconds)

    @staticmethod
    def _answered(answer: httpx.Response) -> Any:
        assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def _start(self, words: Sequence[str], environ: Mapping[str, str]) -> Program:
        output = self.folder / f"output{next(self._numbers)}.txt"
        forked = self._commands.forking.start(
            *words, folder=self.folder, output=output, environ=environ
        )
        return Program(forked, output)

    @staticmethod
    def _printed(what: str, program: Program, *, code: int, seconds: float) -> str:
        try:
            ended = program.process.wait(seconds)
        except subprocess.TimeoutExpired:
            _wait_or_kill(program.process)
            raise
        assert ended == code, f"{what} ended with {ended}:\n{program.said}"
        return program.said

    @contextmanager
    def _started(self, words: Sequence[str]) -> Iterator[Program]:
        program = self._start(words, self.environ)
        try:
            yield program
        finally:
            if program.process.poll() is None:
                program.process.send_signal(signal.SIGINT)
                _wait_or_kill(program.process)


def _wait_or_kill(process: Forked) -> None:
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        # The session is its own, so this ends what it started, too.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS)


def printed(output: str) -> Any:
    """The JSON of the last line that a script printed as `RESULT ...`."""
    lines = [line for line in output.splitlines() if line.startswith("RESULT ")]
    assert lines, output
    return json.loads(lines[-1].removeprefix("RESULT "))
