"""Deployments on a work pool of their own, and the worker that runs them."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.end_to_end.programs import Prefect, Program


def work_pool(prefect: Prefect, name: str) -> str:
    """A new work pool for processes."""
    prefect.cli("work-pool", "create", name, "--type", "process")
    return name


def deploy(prefect: Prefect, flow: str, name: str, pool: str, *words: str) -> str:
    """Deploy a flow of my_flows.py."""
    return prefect.cli("deploy", f"my_flows.py:{flow}", "--name", name, "--pool", pool, *words)


@contextmanager
def working(prefect: Prefect, pool: str) -> Iterator[Program]:
    """A worker of the pool that polls."""
    with prefect.starting_cli("worker", "start", "--pool", pool, "--name", f"of {pool}") as worker:
        worker.says("started!")
        yield worker


def run_deployment(prefect: Prefect, name: str, *words: str) -> str:
    """Ask for a run on the command line; its id."""
    flow, _, _ = name.partition("/")
    before = {run["id"] for run in prefect.flow_runs(flow)}
    prefect.cli("deployment", "run", name, *words)
    (new,) = [
        run
        for run in prefect.flow_runs(flow)
        if run["id"] not in before and not run["auto_scheduled"]
    ]
    identifier: str = new["id"]
    return identifier
