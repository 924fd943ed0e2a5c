"""The flow of the demo: tasks, one that fails at first, mapped ones, and a subflow."""

from __future__ import annotations

import time

from prefect import flow, task
from prefect.runtime import task_run


@task
def list_cities() -> list[str]:
    """Say where the thermometers are."""
    return ["Bergen", "Dakar", "Hanoi", "Lima", "Perth", "Quito"]


@task(retries=2, retry_delay_seconds=1)
def fetch(city: str) -> int:
    """Read a thermometer; that of Lima answers only when it is asked again."""
    time.sleep(0.5)
    if city == "Lima" and task_run.run_count == 1:
        message = "The thermometer of Lima did not answer."
        raise ConnectionError(message)
    return sum(map(ord, city)) % 40


@task
def mean(values: list[int]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


@flow(log_prints=True)
def report(temperatures: dict[str, int]) -> str:
    """Say what was found."""
    average = mean(list(temperatures.values()))
    warmest = max(temperatures, key=lambda city: temperatures[city])
    print(f"{average:.1f} degrees on average; it is warmest in {warmest}.")  # noqa: T201
    return warmest


@flow(log_prints=True)
def tour() -> str:
    """Read every thermometer, and report."""
    cities = list_cities()
    print(f"Reading {len(cities)} thermometers.")  # noqa: T201
    temperatures = fetch.map(cities).result()
    return report(dict(zip(cities, temperatures, strict=True)))
