"""Starts Armillary with something to see: a command on a schedule, and a flow where it can be."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from armillary.clock import SystemClock
from armillary.commands import settings_of
from armillary.errors import ConfigError
from armillary_plugins.agent.jobs_file import checked
from armillary_plugins.agent.outcome import TERMINAL
from armillary_plugins.agent.services import deploying
from armillary_plugins.agent.services.http import HttpLink
from armillary_plugins.agent.services.link import Away, Turned

Json = Any
HERE = Path(__file__).resolve().parent
STARTS_WITHIN, SHOWN_WITHIN = 60.0, 55.0
SCRIPT = """
echo "Hello from $PREFECT__FLOW_RUN_NAME, attempt $PREFECT__FLOW_RUN_ATTEMPT."
uptime
df -h / | tail -n 1
echo "Written to the error output." >&2
"""
CLOCK = SystemClock()


def say(text: str) -> None:
    """Show a line of the demo."""
    sys.stdout.write(f"  demo   {text}\n")
    sys.stdout.flush()


async def show(address: str, flow_python: str | None) -> None:
    """Deploy, run, and tell how it goes."""
    link = HttpLink(address)
    try:
        await _answering(link)
        command = await _command(link)
        flow = None if flow_python is None else await _flow(link, flow_python)
        await _watch(link, address, "pulse, a plain command", command)
        if flow is None:
            say("Prefect is not installed for the demo, so there is no flow to see.")
        else:
            await _watch(link, address, "tour, a flow of Prefect", flow)
        say(f"Everything that runs: {address}/runs")
    except (Away, Turned) as error:
        say(f"The demo ends here: {error}.")
    finally:
        await link.close()


async def _answering(link: HttpLink) -> None:
    until = CLOCK.monotonic() + STARTS_WITHIN
    while True:
        try:
            await link.ask("GET", "/health")
        except Away:
            if CLOCK.monotonic() > until:
                raise
            await CLOCK.sleep(0.2)
        else:
            return


async def _command(link: HttpLink) -> str:
    spec = checked({"command": SCRIPT.strip(), "interval": 30, "retries": 2, "timeout": 60})
    deployment = await deploying.deploy(link, "pulse", spec)
    say("deployed pulse: a plain command, every 30 s, tried again twice, 60 s at most")
    run = await link.ask("POST", f"/deployments/{deployment}/create_flow_run", {})
    return str(run["id"])


async def _flow(link: HttpLink, python: str) -> str:
    flow = await link.ask("POST", "/flows/", {"name": "tour"})
    deployment = await link.ask(
        "POST",
        "/deployments/",
        {
            "name": "demo",
            "flow_id": flow["id"],
            "work_pool_name": "local",
            "entrypoint": "demo_flow.py:tour",
            "path": str(HERE),
            "job_variables": {"python": python},
        },
    )
    say("deployed tour: a flow with mapped tasks, a retry and a subflow")
    run = await link.ask("POST", f"/deployments/{deployment['id']}/create_flow_run", {})
    return str(run["id"])


async def _watch(link: HttpLink, address: str, what: str, run_id: str) -> None:
    """Tell each change of a run until it has ended."""
    told = ""
    until = CLOCK.monotonic() + SHOWN_WITHIN
    while CLOCK.monotonic() < until:
        run = await link.ask("GET", f"/flow_runs/{run_id}")
        tasks = await link.ask(
            "POST", "/task_runs/filter", {"task_runs": {"flow_run_id": {"any_": [run_id]}}}
        )
        done = sum(task["state_type"] in TERMINAL for task in tasks)
        now = f"{what}: {run['state_name']}"
        now += f", {done} of {len(tasks)} task runs done" if tasks else ""
        if now != told:
            say(now)
            told = now
        if run["state_type"] in TERMINAL:
            say(f"see {address}/runs/flow-run/{run_id}")
            return
        await CLOCK.sleep(0.3)
    say(f"{what} takes its time: {address}/runs/flow-run/{run_id}")


def _has_prefect(python: Path) -> bool:
    probe = "import importlib.util as u, sys; sys.exit(u.find_spec('prefect') is None)"
    try:
        done = subprocess.run([python, "-c", probe], check=False)  # noqa: S603 - our own words
    except OSError:
        return False
    return done.returncode == 0


def _address(words: Sequence[str]) -> str:
    """Where the server will be reached that is started with these words, variables and file."""
    start = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    start.add_argument("--home")
    start.add_argument("--config", type=Path)
    start.add_argument("--port", type=int)
    said = start.parse_known_args(words)[0]
    try:
        server = settings_of(said, server_port=said.port)[0].server
    except ConfigError as error:
        sys.exit(f"armillary: {error}")
    return f"http://127.0.0.1:{server.port}{server.base_path.rstrip('/')}"


def main() -> int:
    """Start the server, show something, and stay until it ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flow-python", type=Path, help="a Python that has Prefect")
    parser.add_argument("words", nargs="*", help="for armillary start")
    arguments = parser.parse_args()
    address = _address(arguments.words)
    python = arguments.flow_python
    # Absolute, and not resolved: that would lead out of the environment.
    found = str(python.absolute()) if python is not None and _has_prefect(python) else None
    words = [sys.executable, "-m", "armillary", "start", *arguments.words]
    server = subprocess.Popen(words)  # noqa: S603 - our own program
    # Ctrl+C reaches the server by itself, and this program ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())

    def run() -> None:
        with contextlib.suppress(RuntimeError):
            asyncio.run(show(address, found))

    threading.Thread(target=run, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(main())
